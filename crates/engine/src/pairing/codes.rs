//! The desk makes codes, looks at those that are open, and takes them back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::RecordId;
use showdesk_domain::local_day::first_moment;
use showdesk_domain::permit::Action;
use showdesk_domain::schema::known_table;
use showdesk_domain::value::INSTANT_MAX;
use showdesk_store::pairings::{OpenedRow, PairingRow, TypedRow};
use showdesk_store::{Tx, pairings, records};
use uuid::Uuid;

use super::{TRIES_MAX, code_is_over};
use crate::api::pairing::{NewPairing, OpenPairing, OpenPairings, PairingCode, PairingMode, TypedCode};
use crate::devices::{checked_functions, checked_scope, read_stay};
use crate::ids::{secret, sha256};
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake, typed_code};

const SINGLE_CODE_S: i64 = 600;
const OPEN_CODE_S: i64 = 7_200;
const CODE_S_MAX: i64 = 86_400;
const TYPED_CODE_S: i64 = 120;
/// How long after its code has run out a phone may wait for the desk's answer.
const WAITS_AFTER_S: i64 = 7_200;
/// Open codes that are listed.
const OPEN_ITEMS_MAX: i64 = 100;
/// Days after the show in which phones still work: the office finishes its papers.
const DAYS_AFTER_SHOW: u64 = 2;

impl Engine {
    /// Opens joining.
    pub async fn open_pairing(&self, actor: &Actor, request: NewPairing) -> Result<PairingCode> {
        require(actor, Action::Admit)?;
        let functions = checked_functions(request.functions)?;
        let scope = checked_scope(request.scope)?;
        let open = request.mode == PairingMode::Open;
        let seconds = request.expires_in_s.unwrap_or(if open { OPEN_CODE_S } else { SINGLE_CODE_S });
        if !(1..=CODE_S_MAX).contains(&seconds) {
            return Err(EngineError::invalid("out_of_range", "a code lives from 1 second to one day"));
        }
        let (now, steady) = (self.now(), self.steady());
        let code = URL_SAFE_NO_PAD.encode(secret::<16>());
        let code_expires_at = steady + Duration::seconds(seconds);
        let (typed, typed_row) = fresh_typed(steady, code_expires_at);
        let mut tx = self.begin_write_as(actor).await?;
        let device_expires_at = match request.device_expires_at {
            Some(stay) => read_stay(&stay, now)?,
            None => self.end_of_show(&mut tx).await?,
        };
        let row = PairingRow {
            id: self.fresh_id(),
            code_sha256: sha256(code.as_bytes()),
            open,
            functions,
            scope,
            created_by: actor.person,
            created_at: now,
            code_expires_at,
            used_at: None,
            closed_at: None,
            device_expires_at,
            typed: Some(typed_row),
        };
        pairings::forget_tries(&mut tx, steady).await?;
        pairings::refuse_forgotten(&mut tx, steady - Duration::seconds(WAITS_AFTER_S), actor.person, now).await?;
        pairings::open(&mut tx, &row).await?;
        let what = json!({
            "functions": row.functions, "scope": row.scope, "open": open, "seconds": seconds,
            "device_expires_at": device_expires_at.map(showdesk_domain::value::instant_text),
        });
        crate::audit::note(&mut tx, actor, "joining_opened", now, Some(row.id), Some(what)).await?;
        self.tell_neighbours(&mut tx, &[Wake::Pairings]).await?;
        self.commit(tx).await?;
        self.wake(Wake::Pairings);
        Ok(PairingCode {
            pairing_id: row.id,
            code,
            code_expires_at: self.on_the_clock(code_expires_at),
            typed: self.shown(typed),
        })
    }

    /// Codes that let phones in now.
    pub async fn open_pairings(&self, actor: &Actor) -> Result<OpenPairings> {
        require(actor, Action::Admit)?;
        let mut tx = self.begin_read_as(actor).await?;
        let rows = pairings::opened(&mut tx, self.steady(), OPEN_ITEMS_MAX).await?;
        let items = rows.into_iter().map(|OpenedRow { pairing, joined }| OpenPairing {
            pairing_id: pairing.id,
            mode: if pairing.open { PairingMode::Open } else { PairingMode::Single },
            functions: pairing.functions,
            scope: pairing.scope,
            opened_at: pairing.created_at,
            code_expires_at: self.on_the_clock(pairing.code_expires_at),
            device_expires_at: pairing.device_expires_at,
            joined,
            typed_code_expires_at: pairing.typed.as_ref().map(|typed| self.on_the_clock(typed.expires_at)),
            typed_code_dead: pairing.typed.is_some_and(|typed| typed.tries >= TRIES_MAX.in_all),
        });
        Ok(OpenPairings { items: items.collect() })
    }

    /// A fresh short form of an open code; the one before is dead.
    pub async fn renew_typed_code(&self, actor: &Actor, id: Uuid) -> Result<TypedCode> {
        require(actor, Action::Admit)?;
        let (now, steady) = (self.now(), self.steady());
        let mut tx = self.begin_write_as(actor).await?;
        let pairing = pairings::find(&mut tx, id).await?.ok_or(EngineError::NotFound("the code"))?;
        let (typed, row) = fresh_typed(steady, pairing.code_expires_at);
        if !pairings::renew_typed(&mut tx, id, &row, steady).await? {
            return Err(code_is_over());
        }
        crate::audit::note(&mut tx, actor, "typed_code_made", now, Some(id), None).await?;
        self.commit(tx).await?;
        Ok(self.shown(typed))
    }

    /// As the desk's page counts, which knows the machine's clock only.
    fn shown(&self, typed: TypedCode) -> TypedCode {
        TypedCode { typed_code_expires_at: self.on_the_clock(typed.typed_code_expires_at), ..typed }
    }

    /// Takes a code back: nobody joins by it any more, and who waits with it is refused. Twice is the same as once.
    pub async fn close_pairing(&self, actor: &Actor, id: Uuid) -> Result<()> {
        require(actor, Action::Admit)?;
        let mut tx = self.begin_write_as(actor).await?;
        pairings::find(&mut tx, id).await?.ok_or(EngineError::NotFound("the code"))?;
        if pairings::close(&mut tx, id, self.steady()).await? {
            let refused = pairings::refuse_all_of(&mut tx, id, actor.person, self.now()).await?;
            let what = (refused > 0).then(|| json!({ "refused": refused }));
            crate::audit::note(&mut tx, actor, "joining_closed", self.now(), Some(id), what).await?;
        }
        self.tell_neighbours(&mut tx, &[Wake::Pairings]).await?;
        self.commit(tx).await?;
        self.wake(Wake::Pairings);
        Ok(())
    }

    /// The end of the second day after the show, in its own time zone; none if nobody knows when it ends. A show that
    /// lasts longer than planned counts as ending today.
    async fn end_of_show(&self, tx: &mut Tx) -> Result<Option<DateTime<Utc>>> {
        let shows = records::load(tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?;
        let Some(show) = shows.first() else { return Ok(None) };
        let zone = show.value("timezone").as_text().and_then(|name| name.parse::<Tz>().ok()).unwrap_or(Tz::UTC);
        Ok(show.value("ends_on").as_date().and_then(|ends_on| end_of_stay(ends_on, zone, self.now())))
    }
}

fn end_of_stay(ends_on: NaiveDate, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let last_day = ends_on.max(now.with_timezone(&zone).date_naive());
    last_day.checked_add_days(Days::new(DAYS_AFTER_SHOW + 1)).map(|day| first_moment(&zone, day).min(INSTANT_MAX))
}

/// A short form that lives two minutes, and not longer than its code.
fn fresh_typed(now: DateTime<Utc>, code_expires_at: DateTime<Utc>) -> (TypedCode, TypedRow) {
    let text = typed_code::from_random(secret());
    let expires_at = code_expires_at.min(now + Duration::seconds(TYPED_CODE_S));
    let row = TypedRow { sha256: sha256(text.as_bytes()), expires_at, tries: 0 };
    (TypedCode { typed_code: text, typed_code_expires_at: expires_at }, row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn moment(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    #[test]
    fn phones_stay_two_days_after_the_show_by_its_own_clock() {
        let now = moment("2026-08-05T12:00:00Z");
        for (ends_on, zone, end) in [
            ("2026-08-09", Tz::UTC, "2026-08-12T00:00:00Z"),
            ("2026-08-09", Tz::America__Chicago, "2026-08-12T05:00:00Z"),
            ("2026-08-09", Tz::Asia__Tokyo, "2026-08-11T15:00:00Z"),
            ("2026-07-01", Tz::UTC, "2026-08-08T00:00:00Z"),
            // In Beirut the clocks are put forward at midnight.
            ("2027-03-25", Tz::Asia__Beirut, "2027-03-27T22:00:00Z"),
            ("9999-12-31", Tz::UTC, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(end_of_stay(day(ends_on), zone, now), Some(moment(end)), "{ends_on} {zone}");
        }
    }

    #[test]
    fn a_short_form_lives_no_longer_than_its_code() {
        let now = moment("2026-08-05T12:00:00Z");
        let (typed, row) = fresh_typed(now, now + Duration::seconds(600));
        assert_eq!(
            (typed.typed_code_expires_at, row.expires_at),
            (now + Duration::seconds(120), now + Duration::seconds(120))
        );
        let (typed, _) = fresh_typed(now, now + Duration::seconds(30));
        assert_eq!(typed.typed_code_expires_at, now + Duration::seconds(30));
        assert_eq!(typed_code::normalised(&typed.typed_code), Some(typed.typed_code));
    }
}
