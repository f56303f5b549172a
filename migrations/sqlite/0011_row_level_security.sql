-- Row-level security is Postgres's: other programs can speak to its server. A SQLite file is read and written by this
-- program alone, whose rules (crates/domain/src/permit.rs, crates/engine/src/visibility.rs) hold on both engines.
SELECT 1;
