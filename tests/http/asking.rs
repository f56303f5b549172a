//! What a clash holds up, in which order clashes are listed, and the question to the author of an entry.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, fresh, insert, send, update, v5};
use crate::seed::{Seed, seed};

async fn ask(desk: &Desk, id: &Json, text: &str) -> Answer {
    desk.post(&format!("/admin/conflicts/{}/ask", id.as_str().expect("an id")), &json!({"text": text})).await
}

/// Answers the question that the phone sees.
async fn answer(phone: &Phone, id: &Json, text: &str) -> Answer {
    let seen = own(phone).await.into_iter().find(|item| item["id"] == *id);
    let question = seen.map_or(Json::Null, |item| item["asked"]["id"].clone());
    let question = if question.is_null() { json!(fresh()) } else { question };
    answer_to(phone, id, &question, text).await
}

async fn answer_to(phone: &Phone, id: &Json, question: &Json, text: &str) -> Answer {
    let path = format!("/me/conflicts/{}/answer", id.as_str().expect("an id"));
    send(phone.request(Method::POST, &path).json(&json!({"question": question, "text": text}))).await
}

async fn own(phone: &Phone) -> Vec<Json> {
    let mine = send(phone.request(Method::GET, "/me/conflicts")).await.expect_status(200);
    mine["items"].as_array().expect("items").clone()
}

async fn listed(desk: &Desk, query: &str) -> Vec<Json> {
    let page = desk.get(&format!("/admin/conflicts?{query}")).await.expect_status(200);
    page["items"].as_array().expect("items").iter().map(|item| item["id"].clone()).collect()
}

async fn the_author_is_asked_and_answers_from_the_same_phone(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second, _, result) = clash(&desk, &seed).await;
    let id = &result["conflict_id"];
    answer(&second, id, "9012").await.expect_problem(409);
    assert_eq!(desk.conflict(id).await["asked"], Json::Null);

    let asked = ask(&desk, id, "  Which tag did you see?  ").await.expect_status(200);
    assert_eq!((&asked["asked"]["text"], &asked["asked"]["answer"]), (&json!("Which tag did you see?"), &Json::Null));
    assert_eq!((&asked["rev"], &asked["status"]), (&json!(1), &json!("open")), "nothing is decided by it");
    assert_eq!(own(&second).await[0]["asked"]["text"], "Which tag did you see?");
    assert_eq!(own(&first).await[0]["asked"], Json::Null, "it is between the desk and the author");
    assert_eq!(answer(&first, id, "9011").await.expect_problem(404)["code"], "not_found");
    assert_eq!(answer(&second, &json!(fresh()), "9011").await.expect_problem(404)["code"], "not_found");

    for text in ["9021", "9012, I read it twice"] {
        let answered = answer(&second, id, text).await.expect_status(200);
        assert_eq!(answered["asked"]["answer"]["text"], text, "a later answer takes the place of the one before");
        assert_eq!(answered["asked"]["answer"]["by"]["name"], "Barn 2");
    }
    assert_eq!(desk.conflict(id).await["asked"]["answer"]["text"], "9012, I read it twice");
    let again = ask(&desk, id, "Sure?").await.expect_status(200);
    assert_eq!(again["asked"]["answer"], Json::Null, "a new question has no answer yet");

    let audit = desk.get("/admin/audit").await.expect_status(200);
    let actions: Vec<&Json> = audit["items"].as_array().expect("items").iter().map(|item| &item["action"]).collect();
    assert_eq!(actions[..4], ["conflict_asked", "conflict_answered", "conflict_answered", "conflict_asked"]);
}

async fn an_answer_falls_on_the_question_that_was_read(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, _, result) = clash(&desk, &seed).await;
    let id = &result["conflict_id"];
    let first = ask(&desk, id, "Which tag did you see?").await.expect_status(200)["asked"]["id"].clone();
    let later = ask(&desk, id, "Is the animal yours?").await.expect_status(200)["asked"]["id"].clone();
    assert_ne!(first, later);
    let moved = answer_to(&second, id, &first, "9012").await.expect_problem(409);
    assert_eq!(
        (&moved["code"], &moved["fresh"]["asked"]["text"]),
        (&json!("question_moved"), &json!("Is the animal yours?"))
    );
    assert_eq!(desk.conflict(id).await["asked"]["answer"], Json::Null);
    let answered = answer_to(&second, id, &later, "Yes").await.expect_status(200);
    assert_eq!(answered["asked"]["answer"]["text"], "Yes");
    let path = format!("/me/conflicts/{}/answer", id.as_str().expect("an id"));
    send(second.request(Method::POST, &path).json(&json!({"text": "Yes"}))).await.expect_problem(422);
}

async fn nobody_is_asked_without_end(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let id = &result["conflict_id"];
    for number in 1..=20 {
        ask(&desk, id, &format!("Question {number}?")).await.expect_status(200);
    }
    assert_eq!(ask(&desk, id, "And now?").await.expect_problem(409)["code"], "too_many_questions");
    assert_eq!(desk.conflict(id).await["asked"]["text"], "Question 20?");
}

async fn only_an_open_entry_of_a_phone_is_asked_about(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, _, result) = clash(&desk, &seed).await;
    let id = &result["conflict_id"];
    for (text, code) in [("", "required"), (" \n ", "required"), ("a\0b", "invalid_character")] {
        assert_eq!(ask(&desk, id, text).await.expect_problem(422)["code"], code);
    }
    assert_eq!(ask(&desk, id, &"x".repeat(501)).await.expect_problem(422)["code"], "too_large");
    ask(&desk, id, &"ü".repeat(500)).await.expect_status(200);
    let with_more = json!({"text": "x", "by": fresh()});
    let path = format!("/admin/conflicts/{}/ask", id.as_str().expect("an id"));
    desk.post(&path, &with_more).await.expect_problem(422);
    ask(&desk, &json!(fresh()), "x").await.expect_problem(404);
    send(second.request(Method::POST, &path).json(&json!({"text": "x"}))).await.expect_problem(404);

    let at_desk = update("animals", &seed.hog, 1, json!({"tag": "9101"}), json!({"tag": "9002"}));
    second.apply(&[update("animals", &seed.hog, 1, json!({"tag": "9102"}), json!({"tag": "9002"}))]).await;
    let typed = desk.push_one(&at_desk).await;
    assert_eq!(ask(&desk, &typed["conflict_id"], "x").await.expect_problem(409)["code"], "wrong_state");

    let device = desk.conflict(id).await["device"]["id"].as_str().expect("an id").to_owned();
    desk.post(&format!("/admin/devices/{device}/revoke"), &json!({})).await.expect_status(200);
    assert_eq!(ask(&desk, id, "x").await.expect_problem(409)["code"], "wrong_state", "it hears nothing any more");
    let present = desk.conflict(id).await;
    desk.resolve(&present, "server_wins", None).await.expect_status(200);
    assert_eq!(ask(&desk, id, "x").await.expect_problem(409)["code"], "wrong_state");
}

/// Clashes about a note, a tag and a weight; each about another animal. The tag's class is planned, the weight's is not.
async fn three(desk: &Desk, seed: &Seed) -> [Json; 3] {
    let (first, second) = (
        desk.phone("Barn 1", &["superintendent", "checkin"]).await,
        desk.phone("Barn 2", &["superintendent", "checkin"]).await,
    );
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let planned = json!({"planned_at": "2031-08-07T09:50:00Z"});
    let third = fresh();
    let goat = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "9003"});
    desk.apply(&[
        update("classes", &seed.class, 1, planned, json!({})),
        insert("animals", &third, goat),
        insert(
            "entries",
            &v5(&seed.class, &seed.steer),
            json!({"family_id": seed.class, "animal_id": seed.steer, "exhibitor_id": seed.exhibitor}),
        ),
    ])
    .await;
    let weigh = |weight: i64| {
        insert(
            "weigh_ins",
            &fresh(),
            json!({"animal_id": third, "kind": "arrival", "weight_x10": weight, "scale": "Barn"}),
        )
    };
    scale.apply(&[weigh(900)]).await;
    scale.apply(&[weigh(1_200)]).await;
    let field = |animal: &str, field: &str, value: &str| {
        let mut data = json!({});
        data[field] = json!(value);
        update("animals", animal, 1, data, json!({}))
    };
    first.apply(&[field(&seed.steer, "tag", "9011")]).await;
    let tag = second.push_one(&field(&seed.steer, "tag", "9012")).await["conflict_id"].clone();
    first.apply(&[field(&seed.hog, "ear_notch", "1-2")]).await;
    let notch = second.push_one(&field(&seed.hog, "ear_notch", "2-1")).await["conflict_id"].clone();
    let open = desk.conflicts("open").await;
    let weight = open.iter().find(|one| one["rule"] == "C1").expect("two weights")["id"].clone();
    [weight, tag, notch]
}

async fn what_holds_up_more_and_sooner_is_listed_first(desk: Desk) {
    let seed = seed(&desk).await;
    let [weight, tag, notch] = three(&desk, &seed).await;
    let urgent = [weight.clone(), tag.clone(), notch.clone()];
    assert_eq!(listed(&desk, "status=open&order=urgent").await, urgent);
    let newest = listed(&desk, "status=open").await;
    assert_eq!(newest[0], notch);
    assert_eq!(listed(&desk, "severity=identity").await, urgent[1..]);
    assert_eq!(listed(&desk, &format!("class={}", seed.class)).await, urgent[1..2]);
    let shown = desk.conflict(&tag).await;
    assert_eq!((&shown["severity"], &shown["outage"]), (&json!("identity"), &Json::Null));
    let class = &shown["class"];
    assert_eq!(
        (&class["id"], &class["ring"], &class["name"]),
        (&json!(seed.class), &json!("Ring 1"), &json!("Open Steer"))
    );
    assert_eq!((&class["planned_at"], &class["status"]), (&json!("2031-08-07T09:50:00.000Z"), &json!("scheduled")));
    let shown = desk.conflict(&weight).await;
    assert_eq!((&shown["severity"], &shown["class"]), (&json!("placing"), &Json::Null));
    let weights = &shown["weigh_ins"];
    assert_eq!((&weights["client"]["weight_x10"], &weights["server"]["weight_x10"]), (&json!(1_200), &json!(900)));
    assert_eq!(weights["client"]["scale"], "Barn");

    let author = desk.conflict(&tag).await["author"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(listed(&desk, &format!("author={author}")).await, urgent[1..]);
    let mut read = Vec::new();
    let mut cursor = String::new();
    for _ in 0..3 {
        let page =
            desk.get(&format!("/admin/conflicts?status=open&order=urgent&limit=1{cursor}")).await.expect_status(200);
        read.extend(page["items"].as_array().expect("items").iter().map(|item| item["id"].clone()));
        cursor = page["cursor"].as_str().map_or(String::new(), |text| format!("&cursor={text}"));
    }
    assert_eq!((read, cursor.as_str()), (urgent.to_vec(), ""), "the last page has no cursor");
    for bad in
        ["order=x", "severity=x", "status=x", "limit=0", "limit=x", "cursor=x", "order=urgent&cursor=MS4x", "class=x"]
    {
        desk.get(&format!("/admin/conflicts?{bad}")).await.expect_problem(400);
    }
}

async fn the_list_tells_how_many_there_are_and_the_desk_counts_the_days_entries(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let counts = |page: Json| page["counts"].clone();
    let page = desk.get("/admin/conflicts?status=resolved").await.expect_status(200);
    let none = json!({"open": 1, "decided": 0, "merged_automatically": 0, "decided_today": 0, "merged_today": 0});
    assert_eq!(counts(page), none);
    let present = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&present, "client_wins", None).await.expect_status(200);
    let page = desk.get("/admin/conflicts?status=decided").await.expect_status(200);
    assert_eq!(page["items"][0]["id"], result["conflict_id"]);
    assert_eq!((&page["counts"]["decided"], &page["counts"]["decided_today"]), (&json!(1), &json!(1)));
    let overview = desk.get("/admin/overview").await.expect_status(200);
    assert_eq!(overview["entries_today"], 2, "what the desk wrote itself did not come in");
}

async fn a_decided_clash_still_tells_who_wrote_the_value_that_stood_against_the_phones(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let before = desk.conflict(&result["conflict_id"]).await;
    assert_eq!(before["server_author"]["name"], "Barn 1");
    for resolution in ["client_wins", "server_wins"] {
        let present = desk.conflict(&result["conflict_id"]).await;
        let decided = desk.resolve(&present, resolution, None).await.expect_status(200);
        assert_eq!(decided["server_author"], present["server_author"], "{resolution}");
        let point = |clash: &Json| {
            let points = clash["timeline"].as_array().expect("points");
            points.iter().find(|point| point["what"] == "server").cloned()
        };
        assert_eq!(point(&decided).map(|point| point["at"].clone()), point(&present).map(|point| point["at"].clone()));
        let undo = format!("/admin/conflicts/{}/undo", decided["id"].as_str().expect("an id"));
        desk.post(&undo, &json!({})).await.expect_status(200);
    }
}

async fn what_a_policy_joined_tells_the_side_it_kept(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second) = (desk.phone("Barn 1", &["checkin"]).await, desk.phone("Barn 2", &["checkin"]).await);
    let pen = |pen: &str| update("animals", &seed.steer, 1, json!({"pen": pen}), json!({"pen": "C1"}));
    first.apply(&[pen("C2")]).await;
    assert_eq!(second.push_one(&pen("C3")).await["verdict"], "merged");
    let joined = desk.conflicts("merged_automatically").await;
    assert_eq!((joined.len(), &joined[0]["kept"]), (1, &json!({"pen": "client"})), "the latest counts");
    assert_eq!((&joined[0]["client_data"]["pen"], &joined[0]["server_data"]["pen"]), (&json!("C3"), &json!("C2")));
    let author = |side: &str| joined[0][side]["name"].clone();
    assert_eq!(
        (author("author"), author("server_author")),
        (json!("Barn 2"), json!("Barn 1")),
        "each side has its own"
    );
}

async fn a_bulk_decision_may_choose_a_side_for_each_clash(desk: Desk) {
    let seed = seed(&desk).await;
    let [_, tag, notch] = three(&desk, &seed).await;
    let mut choices = json!({});
    choices[tag.as_str().expect("an id")] = json!("client_wins");
    let request = |choices: &Json| json!({"ids": [tag, notch], "resolution": "server_wins", "choices": choices});
    let mut foreign = choices.clone();
    foreign[fresh()] = json!("client_wins");
    desk.post("/admin/conflicts/resolve-bulk", &request(&foreign)).await.expect_problem(422);
    let mut typed = choices.clone();
    typed[notch.as_str().expect("an id")] = json!("manual");
    desk.post("/admin/conflicts/resolve-bulk", &request(&typed)).await.expect_problem(422);
    let done = desk.post("/admin/conflicts/resolve-bulk", &request(&choices)).await.expect_status(200);
    let values: Vec<&Json> = done["results"].as_array().expect("results").iter().map(|one| &one["values"]).collect();
    assert_eq!((&values[0]["tag"], &values[1]["ear_notch"]), (&json!("9012"), &json!("1-2")));
    assert_eq!(desk.conflict(&tag).await["bulk_id"], done["bulk_id"]);
    let undo = format!("/admin/bulk/{}/undo", done["bulk_id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    assert_eq!(desk.conflict(&tag).await["status"], "open");
}

on_both_engines![
    the_author_is_asked_and_answers_from_the_same_phone,
    an_answer_falls_on_the_question_that_was_read,
    nobody_is_asked_without_end,
    only_an_open_entry_of_a_phone_is_asked_about,
    what_holds_up_more_and_sooner_is_listed_first,
    the_list_tells_how_many_there_are_and_the_desk_counts_the_days_entries,
    a_decided_clash_still_tells_who_wrote_the_value_that_stood_against_the_phones,
    what_a_policy_joined_tells_the_side_it_kept,
    a_bulk_decision_may_choose_a_side_for_each_clash,
];
