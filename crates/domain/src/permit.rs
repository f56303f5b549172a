//! Who may do what: the one function that is asked by every use case and by the apply path. Everything is denied that
//! nothing here allows.
//!
//! For writing rows the matrix of DOMAIN.md §4 is asked ([`matrix`]); a rule allows a function to make or change rows
//! of a table in some stages, perhaps only certain fields, perhaps only with a reason. Rights are the union: each field
//! of an op must be allowed by some rule.

mod matrix;
#[cfg(test)]
mod tests;

use uuid::Uuid;

use crate::actor::Actor;
use crate::ids::{DeviceId, PersonId};
use crate::op::{Op, Operation, Rejection};
use crate::record::Record;
use crate::schema::Policy;
use matrix::{Limit, RULES, Rule};

const NOT_YOURS: &str = "your job at the show does not include this";

/// The stage a show is in; A set-up, B check-in, C published, D showing, E official.
pub type Stage = char;

/// What somebody asks to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Says hello, pulls, listens, asks how its own ops stand. What is seen is cut to the reader's class.
    Sync,
    /// Sends ops. Each of them is asked about again, as [`Action::Write`].
    Push,
    /// Looks at itself, and renews its own pass.
    UseOwnDevice,
    /// Takes a block of exhibitors' numbers to give out.
    LeaseBackNumbers,
    /// Lists clashes about its own entries.
    SeeOwnClashes,
    /// Reads the messages that it was sent, and confirms them.
    SeeOwnMessages,
    /// Makes, changes or deletes a row.
    Write,
    /// Answers what was asked about an entry, or takes it back.
    AnswerClash,
    /// Disagrees with a decision about an entry, or about the value it clashed with.
    DisagreeWithClash,
    /// Looks at the desk's pages: overview, activity, entries, history.
    SeeDesk,
    /// Works at the desk in the own name.
    ActAtDesk,
    /// Names the person at the desk, fills a show with invented rows.
    SetUp,
    /// Looks at phones and people.
    SeeDevices,
    /// Changes, merges or removes phones and people.
    ManageDevices,
    /// Opens joining, lets phones in or refuses them.
    Admit,
    /// Reads what people did.
    SeeAudit,
    /// Looks at clashes.
    SeeClashes,
    /// Decides clashes, asks their authors.
    Decide,
    /// Looks at ops that were refused or wait.
    SeeQueue,
    /// Retries, applies or gives up such ops; takes a phone's copy in.
    Attend,
    /// Brings an entries file in, and takes it back.
    Import,
    /// Looks at addresses, certificates and secrets' places, tests the network, renews.
    Network,
    /// Writes, schedules and follows messages, and chooses which the desk sends by itself.
    Message,
    /// Has the desk's worker run.
    Maintain,
    /// Looks at what the desk measured, at problems, alerts and the cache.
    SeeHealth,
    /// Changes what is told and to whom, says that a problem is solved, empties the cache.
    ManageHealth,
}

/// What it is asked about.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// The show as a whole.
    Show,
    /// A row, by the op that would write it.
    Row(&'a Writing<'a>),
    /// A clash: whose entry it is about, and who wrote the value it clashed with.
    Clash {
        /// The device that sent the entry.
        device: DeviceId,
        /// Who wrote the desk's value.
        server_person: Option<PersonId>,
    },
}

/// An op, and what is known around it when it is decided.
#[derive(Debug)]
pub struct Writing<'a> {
    /// The op.
    pub op: &'a Op,
    /// The stage of the show.
    pub stage: Stage,
    /// The row as it stands; none if it is not there.
    pub record: Option<&'a Record>,
    /// Where the row lies, now and after the op: all of it must be within the actor's scope.
    pub places: Vec<Place>,
    /// Whether the actor wrote the row as it stands (a weigh-in's author may void it).
    pub own: bool,
    /// Whether the row belongs to a class whose results are official: only an admin reopens it, with a reason (rule C15).
    pub official: bool,
    /// Whether the show's rules let animals be weighed again.
    pub reweighs: bool,
}

/// Where a row lies, as far as the desk knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its department, if it has one.
    pub department: Option<String>,
    /// Its ring, if it has one.
    pub ring: Option<Uuid>,
}

/// Whether the actor may do that now. `forbidden`: never, or not there; `locked`: not in this stage; `required`: not
/// without a reason; `not_found`: what is not the actor's is answered as if it were not there.
pub fn authorize(actor: &Actor, action: Action, resource: &Resource<'_>) -> Result<(), Rejection> {
    use Action::{
        ActAtDesk, Admit, AnswerClash, Attend, Decide, DisagreeWithClash, Import, LeaseBackNumbers, Maintain,
        ManageDevices, ManageHealth, Message, Network, Push, SeeAudit, SeeClashes, SeeDesk, SeeDevices, SeeHealth,
        SeeOwnClashes, SeeOwnMessages, SeeQueue, SetUp, Sync, UseOwnDevice, Write,
    };
    match (action, resource) {
        (Sync | Push | UseOwnDevice | SeeOwnClashes | SeeOwnMessages, Resource::Show) => Ok(()),
        (LeaseBackNumbers, Resource::Show) if enters_exhibitors(actor) => Ok(()),
        (LeaseBackNumbers, Resource::Show) => Err(forbidden(NOT_YOURS)),
        (Write, Resource::Row(writing)) => write(actor, writing),
        (AnswerClash, Resource::Clash { device, .. }) if *device == actor.device => Ok(()),
        (DisagreeWithClash, Resource::Clash { device, server_person })
            if *device == actor.device || *server_person == Some(actor.person) =>
        {
            Ok(())
        }
        (AnswerClash | DisagreeWithClash, Resource::Clash { .. }) => {
            Err(Rejection::new("not_found", "there is no such clash"))
        }
        (
            ActAtDesk | SeeDesk | SetUp | SeeDevices | ManageDevices | Admit | SeeAudit | SeeClashes | Decide
            | SeeQueue | Attend | Import | Message | Network | Maintain | SeeHealth | ManageHealth,
            Resource::Show,
        ) if actor.is_admin() => Ok(()),
        _ => Err(forbidden("only an admin may do this")),
    }
}

/// Whether the actor's job includes new exhibitors, in some stage.
fn enters_exhibitors(actor: &Actor) -> bool {
    let enters = |rule: &Rule| rule.table == "exhibitors" && rule.operation == Operation::Insert;
    actor.is_admin() || RULES.iter().any(|rule| enters(rule) && actor.may_as(rule.function, rule.permission))
}

fn write(actor: &Actor, writing: &Writing<'_>) -> Result<(), Rejection> {
    let op = writing.op;
    if let Some(fixed) = op.patch.keys().find(|field| op.operation == Operation::Update && is_fixed(op, **field)) {
        let path = op.table.fields[*fixed].path;
        return Err(Rejection::of_field("forbidden", path, "this is set once, when the row is made"));
    }
    if changes_unit(writing) && writing.stage != 'A' {
        return Err(locked(writing));
    }
    if actor.is_admin() {
        return write_as_admin(writing);
    }
    if op.operation == Operation::Delete {
        return Err(forbidden("only an admin deletes; scratch the entry instead"));
    }
    if !writing.places.iter().all(|place| is_in_scope(actor, place)) {
        return Err(forbidden("this ring or department is not yours"));
    }
    // What stands in the way of the field that is furthest from being allowed decides the answer.
    let whole_row = op.patch.is_empty().then_some(None);
    let fields = op.patch.keys().map(|field| Some(*field)).chain(whole_row);
    match fields.map(|field| standing(actor, writing, field)).max() {
        None | Some(Standing::Allowed) => Ok(()),
        Some(Standing::NeedsReason) => Err(Rejection::of_field("required", "reason", "this change needs a reason")),
        Some(Standing::Locked) => Err(locked(writing)),
        Some(Standing::Never) => Err(forbidden(NOT_YOURS)),
    }
}

/// How near a field is to being allowed, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Allowed,
    NeedsReason,
    Locked,
    Never,
}

fn standing(actor: &Actor, writing: &Writing<'_>, field: Option<usize>) -> Standing {
    let op = writing.op;
    let is_about = |rule: &&Rule| {
        rule.table == op.table.name
            && rule.operation == op.operation
            && actor.may_as(rule.function, rule.permission)
            && field.is_none_or(|field| rule.names(op.table.fields[field].path))
    };
    let standings = RULES.iter().filter(is_about).map(|rule| {
        let is_open = rule.holds_in(writing.stage) && !writing.official;
        match check_limits(rule, writing) {
            Ok(()) if is_open => Standing::Allowed,
            Ok(()) | Err(Limited::Setting) => Standing::Locked,
            Err(Limited::Reason) if is_open => Standing::NeedsReason,
            Err(Limited::Reason | Limited::No) => Standing::Never,
        }
    });
    standings.min().unwrap_or(Standing::Never)
}

enum Limited {
    /// Not without a reason.
    Reason,
    /// Not by the show's rules.
    Setting,
    No,
}

fn check_limits(rule: &Rule, writing: &Writing<'_>) -> Result<(), Limited> {
    let op = writing.op;
    for limit in rule.limits {
        let holds = match limit {
            Limit::Own => writing.own,
            Limit::Choice(path, words) => is_one_of(writing, path, words),
            Limit::With(path) => op.patch.contains_key(&op.table.index(path)),
            Limit::Reason | Limit::Reweighs => true,
        };
        if !holds {
            return Err(Limited::No);
        }
    }
    if rule.limits.contains(&Limit::Reweighs) && !writing.reweighs {
        return Err(Limited::Setting);
    }
    if rule.limits.contains(&Limit::Reason) && op.reason.is_none() { Err(Limited::Reason) } else { Ok(()) }
}

/// Whether the op gives the field one of the words, and takes none of the others back: nobody but a vet or an admin
/// makes what a vet took out an ordinary scratch.
fn is_one_of(writing: &Writing<'_>, path: &str, words: &[&str]) -> bool {
    let field = writing.op.table.index(path);
    let Some(wanted) = writing.op.patch.get(&field) else { return true };
    let present = writing.record.and_then(|record| record.values[field].as_text());
    let Some(wanted) = wanted.as_text() else {
        return present.is_none_or(|present| words.contains(&present));
    };
    let steps_back = match (writing.op.table.fields[field].policy, present) {
        // Without a reason nothing goes back: the higher stays, whoever comes later.
        (Policy::Stage(order), Some(present)) if writing.op.reason.is_some() && !words.contains(&present) => {
            let rank = |word: &str| order.iter().position(|stage| *stage == word);
            rank(wanted) < rank(present)
        }
        _ => false,
    };
    words.contains(&wanted) && !steps_back
}

fn write_as_admin(writing: &Writing<'_>) -> Result<(), Rejection> {
    let op = writing.op;
    let reopens = op.operation == Operation::Update
        && op.patch.iter().all(|(field, value)| match (op.table.name, op.table.fields[*field].path) {
            ("classes", path) => path.starts_with("official_") && value.is_null(),
            ("shows", path) => path == "stage",
            _ => false,
        });
    match op.table.name {
        "shows" if op.operation != Operation::Update => {
            Err(forbidden("one folder is one show: it is neither added nor deleted"))
        }
        "announcements" => Ok(()),
        _ if (writing.stage == 'E' || writing.official) && !reopens => Err(locked(writing)),
        _ if writing.stage == 'E' && op.reason.is_none() => {
            Err(Rejection::of_field("required", "reason", "opening what is official needs a reason"))
        }
        _ => Ok(()),
    }
}

/// Weights are never converted: their unit is chosen before the first one is taken.
fn changes_unit(writing: &Writing<'_>) -> bool {
    let op = writing.op;
    op.table.name == "shows"
        && op.operation == Operation::Update
        && op
            .patch
            .get(&op.table.index("weight_unit"))
            .is_some_and(|wanted| writing.record.is_none_or(|record| record.value("weight_unit") != wanted))
}

fn is_fixed(op: &Op, field: usize) -> bool {
    op.table.fields[field].policy == Policy::Fixed
}

/// Empty lists in a scope mean no limit; a row without a ring or department is outside none.
fn is_in_scope(actor: &Actor, place: &Place) -> bool {
    let departments = &actor.scope.departments;
    let rings = &actor.scope.ring_ids;
    place.department.as_ref().is_none_or(|department| departments.is_empty() || departments.contains(department))
        && place.ring.is_none_or(|ring| rings.is_empty() || rings.contains(&ring))
}

fn forbidden(detail: &str) -> Rejection {
    Rejection::new("forbidden", detail)
}

fn locked(writing: &Writing<'_>) -> Rejection {
    if writing.official {
        Rejection::new("locked", "the class is official; an admin can reopen it")
    } else if !writing.reweighs && writing.op.table.name == "weigh_ins" {
        Rejection::new("locked", "this show does not weigh animals again; an admin can change that rule")
    } else {
        Rejection::new("locked", format!("this cannot be changed in stage {} of the show", writing.stage))
    }
}
