-- What desktops go on by is a number: laptops do not agree on the time, and clocks are set back. It is taken in the
-- transaction that says something, and held until that ends, so no later number is ever read before an earlier one.
CREATE TABLE alert_numbers (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    last INTEGER NOT NULL
) STRICT;

INSERT INTO alert_numbers (only_row, last) VALUES (1, 0);

-- What was said before there were numbers has 0: nobody is told of it again.
ALTER TABLE alert_events ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
-- The second line as it leaves the show, by a push or a webhook: without names.
ALTER TABLE alert_events ADD COLUMN outside TEXT;

CREATE INDEX alert_events_number ON alert_events (number);
-- How many problems a phone has met.
CREATE INDEX error_subjects_subject ON error_subjects (subject);
