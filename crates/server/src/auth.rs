//! Who is asking. The actor comes from the bearer token and from nothing else.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_engine::{EngineError, LEVELS, Told, counted_as};
use uuid::Uuid;

use crate::app::{App, Listener};
use crate::error::Problem;
use crate::guard::Turn;

/// The header by which the desk window names the person in front of it.
pub(crate) const DESK_PERSON: &str = "x-desk-person";
/// How many entries the device still holds.
pub(crate) const PENDING: &str = "x-client-pending";
/// For how long the oldest of them has waited, milliseconds.
pub(crate) const WAITING_MS: &str = "x-client-waiting-ms";
/// How long the device's last request took until the answer was there, milliseconds.
pub(crate) const TOOK_MS: &str = "x-client-took-ms";
/// How the phone shows its page: `quick` or `field_ready`.
pub(crate) const LEVEL: &str = "x-client-level";
/// Longer texts are no token of ours and are not looked up.
const TOKEN_CHARS_MAX: usize = 200;

/// A request with a valid token: a phone's or the desk's.
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) token: String,
}

/// The same, for a path that only tells whose token it is: that is no use of a new one.
pub(crate) struct Onlooker(pub(crate) Actor);

/// A request with the desk's token.
pub(crate) struct Desk(pub(crate) Actor);

/// A request that needs no token; it counts against its address.
pub(crate) struct Anyone;

/// The address a request came from, for paths that count wrong codes themselves.
pub(crate) struct Peer(pub(crate) IpAddr);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app, Showing::ToUse).await
    }
}

impl FromRequestParts<App> for Onlooker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app, Showing::ToLook).await.map(|caller| Self(caller.actor))
    }
}

/// In whose name a request was asked when its head had come.
#[derive(Clone)]
pub(crate) struct Acting {
    pub(crate) actor: Actor,
    token: String,
    /// The person whom the desk named.
    named: Option<Uuid>,
    /// How often anybody's rights had changed before that was looked up.
    rights_changed: u64,
}

impl Acting {
    /// Looks again: what a body brings that took its time is asked for with the rights of the moment in which it is
    /// there.
    pub(crate) async fn look_again(&self, app: &App) -> Result<(), Problem> {
        if app.engine().rights_changed() == self.rights_changed {
            return Ok(());
        }
        let mut actor = app.engine().bearer_of(&self.token).await?;
        if let Some(person) = self.named {
            actor = app.engine().as_person(&actor, person).await?;
        }
        if actor == self.actor { Ok(()) } else { Err(Problem::rights_changed()) }
    }
}

/// The address of a request that shows no pass which was good a moment ago.
pub(crate) fn stranger(request: &Request, app: &App) -> Result<Option<IpAddr>, Problem> {
    let is_known = bearer(request.headers()).is_ok_and(|token| app.handlers().has_seen(token));
    if is_known { Ok(None) } else { address(request.extensions()).map(|address| Some(counted_as(address))) }
}

/// What a token is shown for.
#[derive(Clone, Copy)]
enum Showing {
    ToUse,
    ToLook,
}

async fn caller(parts: &Parts, app: &App, showing: Showing) -> Result<Caller, Problem> {
    let rights_changed = app.engine().rights_changed();
    let known = match bearer(&parts.headers) {
        Ok(token) => look_up(parts, app, token, showing).await.map(|actor| (actor, token)),
        Err(problem) => Err(problem),
    };
    let now = Instant::now();
    match known {
        Ok((actor, token)) => {
            app.shared.limiter.with_token(actor.device.0, now).map_err(Problem::too_many_requests)?;
            let token = token.to_owned();
            app.engine().note_told(&actor, told(&parts.headers));
            let turn = parts.extensions.get::<Turn>();
            if let Some(turn) = turn {
                turn.is_of(actor.device.0);
            }
            let named = desk_person(parts, app)?;
            let actor = match named {
                Some(person) => app.engine().as_person(&actor, person).await?,
                None => actor,
            };
            if let Some(turn) = turn {
                turn.is_by(Acting { actor: actor.clone(), token: token.clone(), named, rights_changed });
            }
            Ok(Caller { actor, token })
        }
        Err(problem) => {
            app.shared.limiter.without_token(address(&parts.extensions)?, now).map_err(Problem::too_many_strangers)?;
            Err(problem)
        }
    }
}

/// Whose a pass is. One that was not good lately is looked up in every case; where its address has shown too many that
/// are none, a few at a time.
async fn look_up(parts: &Parts, app: &App, token: &str, showing: Showing) -> Result<Actor, Problem> {
    let handlers = app.handlers();
    let is_in_doubt = !handlers.has_seen(token)
        && app.shared.limiter.has_been_wrong_too_often(address(&parts.extensions)?, Instant::now());
    let _in_doubt = if is_in_doubt { handlers.look_up_in_doubt().await } else { None };
    let actor = match showing {
        Showing::ToUse => app.engine().authenticate(token).await,
        Showing::ToLook => app.engine().recognise(token).await,
    };
    match &actor {
        Ok(_) => handlers.looked_up(token, true),
        Err(EngineError::UnknownToken | EngineError::DeviceRemoved | EngineError::DeviceExpired) => {
            handlers.looked_up(token, false);
        }
        // It could not be looked up: that says nothing of the pass.
        Err(_) => {}
    }
    actor.map_err(Problem::from)
}

impl FromRequestParts<App> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match caller.actor.device_kind {
            DeviceKind::Desk => Ok(Self(caller.actor)),
            DeviceKind::Phone => Err(Problem::desk_only()),
        }
    }
}

impl FromRequestParts<App> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let address = address(&parts.extensions)?;
        app.shared.limiter.without_token(address, Instant::now()).map_err(Problem::too_many_strangers)?;
        Ok(Self)
    }
}

impl FromRequestParts<App> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        address(&parts.extensions).map(Self)
    }
}

/// What headers tell to help the desk; it decides nothing, and nonsense is as good as none.
fn told(headers: &HeaderMap) -> Told {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok().filter(|number: &i64| *number >= 0);
    let level = headers.get(LEVEL).and_then(|value| LEVELS.into_iter().find(|level| value == *level));
    Told { pending: number(PENDING), waiting_ms: number(WAITING_MS), took_ms: number(TOOK_MS), level }
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| Problem::no_token("this needs Authorization: Bearer and a token"))?;
    if values.next().is_some() {
        return Err(Problem::no_token("more than one Authorization header was sent"));
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    let plausible = !token.is_empty() && token.len() <= TOKEN_CHARS_MAX && token.bytes().all(|b| b.is_ascii_graphic());
    if scheme.eq_ignore_ascii_case("bearer") && plausible {
        Ok(token)
    } else {
        Err(Problem::no_token("the Authorization header is not a bearer token"))
    }
}

/// The person in front of the desk, who becomes the actor; on the admin listener only.
fn desk_person(parts: &Parts, app: &App) -> Result<Option<Uuid>, Problem> {
    let Some(value) = parts.headers.get(DESK_PERSON).filter(|_| app.listener == Listener::Admin) else {
        return Ok(None);
    };
    let person = value.to_str().ok().and_then(|text| Uuid::try_parse(text).ok());
    let invalid = || Problem::bad_query("invalid_header", "X-Desk-Person is not a profile's id");
    person.map(Some).ok_or_else(invalid)
}

fn address(extensions: &Extensions) -> Result<IpAddr, Problem> {
    let peer: Option<&ConnectInfo<SocketAddr>> = extensions.get();
    peer.map(|peer| peer.0.ip()).ok_or_else(|| Problem::internal("the connection's address was not handed on"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn one_bearer_token_is_read() {
        assert_eq!(bearer(&headers(&["Bearer lsd_abc"])).ok(), Some("lsd_abc"));
        assert_eq!(bearer(&headers(&["bearer lsd_abc"])).ok(), Some("lsd_abc"));
    }

    #[test]
    fn anything_else_is_no_token() {
        for values in [
            &[][..],
            &["Basic bHNkOng="],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a "],
            &["Bearer a", "Bearer a"],
            &["lsd_abc"],
        ] {
            assert!(bearer(&headers(values)).is_err(), "{values:?}");
        }
    }
}
