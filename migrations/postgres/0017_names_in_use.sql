-- Whether anything has come to a row under its other name: then a decision that two rows are one thing stays.

-- used: of names that are there already it is not known, so they count as used.
ALTER TABLE record_aliases ADD COLUMN used boolean NOT NULL DEFAULT true;
