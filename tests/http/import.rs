//! An entries file from preview to undo, over HTTP and by the command line.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, fresh, insert, send, update};

on_both_engines!(
    the_demo_file_comes_in_as_expected,
    nothing_is_written_before_confirm_and_twice_is_once,
    clicks_at_the_same_time_are_one_deed,
    the_same_file_again_changes_nothing,
    a_preview_that_was_overtaken_is_refused,
    an_import_is_taken_back_as_one_step,
    an_undo_of_rows_that_were_changed_is_refused,
    files_that_mean_no_good_import_nothing,
    the_demo_show_has_its_counts_and_takes_the_file,
);

const FILE: &str = include_str!("../vectors/demo-entries.csv");
const TABLES: [&str; 5] = ["exhibitors", "animals", "entries", "weigh_ins", "classes"];

async fn preview_as(desk: &Desk, file: impl Into<reqwest::Body>, content_type: &str) -> Answer {
    let request = desk.request(Method::POST, "/admin/import/entries").header("content-type", content_type);
    send(request.body(file)).await
}

async fn preview(desk: &Desk, file: impl Into<reqwest::Body>) -> Json {
    preview_as(desk, file, "text/csv").await.expect_status(200)
}

async fn answer(desk: &Desk, preview: &Json, verb: &str) -> Answer {
    let path = format!("/admin/import/{}/{verb}", preview["import_id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await
}

async fn counts(desk: &Desk) -> BTreeMap<&'static str, usize> {
    let rows = desk.pull_all().await;
    let live = |table: &str| rows.iter().filter(|((of, _), change)| of == table && change["op"] == "upsert").count();
    TABLES.into_iter().map(|table| (table, live(table))).collect()
}

async fn market_steer(desk: &Desk) {
    let class = json!({"name": "Market Steer", "department": "cattle", "kind": "market", "min_x10": 11_500});
    desk.apply(&[insert("classes", &fresh(), class)]).await;
}

fn lines(preview: &Json, code: &str) -> Vec<i64> {
    let errors = preview["errors"].as_array().expect("errors");
    errors.iter().filter(|error| error["code"] == code).map(|error| error["row"].as_i64().expect("a line")).collect()
}

async fn the_demo_file_comes_in_as_expected(desk: Desk) {
    market_steer(&desk).await;
    let shown = preview(&desk, FILE).await;
    assert_eq!((&shown["new"], &shown["changed"], &shown["same"]), (&json!(11), &json!(0), &json!(0)));
    assert_eq!(shown["rows"].as_array().map(Vec::len), Some(12));
    let errors = shown["errors"].as_array().expect("errors");
    let faults: Vec<&Json> = errors.iter().filter(|error| error["severity"] == "error").collect();
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (&faults[0]["row"], &faults[0]["code"], &faults[0]["column"]),
        (&json!(13), &json!("duplicate_tag"), &json!("tag"))
    );
    assert_eq!(lines(&shown, "below_minimum"), [11]);
    assert_eq!(lines(&shown, "missing_official_id"), [7, 8, 9, 12]);
    assert!(!lines(&shown, "missing_start_weight").is_empty());
    answer(&desk, &shown, "confirm").await.expect_status(200);
    let expected = [("exhibitors", 10), ("animals", 11), ("entries", 11), ("weigh_ins", 9)];
    let counts = counts(&desk).await;
    for (table, count) in expected {
        assert_eq!(counts[table], count, "{table}");
    }
    let rows = desk.pull_all().await;
    let steer = rows.values().find(|change| change["data"]["tag"] == "0412").expect("the first steer");
    assert_eq!(
        (&steer["data"]["official_weight_x10"], &steer["data"]["init_weight_x10"]),
        (&json!(12_620), &json!(7_420))
    );
}

async fn nothing_is_written_before_confirm_and_twice_is_once(desk: Desk) {
    let before = desk.pull("").await.expect_status(200)["clock"].clone();
    let shown = preview(&desk, FILE).await;
    assert_eq!(desk.pull("").await.expect_status(200)["clock"], before);
    let first = answer(&desk, &shown, "confirm").await.expect_status(200);
    let second = answer(&desk, &shown, "confirm").await.expect_status(200);
    assert_eq!(first, second);
    assert_eq!((&first["written"]["animals"], &first["written"]["weigh_ins"]), (&json!(11), &json!(9)));
    assert_eq!(counts(&desk).await["animals"], 11);
    answer(&desk, &json!({"import_id": fresh()}), "confirm").await.expect_problem(404);
}

async fn clicks_at_the_same_time_are_one_deed(desk: Desk) {
    let shown = preview(&desk, FILE).await;
    for (verb, deed) in [("confirm", "import_confirmed"), ("undo", "import_undone")] {
        let clicks = futures_util::future::join_all((0..4).map(|_| answer(&desk, &shown, verb))).await;
        let answers: Vec<Json> = clicks.into_iter().map(|click| click.expect_status(200)).collect();
        assert!(answers.iter().all(|answer| answer["written"] == answers[0]["written"]), "{answers:?}");
        let page = desk.get("/admin/audit?limit=200").await.expect_status(200);
        let deeds = page["items"].as_array().expect("items").iter().filter(|item| item["action"] == deed).count();
        assert_eq!(deeds, 1, "{page}");
    }
    let again = answer(&desk, &shown, "undo").await.expect_status(200);
    assert_eq!(again["clock"], desk.pull("").await.expect_status(200)["clock"], "it is in the feed by then");
}

async fn the_same_file_again_changes_nothing(desk: Desk) {
    let shown = preview(&desk, FILE).await;
    answer(&desk, &shown, "confirm").await.expect_status(200);
    let clock = desk.pull("").await.expect_status(200)["clock"].clone();
    let again = preview(&desk, FILE).await;
    assert_eq!((&again["new"], &again["changed"], &again["same"]), (&json!(0), &json!(0), &json!(11)));
    answer(&desk, &again, "confirm").await.expect_status(200);
    assert_eq!(desk.pull("").await.expect_status(200)["clock"], clock);
    let changed = preview(&desk, FILE.replace(",1262,", ",1265.5,")).await;
    assert_eq!((&changed["changed"], &changed["same"]), (&json!(1), &json!(10)));
    answer(&desk, &changed, "confirm").await.expect_status(200);
    let rows = desk.pull_all().await;
    let steer = rows.values().find(|change| change["data"]["tag"] == "0412").expect("the first steer");
    assert_eq!(steer["data"]["official_weight_x10"], 12_655);
    assert_eq!(counts(&desk).await["weigh_ins"], 10, "the old weight stays");
    assert!(desk.conflicts("open").await.is_empty());
}

async fn a_preview_that_was_overtaken_is_refused(desk: Desk) {
    let shown = preview(&desk, FILE).await;
    let taken = json!({"back_number": 101, "first_name": "Other", "last_name": "Person"});
    desk.apply(&[insert("exhibitors", &fresh(), taken)]).await;
    let problem = answer(&desk, &shown, "confirm").await.expect_problem(409);
    assert_eq!(problem["code"], "preview_overtaken");
    assert_eq!(counts(&desk).await["animals"], 0);
    let elsewhere = preview(&desk, FILE).await;
    desk.apply(&[insert("rings", &fresh(), json!({"name": "Ring 1"}))]).await;
    answer(&desk, &elsewhere, "confirm").await.expect_status(200);
}

async fn an_import_is_taken_back_as_one_step(desk: Desk) {
    market_steer(&desk).await;
    let shown = preview(&desk, FILE).await;
    answer(&desk, &shown, "confirm").await.expect_status(200);
    let changed =
        preview(&desk, FILE.replace("Ben,Osei,Cedar Creek", "Ben,Osei,River Bend").replace(",1262,", ",1265,")).await;
    answer(&desk, &changed, "confirm").await.expect_status(200);
    answer(&desk, &changed, "undo").await.expect_status(200);
    let rows = desk.pull_all().await;
    let find = |key: &str, value: Json| rows.values().find(|change| change["data"][key] == value).expect("it is there");
    assert_eq!(find("back_number", json!(102))["data"]["club_chapter"], "Cedar Creek");
    assert_eq!(find("tag", json!("0412"))["data"]["official_weight_x10"], 12_620);
    answer(&desk, &shown, "undo").await.expect_status(200);
    let counts = counts(&desk).await;
    assert_eq!((counts["exhibitors"], counts["animals"], counts["entries"], counts["weigh_ins"]), (0, 0, 0, 0));
    assert_eq!(counts["classes"], 1, "the class that was there stays");
    let again = preview(&desk, FILE).await;
    assert_eq!(again["new"], 11);
    answer(&desk, &again, "confirm").await.expect_status(200);
}

async fn an_undo_of_rows_that_were_changed_is_refused(desk: Desk) {
    let shown = preview(&desk, FILE).await;
    answer(&desk, &shown, "confirm").await.expect_status(200);
    let rows = desk.pull_all().await;
    let ((_, id), change) = rows.iter().find(|(_, change)| change["data"]["tag"] == "1188").expect("a barrow");
    let version = change["version"].as_i64().expect("a version");
    desk.apply(&[update("animals", id, version, json!({"pen": "S1"}), json!({"pen": null}))]).await;
    answer(&desk, &shown, "undo").await.expect_problem(409);
    assert_eq!(counts(&desk).await["animals"], 11, "nothing is taken back");
    let unconfirmed = preview(&desk, FILE).await;
    answer(&desk, &unconfirmed, "undo").await.expect_problem(409);
}

async fn files_that_mean_no_good_import_nothing(desk: Desk) {
    let header = FILE.lines().next().expect("a header");
    let files: [Vec<u8>; 7] = [
        Vec::new(),
        b"PK\x03\x04\x14\x00\x06\x00".to_vec(),
        header.as_bytes().to_vec(),
        b"\0\x01\x02\x03".to_vec(),
        b"a,b,c\n1,2,3\n".to_vec(),
        format!("{header}\n\"101,Ada").into_bytes(),
        b"\xff\xfe\x00\xd8".to_vec(),
    ];
    for file in files {
        let problem = preview_as(&desk, file, "text/csv").await.expect_problem(422);
        assert_eq!(problem["code"], "unsupported_file");
    }
    preview_as(&desk, FILE, "application/json").await.expect_problem(415);
    let rows = format!(
        "{header}\n201,Ann,Oak,,4h,swine,gilt,,71,,,,\"12,5\",Hogs\n201,Ann,Oak,,4h,swine,gilt,,72,,,,½,Hogs\n201,Ann,Oak,,4h,swine,gilt,,73,,,2027-02-29,250,Hogs\n201,Ann\n"
    );
    let shown = preview(&desk, rows).await;
    assert_eq!(shown["new"], 0);
    assert_eq!(lines(&shown, "invalid_number"), [2, 3]);
    assert_eq!(lines(&shown, "invalid_time"), [4]);
    assert_eq!(lines(&shown, "ragged_row"), [5]);
    answer(&desk, &shown, "confirm").await.expect_status(200);
    assert_eq!(counts(&desk).await["exhibitors"], 0);
}

async fn the_demo_show_has_its_counts_and_takes_the_file(mut desk: Desk) {
    desk.program.kill().await;
    let fill = desk.program.command("demo").args(["--size", "county"]).output().await.expect("it runs");
    assert!(fill.status.success(), "{}", String::from_utf8_lossy(&fill.stderr));
    let again = desk.program.command("demo").args(["--size", "county"]).output().await.expect("it runs");
    assert!(!again.status.success(), "a show that has rows is not filled");
    desk.start_again().await;
    let counts = counts(&desk).await;
    assert_eq!((counts["exhibitors"], counts["animals"], counts["entries"], counts["classes"]), (240, 520, 640, 70));
    let (_, show) = crate::seed::show_of(&desk).await;
    assert_eq!((&show["data"]["stage"], &show["data"]["weight_unit"]), (&json!("B"), &json!("lb")));
    let rows = desk.pull_all().await;
    let weighed = rows.values().filter(|change| change["data"]["official_weight_x10"].is_i64()).count();
    assert!((200..=320).contains(&weighed), "about half the animals are weighed: {weighed}");
    let shown = preview(&desk, FILE).await;
    assert_eq!((&shown["new"], lines(&shown, "below_minimum")), (&json!(11), vec![11]));
    desk.program.kill().await;
    let path = desk.program.folder().join("entries.csv");
    std::fs::write(&path, FILE).expect("the file is written");
    let confirmed = desk.program.command("import").arg(&path).arg("--confirm").output().await.expect("it runs");
    assert!(confirmed.status.success(), "{}", String::from_utf8_lossy(&confirmed.stderr));
    desk.start_again().await;
    assert_eq!(self::counts(&desk).await["animals"], 531);
}
