-- Who is who among phones: which claim a pass was made for, where claims come from, whose a phone was before.

-- The address of the phone that asks: one address does not fill the list of those who wait.
ALTER TABLE pairing_claims ADD COLUMN address TEXT;

-- The claim that the pass was made for; none for passes that were renewed and for the desk's.
ALTER TABLE device_tokens ADD COLUMN claim_id TEXT REFERENCES pairing_claims (id) DEFERRABLE INITIALLY DEFERRED;

-- Whose the phone was before it was joined with another person's: a list of ids.
ALTER TABLE devices ADD COLUMN former_people TEXT NOT NULL DEFAULT '[]';
