//! Whom a message can be for, found while somebody types.

use showdesk_domain::actor::{Actor, Function};
use showdesk_domain::notices::audience::Audience;
use showdesk_domain::notices::words::{Manner, department_name};
use showdesk_domain::permit::Action;
use showdesk_store::Tx;
use showdesk_store::notifications::find::{self, ClassHit, ExhibitorHit};

use super::reach::job;
use super::texts::manner;
use crate::api::audience::{AudienceChoice, AudienceChoices, AudienceKind};
use crate::rights::require;
use crate::{Engine, Result};

/// Classes, and exhibitors, that are offered at once.
const HITS_MAX: i64 = 8;

/// Jobs as they are offered: those that work at the rings first.
const JOBS: [Function; 9] = [
    Function::Gate,
    Function::Announcer,
    Function::Clerk,
    Function::Superintendent,
    Function::Scale,
    Function::Checkin,
    Function::Vet,
    Function::Admin,
    Function::Viewer,
];

/// A choice before its people are counted.
struct Offer {
    choice: AudienceChoice,
    audience: Audience,
}

impl Engine {
    /// What a message can be for, by any part of its name or by its number; without a text what is usual.
    pub async fn audience_choices(&self, actor: &Actor, text: &str) -> Result<AudienceChoices> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_read_as(actor).await?;
        let manner = manner(&mut tx, self.inner.show_id).await?;
        let text = text.trim();
        // “Class 15” is how people say the number.
        let number = strip_word(text, "class").unwrap_or(text);
        let classes = find::classes(&mut tx, number, HITS_MAX).await?;
        let exhibitors = find::exhibitors(&mut tx, text, HITS_MAX).await?;
        let mut offers = named(&mut tx, text).await?;
        let classes = classes.into_iter().map(|hit| class_offer(hit, &manner));
        if text.is_empty() {
            offers.extend(classes);
        } else {
            offers.splice(0..0, classes);
        }
        offers.extend(exhibitors.into_iter().map(exhibitor_offer));
        let items = self.with_counts(&mut tx, offers).await?;
        Ok(AudienceChoices { items })
    }

    /// The choices with their people.
    async fn with_counts(&self, tx: &mut Tx, offers: Vec<Offer>) -> Result<Vec<AudienceChoice>> {
        let mut all = Audience::default();
        for Offer { audience, .. } in &offers {
            all.class_ids.extend(&audience.class_ids);
            all.departments.extend(audience.departments.iter().cloned());
        }
        let reachable = self.reachable(tx, &all).await?;
        let count = |Offer { choice, audience }| {
            let people = reachable.people(&audience).len();
            AudienceChoice { people, ..choice }
        };
        Ok(offers.into_iter().map(count).collect())
    }
}

/// Everybody, jobs, rings and departments whose name has the text in it.
async fn named(tx: &mut Tx, text: &str) -> Result<Vec<Offer>> {
    let wanted = text.to_lowercase();
    let mut offers = vec![offer(AudienceKind::Everybody, "everybody".to_owned(), "Everybody", Audience::everybody())];
    offers.extend(JOBS.map(|function| {
        let audience = Audience::of_functions(&[function]);
        offer(AudienceKind::Function, function.as_str().to_owned(), job(function), audience)
    }));
    for (id, name) in find::rings(tx).await? {
        let audience = Audience { rings: vec![id], ..Audience::default() };
        offers.push(offer(AudienceKind::Ring, id.to_string(), &name, audience));
    }
    for department in find::departments(tx).await? {
        let audience = Audience { departments: vec![department.clone()], ..Audience::default() };
        let label = department_name(&department);
        offers.push(offer(AudienceKind::Department, department, &label, audience));
    }
    offers.retain(|offer| offer.choice.label.to_lowercase().contains(&wanted));
    Ok(offers)
}

fn class_offer(hit: ClassHit, manner: &Manner) -> Offer {
    let time = hit.planned_at.map(|at| manner.clock(at));
    let about: Vec<String> =
        [hit.code.as_ref().map(|_| hit.name.clone()), hit.ring, time].into_iter().flatten().collect();
    let label = hit.code.map_or(hit.name, |code| format!("Class {code}"));
    let audience = Audience { class_ids: vec![hit.id], ..Audience::default() };
    let mut offer = offer(AudienceKind::Class, hit.id.to_string(), &label, audience);
    offer.choice.note = note(&about);
    offer.choice.planned_at = hit.planned_at;
    offer
}

fn exhibitor_offer(hit: ExhibitorHit) -> Offer {
    let number = hit.back_number.map(|number| format!("Exhibitor {number}"));
    let about: Vec<String> = [number, hit.club_chapter].into_iter().flatten().collect();
    let audience = Audience { exhibitor_ids: vec![hit.id], ..Audience::default() };
    let mut offer = offer(AudienceKind::Exhibitor, hit.id.to_string(), &hit.name, audience);
    offer.choice.note = note(&about);
    offer
}

fn offer(kind: AudienceKind, id: String, label: &str, audience: Audience) -> Offer {
    let choice = AudienceChoice { kind, id, label: label.to_owned(), note: None, people: 0, planned_at: None };
    Offer { choice, audience }
}

fn note(about: &[String]) -> Option<String> {
    (!about.is_empty()).then(|| about.join(" · "))
}

/// What follows a word, if the text begins with it.
fn strip_word<'text>(text: &'text str, word: &str) -> Option<&'text str> {
    let head = text.get(..word.len())?;
    let rest = text.get(word.len()..)?;
    let is_word = rest.is_empty() || rest.starts_with(' ');
    (head.eq_ignore_ascii_case(word) && is_word).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_by_how_people_say_it() {
        for (text, number) in [
            ("class 15", Some("15")),
            ("Class  15a ", Some("15a")),
            // The word alone: those that come next.
            ("class", Some("")),
            ("classic", None),
            ("15", None),
            ("Ünï class 3", None),
            ("", None),
        ] {
            assert_eq!(strip_word(text, "class"), number, "{text}");
        }
    }
}
