//! Profiles, members, devices, tokens.

use showdesk_domain::actor::{DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, Seq};
use showdesk_domain::permission::Permission;
use showdesk_store::db::Seat;
use showdesk_store::people::{self, DeviceRow, MemberRow, NewToken, ProfileRow, Sighting};
use showdesk_store::{StoreError, Tx};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, device, fill, sighting};

/// A scale crew's phone; the transaction stays open.
async fn add_phone(tx: &mut Tx, show: Show, name: &str) -> DeviceRow {
    let person = PersonId(Uuid::now_v7());
    let profile = ProfileRow { id: person, name: name.to_owned(), created_at: at(1) };
    people::add_profile(tx, &profile).await.unwrap();
    let member = MemberRow {
        team_id: show.team,
        person,
        role: Role::Editor,
        functions: vec![Function::Scale, Function::Gate],
        scope: Scope { departments: vec!["swine".to_owned()], ..Scope::default() },
        permissions: Permissions { granted: vec![Permission::FixTags], withheld: vec![Permission::Calls] },
        created_at: at(1),
    };
    people::add_member(tx, &member).await.unwrap();
    assert_eq!(people::member(tx, person).await.unwrap(), Some(member));
    let row = device(DeviceId(Uuid::now_v7()), person, DeviceKind::Phone, name);
    people::add_device(tx, &row).await.unwrap();
    row
}

fn token(sha256: u8, device_id: DeviceId) -> NewToken {
    NewToken { sha256: [sha256; 32], device_id, created_at: at(2), expires_at: Some(at(3_600)), claim_id: None }
}

async fn people_have_names_and_rights(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let phone = add_phone(&mut tx, show, "Ben").await;
    people::rename_profile(&mut tx, phone.person, "Ben Hill").await.unwrap();
    assert_eq!(people::profile(&mut tx, phone.person).await.unwrap().unwrap().name, "Ben Hill");
    assert_eq!(people::profile(&mut tx, PersonId(Uuid::now_v7())).await.unwrap(), None);
    assert_eq!(people::profiles(&mut tx, &[phone.person, show.person]).await.unwrap().len(), 2);
    assert_eq!(people::team(&mut tx).await.unwrap().unwrap().id, show.team);
    let mut member = people::member(&mut tx, phone.person).await.unwrap().unwrap();
    member.role = Role::Viewer;
    member.functions = vec![Function::Viewer];
    member.scope.exhibitor_ids = vec![Uuid::now_v7()];
    people::add_member(&mut tx, &member).await.unwrap();
    assert_eq!(people::member(&mut tx, phone.person).await.unwrap(), Some(member));
    assert_eq!(people::member(&mut tx, PersonId(Uuid::now_v7())).await.unwrap(), None);
    tx.commit().await.unwrap();
}

async fn devices_are_listed_with_their_people(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let mut phone = add_phone(&mut tx, show, "ben").await;
    let (first, later) = (sighting(phone.id, 9), sighting(phone.id, 10));
    people::note_seen(&mut tx, &[Sighting { unsent: Some(7), ..first }, sighting(show.device, 9)]).await.unwrap();
    let later = Sighting { skew_ms: Some(-1_200), pulled_seq: Some(Seq(88)), ..later };
    people::note_seen(&mut tx, &[later]).await.unwrap();
    let sight = Sighting { level: Some("field_ready"), ..later };
    people::note_seen(&mut tx, &[sight]).await.unwrap();
    people::note_seen(&mut tx, &[later]).await.unwrap();
    let renamed =
        DeviceRow { name: "Ben's phone".to_owned(), platform: None, expires_at: Some(at(90)), ..phone.clone() };
    people::update_device(&mut tx, &renamed).await.unwrap();
    people::ask_file(&mut tx, phone.id, at(20)).await.unwrap();
    phone = DeviceRow {
        expires_at: Some(at(90)),
        level: Some("field_ready".to_owned()),
        file_asked_at: Some(at(20)),
        name: "Ben's phone".to_owned(),
        platform: None,
        last_seen: Some(at(10)),
        unsent: 7,
        skew_ms: -1_200,
        pulled_seq: Seq(88),
        oldest_unsent_at: Some(at(9)),
        ..phone
    };
    let wanted = [(phone.person, phone.id), (show.person, phone.id), (PersonId(Uuid::now_v7()), phone.id)];
    let mut authors = people::authors(&mut tx, &wanted).await.unwrap();
    authors.sort_by_key(|author| author.person != phone.person);
    assert_eq!(authors.len(), 2, "nobody knows the third");
    assert_eq!((authors[0].device, authors[0].kind, authors[0].removed), (phone.id, DeviceKind::Phone, false));
    assert_eq!(
        (authors[0].role, authors[0].functions.as_slice()),
        (Role::Editor, &[Function::Scale, Function::Gate][..])
    );
    assert_eq!(people::device(&mut tx, phone.id).await.unwrap(), Some(phone.clone()));
    assert_eq!(people::device(&mut tx, DeviceId(Uuid::now_v7())).await.unwrap(), None);
    assert_eq!(people::devices_by_id(&mut tx, &[phone.id, show.device]).await.unwrap().len(), 2);
    let listed = people::devices(&mut tx).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.device.name.as_str()).collect::<Vec<_>>(), ["Ben's phone", "Desk"]);
    assert_eq!(listed[0].device, phone);
    assert_eq!((listed[0].person_name.as_str(), listed[0].role), ("ben", Role::Editor));
    assert_eq!(listed[0].permissions.granted, [Permission::FixTags]);
    assert_eq!(listed[1].functions, [Function::Admin]);
    assert_eq!(people::listed(&mut tx, phone.id).await.unwrap().as_ref(), Some(&listed[0]));
    assert_eq!(people::listed(&mut tx, DeviceId(Uuid::now_v7())).await.unwrap(), None);
    people::note_copy_taken(&mut tx, phone.id, at(21)).await.unwrap();
    let taken = people::device(&mut tx, phone.id).await.unwrap().unwrap();
    assert_eq!((taken.file_asked_at, taken.reviewed_at), (None, None), "nothing of it was left behind");
    assert!(people::revoke(&mut tx, phone.id, at(11)).await.unwrap());
    assert!(!people::revoke(&mut tx, phone.id, at(12)).await.unwrap(), "it was removed before");
    people::note_copy_taken(&mut tx, phone.id, at(30)).await.unwrap();
    let removed = people::device(&mut tx, phone.id).await.unwrap().unwrap();
    assert_eq!((removed.revoked_at, removed.reviewed_at), (Some(at(11)), Some(at(30))));
    tx.commit().await.unwrap();
}

async fn a_device_that_went_to_another_person_has_that_ones_rights(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (first, second) = (add_phone(&mut tx, show, "Ben").await, add_phone(&mut tx, show, "Ben").await);
    people::give_device(&mut tx, second.id, first.person).await.unwrap();
    let mut own = people::devices_of_person(&mut tx, first.person).await.unwrap();
    own.sort();
    let mut expected = vec![first.id, second.id];
    expected.sort();
    assert_eq!(own, expected);
    assert!(people::devices_of_person(&mut tx, second.person).await.unwrap().is_empty());
    assert_eq!(people::former_people(&mut tx, second.id).await.unwrap(), [second.person]);
    assert_eq!(people::former_people(&mut tx, first.id).await.unwrap(), []);
    let member = people::member(&mut tx, first.person).await.unwrap().unwrap();
    people::add_member(&mut tx, &MemberRow { functions: vec![Function::Clerk], ..member }).await.unwrap();
    let wanted = [(second.person, second.id), (first.person, second.id), (show.person, show.device)];
    let authors = people::authors(&mut tx, &wanted).await.unwrap();
    let functions = |person| authors.iter().find(|row| row.person == person).map(|row| row.functions.clone());
    assert_eq!(functions(second.person), Some(vec![Function::Clerk]), "what it entered as another person, too");
    assert_eq!(functions(first.person), Some(vec![Function::Clerk]));
    assert_eq!(functions(show.person), Some(vec![Function::Admin]), "at a desk each has the own rights");
    people::give_device(&mut tx, second.id, second.person).await.unwrap();
    assert_eq!(people::former_people(&mut tx, second.id).await.unwrap(), [first.person]);
    people::hold_members(&mut tx).await.unwrap();
    assert_eq!(people::waiting_ops(&mut tx, second.id).await.unwrap(), []);
}

async fn the_oldest_waiting_entry_is_told_once_and_forgotten_when_none_waits(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let phone = add_phone(&mut tx, show, "Ben").await.id;
    for (seen, since) in [
        (Sighting { unsent: Some(3), ..sighting(phone, 10) }, Some(at(10))),
        (sighting(phone, 20), Some(at(10))),
        (Sighting { unsent: Some(4), ..sighting(phone, 30) }, Some(at(10))),
        (Sighting { oldest_unsent_at: Some(at(7)), ..sighting(phone, 40) }, Some(at(7))),
        (Sighting { unsent: Some(0), ..sighting(phone, 50) }, None),
        (Sighting { oldest_unsent_at: Some(at(7)), ..sighting(phone, 60) }, None),
    ] {
        people::note_seen(&mut tx, &[seen]).await.unwrap();
        let device = people::device(&mut tx, phone).await.unwrap().unwrap();
        assert_eq!((device.last_seen, device.oldest_unsent_at), (Some(seen.at), since), "{seen:?}");
    }
}

async fn a_token_tells_who_shows_it(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let phone = add_phone(&mut tx, show, "Ben").await;
    people::add_token(&mut tx, &token(1, phone.id)).await.unwrap();
    let found = people::token(&mut tx, &[1; 32]).await.unwrap().unwrap();
    assert_eq!((found.device_id, found.person), (phone.id, phone.person));
    assert_eq!((found.name.as_str(), found.person_name.as_str()), ("Ben", "Ben"));
    assert_eq!((found.role, found.kind), (Role::Editor, DeviceKind::Phone));
    assert_eq!(found.functions, [Function::Scale, Function::Gate]);
    assert_eq!(found.scope.departments, ["swine"]);
    assert_eq!((found.created_at, found.expires_at, found.first_used_at), (at(2), Some(at(3_600)), None));
    assert_eq!((found.revoked_at, found.last_seen, found.device_expires_at), (None, None, None));
    assert_eq!(found.permissions.withheld, [Permission::Calls]);
    people::update_device(&mut tx, &DeviceRow { expires_at: Some(at(99)), ..phone.clone() }).await.unwrap();
    assert_eq!(people::token(&mut tx, &[1; 32]).await.unwrap().unwrap().device_expires_at, Some(at(99)));
    assert!(people::mark_token_used(&mut tx, &[1; 32], at(5)).await.unwrap());
    let claim = Uuid::now_v7();
    people::add_token(&mut tx, &NewToken { claim_id: Some(claim), ..token(7, phone.id) }).await.unwrap();
    assert!(!people::used_token_of(&mut tx, phone.id, claim).await.unwrap());
    assert!(people::mark_token_used(&mut tx, &[7; 32], at(5)).await.unwrap());
    assert!(people::used_token_of(&mut tx, phone.id, claim).await.unwrap());
    assert!(!people::used_token_of(&mut tx, phone.id, Uuid::now_v7()).await.unwrap(), "it was made for another claim");
    assert!(!people::mark_token_used(&mut tx, &[1; 32], at(6)).await.unwrap());
    assert_eq!(people::token(&mut tx, &[1; 32]).await.unwrap().unwrap().first_used_at, Some(at(5)));
    people::revoke(&mut tx, phone.id, at(7)).await.unwrap();
    assert_eq!(people::token(&mut tx, &[1; 32]).await.unwrap().unwrap().revoked_at, Some(at(7)));
    assert_eq!(people::token(&mut tx, &[2; 32]).await.unwrap(), None);
    let again = people::add_token(&mut tx, &token(1, phone.id)).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })));
}

async fn a_new_token_kills_the_others(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let phone = add_phone(&mut tx, show, "Ben").await;
    for sha256 in [1, 2, 3] {
        people::add_token(&mut tx, &token(sha256, phone.id)).await.unwrap();
    }
    people::mark_token_used(&mut tx, &[1; 32], at(5)).await.unwrap();
    people::kill_unused_tokens(&mut tx, phone.id, at(6)).await.unwrap();
    assert!(people::token(&mut tx, &[1; 32]).await.unwrap().is_some(), "it is in use");
    assert!(people::token(&mut tx, &[2; 32]).await.unwrap().is_none());
    people::add_token(&mut tx, &token(4, phone.id)).await.unwrap();
    people::kill_other_tokens(&mut tx, phone.id, &[4; 32], at(7)).await.unwrap();
    assert!(people::token(&mut tx, &[1; 32]).await.unwrap().is_none());
    assert!(people::token(&mut tx, &[4; 32]).await.unwrap().is_some());
    for sha256 in [8, 9] {
        let desk = NewToken { expires_at: None, ..token(sha256, show.device) };
        people::replace_desk_token(&mut tx, &desk).await.unwrap();
    }
    assert!(people::token(&mut tx, &[8; 32]).await.unwrap().is_none());
    let desk = people::token(&mut tx, &[9; 32]).await.unwrap().unwrap();
    assert_eq!((desk.kind, desk.expires_at), (DeviceKind::Desk, None));
    assert!(people::token(&mut tx, &[4; 32]).await.unwrap().is_some(), "another device's token stays");
    tx.commit().await.unwrap();
}

on_both_engines![TestStore::open =>
    people_have_names_and_rights,
    devices_are_listed_with_their_people,
    a_device_that_went_to_another_person_has_that_ones_rights,
    the_oldest_waiting_entry_is_told_once_and_forgotten_when_none_waits,
    a_token_tells_who_shows_it,
    a_new_token_kills_the_others,
];
