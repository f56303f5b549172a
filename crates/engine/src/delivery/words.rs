//! What stands in a message's way, in words for the people at the desk. They never hold a provider's own text.

use showdesk_store::deliveries::Channel;

/// Why a message has not come to one phone by one way.
pub(super) fn of_delivery(channel: Channel, code: &str) -> String {
    let whom = name_of(channel);
    match code {
        "expired" => "Its time was over before the phone was reached.".to_owned(),
        "retracted" => "It was taken back first.".to_owned(),
        "removed" => "The phone is no longer in the show.".to_owned(),
        "superseded" => "A newer message took its place.".to_owned(),
        "not_needed" => "The phone had it before.".to_owned(),
        "no_address" | "invalid_host" | "UNREGISTERED" | "Unregistered" | "ExpiredToken" | "BadDeviceToken"
        | "malformed_token" | "status 404" | "status 410" => {
            "The phone does not take messages any more. Its page has to allow them again.".to_owned()
        }
        "SENDER_ID_MISMATCH" | "DeviceTokenNotForTopic" => {
            "The phone's app belongs to another show or another project.".to_owned()
        }
        "unreachable" | "not_public" | "not_trusted" => {
            format!("{whom} could not be reached. It is tried again when the laptop is on the internet.")
        }
        "timed_out" | "connection_lost" => format!("{whom} did not answer in time. It is tried again."),
        "too_large" | "PayloadTooLarge" => format!("{whom} found the message too long."),
        _ if is_ours(channel, code) => format!("{whom} does not accept our settings. It waits until they are mended."),
        code if code.starts_with("status 5") || matches!(code, "UNAVAILABLE" | "INTERNAL" | "ServiceUnavailable") => {
            format!("{whom} is busy. It is tried again.")
        }
        "QUOTA_EXCEEDED" | "TooManyRequests" | "TooManyProviderTokenUpdates" | "status 429" | "status 406" => {
            format!("{whom} wants fewer messages at once. It is tried again.")
        }
        code => format!("{whom} refused it ({code})."),
    }
}

/// Why nothing goes out by a provider, and what to do about it.
pub(super) fn of_provider(channel: Channel, code: &str) -> String {
    let whom = name_of(channel);
    let says = match code {
        "secrets_locked" => "The key to this show's secrets is not on this laptop.",
        "credentials_missing" => "Its key is missing. Choose the key file again.",
        "clock" | "ExpiredProviderToken" => "The time of this laptop is wrong. Set its clock.",
        "SENDER_ID_MISMATCH" => "The phones' app belongs to another project. Choose the key file of that project.",
        "DeviceTokenNotForTopic" => "The phones have another app. Check the bundle id.",
        "PERMISSION_DENIED" => "The key may not send messages for this project.",
        "THIRD_PARTY_AUTH_ERROR" => "Firebase has no good key for Apple.",
        "NOT_FOUND" => "There is no such project.",
        _ => "It does not accept the key or the other settings.",
    };
    format!("{whom}: {says} Messages wait, and phones on the show's Wi-Fi get them all the same.")
}

/// What people call a provider.
pub(super) fn name_of(channel: Channel) -> &'static str {
    match channel {
        Channel::Local => "The show's Wi-Fi",
        Channel::Fcm => "Firebase",
        Channel::Apns => "Apple",
        Channel::Web => "The browser's message service",
    }
}

fn is_ours(channel: Channel, code: &str) -> bool {
    let words: &[&str] = match channel {
        Channel::Fcm => &[
            "not_set_up",
            "clock",
            "invalid_grant",
            "invalid_client",
            "unauthorized_client",
            "UNAUTHENTICATED",
            "PERMISSION_DENIED",
            "THIRD_PARTY_AUTH_ERROR",
            "NOT_FOUND",
            "service_account_key",
        ],
        Channel::Apns => &[
            "not_set_up",
            "InvalidProviderToken",
            "MissingProviderToken",
            "ExpiredProviderToken",
            "Forbidden",
            "BadCertificate",
            "BadCertificateEnvironment",
        ],
        Channel::Web => &["not_set_up", "status 401", "status 403"],
        Channel::Local => &[],
    };
    words.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_do_nothing_about_says_that_it_is_tried_again() {
        for (channel, code) in [
            (Channel::Fcm, "UNAVAILABLE"),
            (Channel::Apns, "TooManyRequests"),
            (Channel::Web, "status 503"),
            (Channel::Web, "timed_out"),
            (Channel::Fcm, "unreachable"),
        ] {
            let says = of_delivery(channel, code);
            assert!(says.contains("tried again"), "{code}: {says}");
        }
    }

    #[test]
    fn a_word_that_nobody_knows_is_told_as_it_is() {
        assert_eq!(
            of_delivery(Channel::Fcm, "INVALID_ARGUMENT message.data"),
            "Firebase refused it (INVALID_ARGUMENT message.data)."
        );
        assert!(of_provider(Channel::Apns, "Strange").starts_with("Apple: It does not accept the key"));
    }
}
