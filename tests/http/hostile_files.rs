//! Hostile entries files (SECURITY.md §8, "CSV"): what is no such file is refused, what is wrong in one is reported by
//! line, and nothing is imported before somebody confirms it.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::hostile::{Row, state, tables_on_both_engines};
use crate::on_both_engines;
use crate::phone::{fresh, send};
use crate::wire::{Door, Request};

tables_on_both_engines!(a_file_that_is_no_entries_file_is_refused, an_import_that_cannot_be_meant_imports_nothing);

on_both_engines!(a_cell_that_means_no_good_is_reported_or_kept_as_text, a_file_is_confirmed_once_by_many);

const HEADER: &str = "back_number,first_name,last_name,species,sex,tag,official_id,init_date,weight,class";
const MIB: usize = 1024 * 1024;

fn upload(desk: &Desk, query: &str, content_type: &str, file: impl Into<Vec<u8>>) -> Request {
    let path = format!("/api/v1/admin/import/entries{query}");
    Request::new(Door::Admin, "POST", &path).bearer(desk.token()).carrying(content_type, file)
}

async fn a_file_that_is_no_entries_file_is_refused(desk: &Desk) -> Vec<Row> {
    let wide = |columns: usize| (0..columns).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let long_cell = format!("{HEADER}\n\"{}\"", "x".repeat(21 * MIB));
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("blanks", b" \n \n".to_vec()),
        ("a workbook renamed", b"PK\x03\x04\x14\x00\x06\x00\x08\x00".to_vec()),
        ("an old workbook renamed", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec()),
        ("a header and no rows", format!("{HEADER}\n").into_bytes()),
        ("NULs", b"\0\x01\x02\x03".to_vec()),
        ("UTF-16 that breaks off", b"\xff\xfe\x00\xd8".to_vec()),
        ("other columns", b"a,b,c\n1,2,3\n".to_vec()),
        ("an open quotation mark", format!("{HEADER}\n\"101,Ada").into_bytes()),
        ("201 columns", format!("{}\n{}\n", wide(201), wide(201)).into_bytes()),
        ("50,001 rows", format!("{HEADER}\n{}", "1,A,B,swine,gilt,7,,,,Hogs\n".repeat(50_001)).into_bytes()),
        ("a page of HTML", b"<!doctype html><table><tr><td>tag</td></tr></table>".to_vec()),
        ("JSON", b"{\"back_number\": 1}".to_vec()),
    ];
    let of_file =
        |(name, file): (&str, Vec<u8>)| Row::refused(name, upload(desk, "", "text/csv", file), 422, "unsupported_file");
    let mut rows: Vec<Row> = files.into_iter().map(of_file).collect();
    rows.push(Row::refused("a cell of 21 MB", upload(desk, "", "text/csv", long_cell), 413, "body_too_large"));
    let promised = Request::new(Door::Admin, "POST", "/api/v1/admin/import/entries").bearer(desk.token());
    let promised = promised.with("content-type", "text/csv").with("content-length", "52428800");
    rows.push(Row::refused("50 MB that never come", promised, 413, "body_too_large"));
    for kind in [
        "application/json",
        "text/plain",
        "application/vnd.ms-excel",
        "multipart/form-data; boundary=x",
        "text/csv; charset=utf-16",
        "",
    ] {
        let request = upload(desk, "", kind, format!("{HEADER}\n"));
        rows.push(Row::refused(format!("as {kind:?}"), request, 415, "unsupported_media_type"));
    }
    let packed = upload(desk, "", "text/csv", HEADER).with("content-encoding", "gzip");
    rows.push(Row::refused("packed", packed, 415, "unsupported_media_type"));
    rows
}

async fn an_import_that_cannot_be_meant_imports_nothing(desk: &Desk) -> Vec<Row> {
    let file = format!("{HEADER}\n201,Ann,Oak,swine,gilt,71,,,250,Hogs\n202,Bo,Elm,swine,gilt,72,,,251,Hogs\n");
    let shown = send(desk.request(Method::POST, "/admin/import/entries").header("content-type", "text/csv").body(file));
    let shown = shown.await.expect_status(200);
    let id = shown["import_id"].as_str().expect("an id").to_owned();
    let ask = |method: &str, path: &str| {
        Request::new(Door::Admin, method, &format!("/api/v1/admin{path}")).bearer(desk.token())
    };
    let plan = |body: Json| ask("PUT", &format!("/import/{id}/plan")).json(body.to_string());
    let mut rows = vec![
        Row::refused(
            "taken back before it was written",
            ask("POST", &format!("/import/{id}/undo")),
            409,
            "import_not_confirmed",
        ),
        Row::refused(
            "confirmed with a wish",
            ask("POST", &format!("/import/{id}/confirm")).json("{\"force\":true}"),
            422,
            "invalid_body",
        ),
        Row::refused("confirmed by GET", ask("GET", &format!("/import/{id}/confirm")), 405, "method_not_allowed"),
        Row::refused("a plan with a role", plan(json!({"role": "owner"})), 422, "invalid_body"),
        Row::refused("a plan whose columns are an object", plan(json!({"columns": {}})), 422, "invalid_body"),
    ];
    for id in [fresh(), "00000000-0000-0000-0000-000000000000".to_owned(), "x".to_owned(), "%00".to_owned()] {
        for (method, verb) in [("POST", "/confirm"), ("POST", "/undo"), ("GET", "")] {
            let name = format!("{method} {verb} of {}", if id.len() == 36 { "nobody's file" } else { &id });
            rows.push(Row::refused(name, ask(method, &format!("/import/{id}{verb}")), 404, "not_found"));
        }
    }
    for columns in [json!(["role"]), json!(["tag", "tag"]), json!(vec!["tag"; 300]), json!(["tag\u{0}"]), json!([5])] {
        let shown: String = columns.to_string().chars().take(40).collect();
        rows.push(Row::unharmed(format!("a plan with the columns {shown}"), plan(json!({"columns": columns}))));
    }
    rows
}

fn file(rows: &str) -> String {
    format!("{HEADER}\n{rows}\n")
}

async fn preview(desk: &Desk, query: &str, file: String) -> Json {
    let path = format!("/admin/import/entries{query}");
    send(desk.request(Method::POST, &path).header("content-type", "text/csv").body(file)).await.expect_status(200)
}

/// Each cell in a row of its own: the code that is reported about it; none where it is a text like another.
async fn a_cell_that_means_no_good_is_reported_or_kept_as_text(desk: Desk) {
    let before = state(&desk).await;
    for (row, code) in [
        ("201,Ann,Oak,swine,gilt,71,,,\"12,5\",Hogs", "invalid_number"),
        ("201,Ann,Oak,swine,gilt,71,,,½,Hogs", "invalid_number"),
        ("201,Ann,Oak,swine,gilt,71,,,1e3,Hogs", "invalid_number"),
        ("201,Ann,Oak,swine,gilt,71,,,-5,Hogs", "invalid_number"),
        ("201,Ann,Oak,swine,gilt,71,,,99999999999999999999,Hogs", "invalid_number"),
        ("201,Ann,Oak,swine,gilt,71,,2027-02-29,250,Hogs", "invalid_time"),
        ("=1+1,Ann,Oak,swine,gilt,71,,,250,Hogs", "invalid_number"),
        ("201,A\u{0}nn,Oak,swine,gilt,71,,,250,Hogs", "invalid_character"),
        ("201,Ann", "ragged_row"),
        ("201,Ann,Oak,swine,gilt,71,,,250,Hogs,more", "ragged_row"),
        ("201,Ann,Oak,unicorn,gilt,71,,,250,Hogs", "out_of_range"),
    ] {
        let shown = preview(&desk, "", file(row)).await;
        let errors = shown["errors"].as_array().expect("errors");
        assert!(errors.iter().any(|error| error["code"] == code && error["row"] == 2), "{row} gave {errors:?}");
        assert_eq!(shown["new"], 0, "{row}");
    }
    let odd = "201,=HYPERLINK(\"\"http://x\"\"),'); DROP TABLE exhibitors;--,swine,gilt,@71,,,250,<b>Hogs</b>";
    let odd = odd.replacen("=HYPERLINK(\"\"http://x\"\")", "\"=HYPERLINK(\"\"http://x\"\")\"", 1);
    let shown = preview(&desk, "?name=..%2f..%2f%00admin.token", file(&odd)).await;
    assert_eq!(shown["new"], 1, "{shown}");
    let name = shown["name"].as_str().unwrap_or_default();
    assert!(!name.contains(['/', '\\', '\u{0}']), "a file's name is no path: {name:?}");
    let after = state(&desk).await;
    assert_eq!((&after["clock"], &after["animals"]), (&before["clock"], &before["animals"]), "nothing is written yet");
    let confirm = format!("/admin/import/{}/confirm", shown["import_id"].as_str().expect("an id"));
    desk.post(&confirm, &json!({})).await.expect_status(200);
    let rows = desk.pull_all().await;
    let exhibitor = rows.values().find(|change| change["data"]["back_number"] == 201).expect("the exhibitor");
    assert_eq!(exhibitor["data"]["first_name"], "=HYPERLINK(\"http://x\")");
    assert_eq!(exhibitor["data"]["last_name"], "'); DROP TABLE exhibitors;--");
}

async fn a_file_is_confirmed_once_by_many(desk: Desk) {
    let shown = preview(&desk, "", file("201,Ann,Oak,swine,gilt,71,,,250,Hogs")).await;
    let path = format!("/admin/import/{}/confirm", shown["import_id"].as_str().expect("an id"));
    let nothing = json!({});
    let all = futures_util::future::join_all((0..20).map(|_| desk.post(&path, &nothing))).await;
    let answers: Vec<Json> = all.into_iter().map(|answer| answer.expect_status(200)).collect();
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    let rows = desk.pull_all().await;
    let animals = rows.keys().filter(|(table, _)| table == "animals").count();
    assert_eq!(animals, 1);
}
