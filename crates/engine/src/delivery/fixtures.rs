//! A message to one phone, as tests begin with it.

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::notices::{Priority, Receipt};
use showdesk_store::deliveries::{Channel, DeliveryRow, DeliveryStatus, Errand};
use uuid::Uuid;

/// When it went out.
pub(super) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_348_800, 0).expect("a time")
}

/// An important message for an hour that nobody has yet; it is due ten seconds after it went out.
pub(super) fn errand(channel: Channel) -> Errand {
    let person = PersonId(Uuid::from_u128(1));
    Errand {
        row: DeliveryRow {
            id: Uuid::from_u128(2),
            notification: Uuid::from_u128(3),
            person,
            target: Uuid::from_u128(4),
            channel,
            service: channel.as_str().to_owned(),
            device: Some(DeviceId(Uuid::from_u128(4))),
            status: DeliveryStatus::Waiting,
            attempts: 0,
            repeats: 0,
            next_attempt_at: Some(noon() + TimeDelta::seconds(10)),
            lease_until: None,
            provider_message_id: None,
            error_code: None,
            reason: None,
            created_at: noon(),
            accepted_at: None,
            updated_at: noon(),
        },
        priority: Priority::High,
        needs_ack: true,
        expires_at: Some(noon() + TimeDelta::hours(1)),
        released_at: Some(noon()),
        retracted_at: None,
        state: Receipt::Waiting,
        reminded_at: None,
        local_status: Some(DeliveryStatus::Waiting),
        device_person: Some(person),
        device_revoked_at: None,
        device_expires_at: None,
        is_superseded: false,
    }
}
