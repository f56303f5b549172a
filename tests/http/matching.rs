//! An entries file put right before it is imported: columns matched, cells mended, rows left out, read page by page.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, fresh, send};

const FILE: &str = include_str!("../vectors/demo-entries.csv");
/// Our columns under names that nobody guesses.
const STRANGE: &str = "Nr,Vor,Nach,Art,Marke,Klasse,Bemerkung\n101,Ada,Reyes,swine,0412,Market Hog,\n\
                       102,Ben,Osei,swine,0412,Market Hog,same tag\n103,Cal,Novak,swine,1188,Market Hog,\n";
const NAMES: [Option<&str>; 7] = [
    Some("back_number"),
    Some("first_name"),
    Some("last_name"),
    Some("species"),
    Some("tag"),
    Some("class_code"),
    None,
];

async fn preview(desk: &Desk, query: &str, file: &'static str) -> Answer {
    let path = format!("/admin/import/entries{query}");
    send(desk.request(Method::POST, &path).header("content-type", "text/csv").body(file)).await
}

async fn choose(desk: &Desk, shown: &Json, query: &str, choices: &Json) -> Answer {
    let path = format!("/admin/import/{}/plan{query}", shown["import_id"].as_str().expect("an id"));
    send(desk.request(Method::PUT, &path).json(choices)).await
}

async fn confirm(desk: &Desk, shown: &Json) -> Answer {
    desk.post(&format!("/admin/import/{}/confirm", shown["import_id"].as_str().expect("an id")), &json!({})).await
}

async fn animals(desk: &Desk) -> i64 {
    desk.get("/admin/overview").await.expect_status(200)["animals"].as_i64().expect("a number")
}

fn states(shown: &Json) -> Vec<&str> {
    let rows = shown["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["state"].as_str().expect("a state")).collect()
}

async fn strange_columns_are_matched_by_a_person(desk: Desk) {
    assert_eq!(preview(&desk, "", STRANGE).await.expect_problem(422)["code"], "unsupported_file");
    let begun = preview(&desk, "?match=true&name=C:%5Cfair%5Centries.csv", STRANGE).await.expect_status(200);
    assert_eq!(
        (&begun["rows"], &begun["missing"]),
        (&json!([]), &json!(["back_number", "species", "class_code", "tag"]))
    );
    assert_eq!(begun["name"], "entries.csv");
    let marke = json!({"index": 4, "title": "Marke", "samples": ["0412", "0412", "1188"], "column": null});
    assert_eq!(begun["header"][4], marke);
    assert_eq!(begun["columns"][0], json!({"name": "back_number", "required": true}));
    assert_eq!(confirm(&desk, &begun).await.expect_problem(422)["code"], "columns_missing");

    let matched = choose(&desk, &begun, "", &json!({"columns": NAMES})).await.expect_status(200);
    assert_eq!((&matched["import_id"], &matched["missing"]), (&begun["import_id"], &json!([])));
    assert_eq!(states(&matched), ["new", "error", "new"]);
    assert_eq!((&matched["new"], &matched["faulty"], &matched["left_out"]), (&json!(2), &json!(1), &json!(0)));
    assert_eq!(matched["choices"]["columns"], json!(NAMES));
    confirm(&desk, &matched).await.expect_status(200);
    assert_eq!(animals(&desk).await, 2);
}

async fn cells_are_mended_and_rows_left_out_and_the_last_choice_is_written(desk: Desk) {
    let begun = preview(&desk, "", FILE).await.expect_status(200);
    let fix = |value: &str| json!([{"row": 13, "column": "tag", "value": value}]);
    let worse = json!({"fixes": fix("0412"), "leave_out": [2, 4]});
    let worse = choose(&desk, &begun, "", &worse).await.expect_status(200);
    assert_eq!((&worse["left_out"], states(&worse)[0]), (&json!(2), "left_out"));
    let mended = choose(&desk, &begun, "", &json!({"fixes": fix("1186"), "leave_out": [2]})).await.expect_status(200);
    assert_eq!((&mended["new"], &mended["faulty"], &mended["left_out"]), (&json!(11), &json!(0), &json!(1)));
    assert_eq!(mended["rows"][11]["data"]["tag"], "1186");
    let read = desk.get(&format!("/admin/import/{}", mended["import_id"].as_str().expect("an id"))).await;
    let read = read.expect_status(200);
    assert_eq!((&read["rows"], &read["choices"]), (&mended["rows"], &mended["choices"]));
    let done = confirm(&desk, &begun).await.expect_status(200);
    assert_eq!((&done["written"]["animals"], animals(&desk).await), (&json!(11), 11));
    let rows = desk.pull_all().await;
    assert!(rows.values().any(|change| change["data"]["tag"] == "1186"));
    assert!(rows.values().all(|change| change["data"]["tag"] != "0412"), "its row was left out");
    assert_eq!(choose(&desk, &begun, "", &json!({})).await.expect_problem(409)["code"], "import_confirmed");
}

async fn rows_are_read_page_by_page_and_by_what_they_do(desk: Desk) {
    let first = preview(&desk, "?limit=5", FILE).await.expect_status(200);
    assert_eq!((first["rows"].as_array().map(Vec::len), &first["total"]), (Some(5), &json!(12)));
    let told: Vec<i64> = first["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["row"].as_i64().expect("a line"))
        .collect();
    assert!(!told.is_empty() && told.iter().all(|row| *row <= 6), "only what the page shows: {told:?}");
    let path = format!("/admin/import/{}", first["import_id"].as_str().expect("an id"));
    let mut lines = Vec::new();
    for offset in [0, 5, 10] {
        let page = desk.get(&format!("{path}?limit=5&offset={offset}")).await.expect_status(200);
        lines.extend(page["rows"].as_array().expect("rows").iter().map(|row| row["row"].as_i64().expect("a line")));
    }
    assert_eq!(lines, (2..=13).collect::<Vec<_>>());
    let faulty = desk.get(&format!("{path}?state=error")).await.expect_status(200);
    assert_eq!((&faulty["total"], &faulty["rows"][0]["row"]), (&json!(1), &json!(13)));
    let check = desk.get(&format!("{path}?state=check")).await.expect_status(200);
    assert_eq!(check["total"], check["check"]);
    assert!(check["check"].as_i64() > Some(0) && !states(&check).contains(&"error"));
    for bad in ["?state=x", "?limit=0", "?offset=-1", "?more=1"] {
        desk.get(&format!("{path}{bad}")).await.expect_problem(400);
    }
    desk.get(&format!("/admin/import/{}", fresh())).await.expect_problem(404);
}

async fn choices_that_do_not_fit_the_file_are_refused(desk: Desk) {
    let begun = preview(&desk, "", FILE).await.expect_status(200);
    let width = begun["header"].as_array().expect("a header").len();
    let mut twice = vec![Json::Null; width];
    twice[..2].fill(json!("tag"));
    let long = "x".repeat(10_001);
    for (choices, code) in [
        (json!({"columns": ["tag"]}), "wrong_columns"),
        (json!({"columns": vec!["weightt"; width]}), "unknown_column"),
        (json!({"columns": twice}), "duplicate_column"),
        (json!({"fixes": [{"row": 99, "column": "tag", "value": "1"}]}), "unknown_row"),
        (json!({"fixes": [{"row": 2, "column": "horns", "value": "1"}]}), "unknown_column"),
        (json!({"fixes": [{"row": 2, "column": "tag", "value": long}]}), "too_large"),
        (json!({"leave_out": [1]}), "unknown_row"),
        (json!({"leave_out": [-1]}), "invalid_body"),
        (json!({"rows": []}), "invalid_body"),
    ] {
        assert_eq!(choose(&desk, &begun, "", &choices).await.expect_problem(422)["code"], code, "{choices}");
    }
    let many = json!({"leave_out": vec![2; 50_001]});
    choose(&desk, &begun, "", &many).await.expect_problem(413);
    choose(&desk, &json!({"import_id": fresh()}), "", &json!({})).await.expect_problem(404);
    let phone = desk.phone("Barn", &["admin"]).await;
    let path = format!("/admin/import/{}/plan", begun["import_id"].as_str().expect("an id"));
    send(phone.request(Method::PUT, &path).json(&json!({}))).await.expect_problem(404);
    let odd = choose(&desk, &begun, "", &json!({"fixes": [{"row": 2, "column": "tag", "value": "a\u{0}b"}]})).await;
    assert_eq!(states(&odd.expect_status(200))[0], "error", "a cell that cannot be stored is told as any other");
}

async fn imports_are_listed_with_what_became_of_them(desk: Desk) {
    let first = preview(&desk, "?name=first.csv", FILE).await.expect_status(200);
    confirm(&desk, &first).await.expect_status(200);
    let second = preview(&desk, "", FILE).await.expect_status(200);
    let list = desk.get("/admin/imports").await.expect_status(200);
    let items = list["items"].as_array().expect("items");
    assert_eq!((&items[0]["import_id"], &items[0]["status"]), (&second["import_id"], &json!("previewed")));
    assert_eq!(
        (&items[0]["name"], &items[0]["undoable"], &items[0]["written"]),
        (&Json::Null, &json!(false), &Json::Null)
    );
    assert_eq!((&items[1]["name"], &items[1]["status"]), (&json!("first.csv"), &json!("confirmed")));
    assert_eq!((&items[1]["written"]["animals"], &items[1]["undoable"]), (&json!(11), &json!(true)));
    assert!(items[1]["by"]["name"].is_string() && items[1]["confirmed_at"].is_string());
    let undo = format!("/admin/import/{}/undo", first["import_id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    let list = desk.get("/admin/imports").await.expect_status(200);
    assert_eq!((&list["items"][1]["status"], &list["items"][1]["undoable"]), (&json!("undone"), &json!(false)));
}

on_both_engines![
    strange_columns_are_matched_by_a_person,
    cells_are_mended_and_rows_left_out_and_the_last_choice_is_written,
    rows_are_read_page_by_page_and_by_what_they_do,
    choices_that_do_not_fit_the_file_are_refused,
    imports_are_listed_with_what_became_of_them,
];
