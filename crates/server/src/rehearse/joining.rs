//! Phones join as people do: a code, a claim, Allow.

use std::net::SocketAddr;

use serde_json::{Value as Json, json};

use super::{Connection, Phone, RehearseError};

/// What the phones of a rehearsal do at the show.
const FUNCTIONS: [&str; 3] = ["superintendent", "checkin", "scale"];

/// A running desk, as its own people reach it.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where phones connect.
    pub http: SocketAddr,
    /// Where the desk page is served.
    pub admin: SocketAddr,
    /// The desk's token.
    pub token: String,
}

impl Desk {
    /// A connection of the desk itself.
    pub fn office(&self) -> Connection {
        Connection::new(self.admin, Some(self.token.clone()))
    }
}

/// Phones that may write, in the order of their numbers.
pub async fn join(desk: &Desk, count: usize) -> Result<Vec<Phone>, RehearseError> {
    let mut office = desk.office();
    let mut stranger = Connection::new(desk.http, None);
    let code = office.post_json("/admin/pairings", &json!({"functions": FUNCTIONS, "mode": "open"})).await?;
    let mut phones = Vec::with_capacity(count);
    for number in 0..count {
        let claim = json!({"code": code["code"], "device_name": format!("Phone {number}"), "platform": "web"});
        let claimed = stranger.post_json("/pairing/claim", &claim).await?;
        let waiting = office.get_json("/admin/pairings?status=waiting").await?;
        let allow = format!("/admin/pairings/{}/approve", text(&waiting["items"][0]["pairing_id"])?);
        office.post(&allow, &json!({})).await?;
        let approved = stranger.get_json(&format!("/pairing/{}", text(&claimed["pairing_id"])?)).await?;
        let token = text(&approved["token"])?.to_owned();
        phones.push(Phone::join(Connection::new(desk.http, Some(token))).await?);
    }
    Ok(phones)
}

pub(super) fn text(json: &Json) -> Result<&str, RehearseError> {
    json.as_str().ok_or_else(|| RehearseError::Strange(format!("a text is expected, not {json}")))
}
