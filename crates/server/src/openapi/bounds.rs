//! The bounds of the protocol as the document tells them, made from the constants that hold.

use std::fmt::Write as _;
use std::time::Duration;

use showdesk_engine::push::{DESK_BYTES_MAX, DESK_OPS_MAX, PHONE_BYTES_MAX, PHONE_OPS_MAX, STATUS_OPS_MAX};

use crate::accept::{HANDSHAKE_TIME, HEADER_BYTES_MAX, HEADER_TIME, HEADERS_MAX, STREAMS_OF_CONNECTION_MAX};
use crate::bodies::{ARRIVING_BYTES_MAX, ARRIVING_BYTES_OF_DEVICE_MAX};
use crate::body::{BODY_TIME, COMMAND_BYTES_MAX, COPY_BYTES_MAX, CSV_BYTES_MAX, INFLATION_MAX, PAIRING_BYTES_MAX};
use crate::guard::{FILE_TIME, HANDLER_TIME, URI_BYTES_MAX};
use crate::handlers::{HANDLERS_MAX, STRANGERS_MAX};
use crate::limiter::{ADDRESS, FAILURES_IN_ALL, FAILURES_OF_ADDRESS, NETWORK, Rate, TOKEN};
use crate::live::{STREAMS_MAX, STREAMS_OF_DEVICE_MAX};
use crate::places::{NEWCOMERS_OF_ADDRESS_MAX, OF_DEVICE_MAX, STRANGERS_OF_ADDRESS_MAX};
use crate::readers::READ_TIME;
use crate::routes::sync::PAGE_MAX;
use crate::scan::DEPTH_MAX;
use crate::server::{ADMIN_CONNECTIONS_MAX, PHONE_CONNECTIONS_MAX};

/// A table in Markdown: what, how much, what is answered beyond it.
pub(super) fn table() -> String {
    let mut table = "| What | Bound | Beyond it |\n|---|---|---|".to_owned();
    for (what, bound, beyond) in rows() {
        // Writing to a String cannot fail.
        let _ = write!(table, "\n| {what} | {bound} | {beyond} |");
    }
    table
}

fn rows() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("address of a request", bytes(URI_BYTES_MAX), "414 `uri_too_long`"),
        ("headers of a request", HEADERS_MAX.to_string(), "431 `too_many_headers`"),
        ("headers over HTTP/2, together", bytes(HEADER_BYTES_MAX as usize), "431"),
        ("head of a request", seconds(HEADER_TIME), "the connection ends"),
        ("TLS handshake", seconds(HANDSHAKE_TIME), "the connection ends"),
        ("arrival of a body", seconds(BODY_TIME), "408 `body_time_over`"),
        ("a reader that takes nothing", seconds(READ_TIME), "the connection ends"),
        ("work on a request", seconds(HANDLER_TIME), "503 `time_over`"),
        ("work on a whole file", seconds(FILE_TIME), "503 `time_over`"),
        ("requests at work at once, of phones and of the desk each", HANDLERS_MAX.to_string(), "503 `busy`"),
        ("those without a known pass among them", STRANGERS_MAX.to_string(), "they wait a little, then 503 `busy`"),
        ("body of a claim", bytes(PAIRING_BYTES_MAX), "413 `body_too_large`"),
        ("body of a command", bytes(COMMAND_BYTES_MAX), "413 `body_too_large`"),
        ("body of a sync request of a phone", bytes(PHONE_BYTES_MAX), "413 `body_too_large`"),
        ("the same at the desk", bytes(DESK_BYTES_MAX), "413 `body_too_large`"),
        ("what has come of phones' bodies that are not whole", bytes(ARRIVING_BYTES_MAX), "503 `busy`"),
        ("the same of one device", bytes(ARRIVING_BYTES_OF_DEVICE_MAX), "503 `busy`"),
        ("a phone's copy of its entries", bytes(COPY_BYTES_MAX), "413 `body_too_large`"),
        ("an entries file", bytes(CSV_BYTES_MAX), "413 `body_too_large`"),
        ("a packed sync body, unpacked", format!("{INFLATION_MAX} times its size"), "413 `body_too_large`"),
        ("levels of JSON", DEPTH_MAX.to_string(), "400 `too_deep`"),
        ("ops in a push of a phone", PHONE_OPS_MAX.to_string(), "413 `too_many_ops`"),
        ("the same at the desk", DESK_OPS_MAX.to_string(), "413 `too_many_ops`"),
        ("ops whose status is asked for", STATUS_OPS_MAX.to_string(), "413 `too_many_ops`"),
        ("changes in a page of a pull", PAGE_MAX.to_string(), "a page has no more"),
        ("requests with a pass", rate(TOKEN), "429 `too_many_requests`"),
        ("requests without one, of an address", rate(ADDRESS), "429 `too_many_requests`"),
        ("the same of a network of IPv6 (/64)", rate(NETWORK), "429 `too_many_requests`"),
        ("wrong codes of an address", rate(FAILURES_OF_ADDRESS), "429 `too_many_failures`"),
        ("wrong codes in all", rate(FAILURES_IN_ALL), "429 `too_many_failures`"),
        ("event streams of a device", STREAMS_OF_DEVICE_MAX.to_string(), "429 `too_many_streams`"),
        ("event streams in all", STREAMS_MAX.to_string(), "429 `too_many_streams`"),
        ("requests at once on an HTTP/2 connection", STREAMS_OF_CONNECTION_MAX.to_string(), "the stream is refused"),
        ("connections of a device", OF_DEVICE_MAX.to_string(), "its oldest ends"),
        ("connections of an address without a pass", STRANGERS_OF_ADDRESS_MAX.to_string(), "its oldest ends"),
        ("the same with those of the last second", NEWCOMERS_OF_ADDRESS_MAX.to_string(), "its oldest ends"),
        (
            "connections of phones in all",
            PHONE_CONNECTIONS_MAX.to_string(),
            "the oldest without a pass ends, of the address that has most of them",
        ),
        ("connections at the admin listener", ADMIN_CONNECTIONS_MAX.to_string(), "as above"),
    ]
}

fn bytes(count: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if count >= MIB { format!("{} MiB", count / MIB) } else { format!("{} KiB", count / 1024) }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

fn rate(Rate { per_second, burst }: Rate) -> String {
    if per_second < 1.0 {
        format!("{:.0} a minute", per_second * 60.0)
    } else {
        format!("{per_second:.0} a second, {burst:.0} at once")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_told_in_a_unit_that_holds_it_whole() {
        assert_eq!((bytes(8 * 1024), bytes(20 * 1024 * 1024)), ("8 KiB".to_owned(), "20 MiB".to_owned()));
        assert_eq!(rate(TOKEN), "50 a second, 200 at once");
        assert_eq!(
            (rate(FAILURES_OF_ADDRESS), rate(FAILURES_IN_ALL)),
            ("10 a minute".to_owned(), "30 a minute".to_owned())
        );
        let all_bytes =
            [URI_BYTES_MAX, PAIRING_BYTES_MAX, COMMAND_BYTES_MAX, PHONE_BYTES_MAX, COPY_BYTES_MAX, CSV_BYTES_MAX];
        assert!(
            all_bytes.iter().all(|count| count % 1024 == 0 && (*count < 1024 * 1024 || count % (1024 * 1024) == 0))
        );
        let all = table();
        assert!(all.contains("| levels of JSON | 16 | 400 `too_deep` |") && all.lines().count() == rows().len() + 2);
    }
}
