-- What is asked for a delivery is known of its row, so that what fails together waits together.

-- service: local, fcm, apns, or the origin of a browser's push service. Of rows that are there only the way is known.
ALTER TABLE notification_deliveries ADD COLUMN service TEXT NOT NULL DEFAULT 'local';
UPDATE notification_deliveries SET service = channel;

-- What is due is found in the index alone: it is asked after every change, and a provider that is away leaves much due.
DROP INDEX notification_deliveries_due;
CREATE INDEX notification_deliveries_due ON notification_deliveries (next_attempt_at, service, lease_until)
    WHERE next_attempt_at IS NOT NULL;

-- A phone that was given to another person may have a message of both.
DROP INDEX notification_deliveries_target;
CREATE UNIQUE INDEX notification_deliveries_target ON notification_deliveries (notification_id, user_id, target);

-- When something of this kind was told last.
CREATE INDEX notifications_collapse ON notifications (collapse_key, created_at) WHERE collapse_key IS NOT NULL;
CREATE INDEX notifications_kind ON notifications (type, created_at);
