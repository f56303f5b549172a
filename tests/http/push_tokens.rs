//! Addresses that phones give, and the providers that the desk sets up: looked at, kept, never told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, send};

on_both_engines!(
    an_address_belongs_to_the_phone_that_told_it_last,
    a_stand_in_on_this_machine_is_an_address_while_it_is_set,
    addresses_go_with_their_phone,
    a_page_gets_a_key_that_stays,
    keys_of_providers_come_in_and_never_out,
    what_is_wrong_with_settings_is_said_in_words,
    a_test_of_settings_says_what_to_do,
);

/// A point of the curve, and sixteen bytes: what a browser gives.
pub(crate) const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
pub(crate) const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
/// A key that is used nowhere else.
pub(crate) const RSA: &str = include_str!("../push/keys/rsa-for-tests.pem");

/// The key file of Firebase.
pub(crate) fn service_account() -> String {
    json!({
        "type": "service_account", "project_id": "county-show", "private_key_id": "k1", "private_key": RSA,
        "client_email": "desk@county-show.iam.gserviceaccount.com",
    })
    .to_string()
}

pub(crate) fn page(endpoint: &str) -> Json {
    json!({"platform": "web", "token": endpoint, "p256dh": P256DH, "auth": AUTH})
}

pub(crate) async fn register(phone: &Phone, token: &Json) -> Answer {
    send(phone.request(Method::PUT, "/me/push-tokens").json(token)).await
}

pub(crate) async fn set_up(desk: &Desk, provider: &str, settings: &Json) -> Answer {
    send(desk.request(Method::PUT, &format!("/admin/push/{provider}")).json(settings)).await
}

async fn totals(desk: &Desk, provider: &str) -> (i64, i64) {
    let view = desk.get("/admin/push").await.expect_status(200);
    let tokens = &view[provider]["tokens"];
    (tokens["active"].as_i64().expect("a count"), tokens["disabled"].as_i64().expect("a count"))
}

async fn an_address_belongs_to_the_phone_that_told_it_last(desk: Desk) {
    let (first, second) = (desk.phone("First", &["scale"]).await, desk.phone("Second", &["gate"]).await);
    let token = page("https://93.184.216.34/push/abc");
    let made = register(&first, &token).await.expect_status(201);
    let again = register(&first, &token).await.expect_status(200);
    assert_eq!(made, again);
    assert_eq!(totals(&desk, "web").await, (1, 0));
    let moved = register(&second, &token).await.expect_status(200);
    assert_eq!(moved["id"], made["id"]);
    let path = format!("/me/push-tokens/{}", made["id"].as_str().expect("an id"));
    send(first.request(Method::DELETE, &path)).await.expect_problem(404);
    assert_eq!(send(second.request(Method::DELETE, &path)).await.status, 204);
    send(second.request(Method::DELETE, &path)).await.expect_problem(404);
    assert_eq!(totals(&desk, "web").await, (0, 0));
    for number in 0..12 {
        register(&first, &page(&format!("https://93.184.216.34/push/{number}"))).await.expect_status(201);
    }
    assert_eq!(totals(&desk, "web").await, (5, 0), "one phone fills no table");
    send(desk.request(Method::PUT, "/me/push-tokens").json(&token)).await.expect_problem(403);
}

/// What is no address at all stands in `hostile_push`.
async fn a_stand_in_on_this_machine_is_an_address_while_it_is_set(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    // Only a stand-in on this machine opens it, and no neighbour.
    let here = page("http://127.0.0.1:9/s/1");
    set_up(&desk, "web", &json!({"subject": "mailto:show@example.org", "endpoint": "http://127.0.0.1:9"}))
        .await
        .expect_status(200);
    register(&phone, &here).await.expect_status(201);
    register(&phone, &page("http://192.168.1.10/s/1")).await.expect_problem(422);
    set_up(&desk, "web", &json!({"endpoint": null})).await.expect_status(200);
    register(&phone, &here).await.expect_problem(422);
}

async fn addresses_go_with_their_phone(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    register(&phone, &json!({"platform": "android", "token": "abc"})).await.expect_status(201);
    register(&phone, &json!({"platform": "ios", "token": "ab12", "environment": "sandbox"})).await.expect_status(201);
    register(&phone, &json!({"platform": "ios", "token": "x", "fid": "fid-1"})).await.expect_status(201);
    assert_eq!((totals(&desk, "fcm").await, totals(&desk, "apns").await), ((2, 0), (1, 0)));
    let me = send(phone.request(Method::GET, "/me")).await.expect_status(200);
    let path = format!("/admin/devices/{}/revoke", me["device_id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
    assert_eq!((totals(&desk, "fcm").await, totals(&desk, "apns").await), ((0, 2), (0, 1)));
    register(&phone, &json!({"platform": "android", "token": "abc"})).await.expect_problem(403);
    let again = desk.phone("Scale 1", &["scale"]).await;
    register(&again, &json!({"platform": "android", "token": "abc"})).await.expect_status(200);
    assert_eq!(totals(&desk, "fcm").await, (1, 1), "it is told again, so it leads somewhere");
}

async fn a_page_gets_a_key_that_stays(mut desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let key = async |desk: &Desk| send(desk.request(Method::GET, "/me/push-key")).await.expect_status(200);
    assert_eq!(send(phone.request(Method::GET, "/me/push-key")).await.expect_status(200), json!({"web": null}));
    set_up(&desk, "web", &json!({})).await.expect_problem(422);
    let view = set_up(&desk, "web", &json!({"subject": "mailto:show@example.org"})).await.expect_status(200);
    let told = send(phone.request(Method::GET, "/me/push-key")).await.expect_status(200);
    let public = told["web"]["public_key"].as_str().expect("a key");
    assert_eq!(view["web"]["public_key"], public);
    let point = URL_SAFE_NO_PAD.decode(public).expect("base64");
    assert_eq!((point.len(), point[0]), (65, 4), "an uncompressed point");
    assert_eq!(send(desk.request(Method::DELETE, "/admin/push/web")).await.status, 204);
    assert_eq!(key(&desk).await, json!({"web": null}));
    set_up(&desk, "web", &json!({"subject": "https://show.example.org"})).await.expect_status(200);
    assert_eq!(key(&desk).await, told, "who allowed messages need not do so again");
    desk.program.terminate().await;
    desk.start_again().await;
    assert_eq!(key(&desk).await, told);
}

async fn keys_of_providers_come_in_and_never_out(desk: Desk) {
    let before = desk.get("/admin/push").await.expect_status(200);
    for provider in ["fcm", "apns", "web"] {
        assert_eq!(
            (&before[provider]["configured"], &before[provider]["state"]),
            (&json!(false), &json!("not_set_up"))
        );
    }
    let set = set_up(&desk, "fcm", &json!({"service_account": service_account()})).await;
    assert!(!set.text.contains("PRIVATE") && !set.text.contains(&RSA.lines().nth(1).expect("a line")[..40]));
    let view = set.expect_status(200);
    assert_eq!(view["fcm"]["project_id"], "county-show");
    assert_eq!((&view["fcm"]["configured"], &view["fcm"]["state"]), (&json!(true), &json!("untested")));
    // What is absent stays: another address in its place needs no key file again.
    let view = set_up(&desk, "fcm", &json!({"endpoint": "http://127.0.0.1:9/"})).await.expect_status(200);
    assert_eq!(
        (&view["fcm"]["endpoint"], &view["fcm"]["project_id"]),
        (&json!("http://127.0.0.1:9"), &json!("county-show"))
    );
    let seen = desk.get("/admin/push").await;
    assert!(!seen.text.contains("PRIVATE") && !seen.text.contains("private_key"), "{}", seen.text);
    assert_eq!(send(desk.request(Method::DELETE, "/admin/push/fcm")).await.status, 204);
    assert_eq!(desk.get("/admin/push").await.expect_status(200)["fcm"]["configured"], false);
    let audit = desk.get("/admin/audit?action=provider_set").await.expect_status(200);
    assert!(!audit["items"].as_array().expect("items").is_empty() && !audit.to_string().contains("PRIVATE"));
}

async fn what_is_wrong_with_settings_is_said_in_words(desk: Desk) {
    let apple = json!({"key": "x", "key_id": "ABC1234567", "team_id": "TEAM123456", "topic": "org.example.show"});
    for (provider, settings, code, words) in [
        ("fcm", json!({}), "required", "needed"),
        ("fcm", json!({"service_account": "PK"}), "not_a_service_account", "Generate new private key"),
        (
            "fcm",
            json!({"service_account": json!({"type": "service_account"}).to_string()}),
            "service_account_incomplete",
            "private_key",
        ),
        (
            "fcm",
            json!({"service_account": service_account(), "endpoint": "http://push.example.org"}),
            "invalid_endpoint",
            "https",
        ),
        (
            "fcm",
            json!({"service_account": service_account(), "endpoint": "http://192.168.1.5:80"}),
            "invalid_endpoint",
            "https",
        ),
        ("apns", apple, "apple_key", ".p8"),
        ("apns", json!({"key": "x"}), "required", "needed"),
        ("web", json!({"subject": "somebody"}), "invalid_contact", "e-mail"),
    ] {
        let problem = set_up(&desk, provider, &settings).await.expect_problem(422);
        assert_eq!(problem["code"], code, "{provider} {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{problem}");
    }
    set_up(&desk, "fcm", &json!({"service_account": 5})).await.expect_problem(422);
    set_up(&desk, "fcm", &json!({"key": "x"})).await.expect_problem(422);
    send(desk.request(Method::DELETE, "/admin/push/telegraph")).await.expect_problem(404);
    send(desk.request(Method::POST, "/admin/push/local/test")).await.expect_problem(404);
    for path in ["/admin/push", "/admin/push/fcm/test"] {
        send(desk.stranger(Method::GET, path)).await.expect_problem(404);
    }
}

async fn a_test_of_settings_says_what_to_do(desk: Desk) {
    let test =
        async |provider: &str| desk.post(&format!("/admin/push/{provider}/test"), &json!({})).await.expect_status(200);
    let trial = test("fcm").await;
    assert_eq!((&trial["ok"], &trial["code"]), (&json!(false), &json!("not_set_up")));
    // Nobody listens at that port.
    let nobody = json!({"service_account": service_account(), "endpoint": "http://127.0.0.1:9"});
    set_up(&desk, "fcm", &nobody).await.expect_status(200);
    let trial = test("fcm").await;
    assert_eq!((&trial["ok"], &trial["code"]), (&json!(false), &json!("unreachable")));
    assert!(trial["sentence"].as_str().is_some_and(|says| says.contains("on the internet")), "{trial}");
    let service = crate::delivery::PushService::start().await;
    set_up(&desk, "web", &json!({"subject": "mailto:show@example.org", "endpoint": service.url()}))
        .await
        .expect_status(200);
    let trial = test("web").await;
    assert_eq!((&trial["ok"], &trial["code"]), (&json!(true), &json!("ok")), "{trial}");
    assert_eq!(desk.get("/admin/push").await.expect_status(200)["web"]["state"], "ok");
}
