//! The laptop on the network: a phone that trusts the show's authority, and one that does not.
//!
//! The phone here trusts the one certificate it was given and nothing else, as a phone does that has it installed.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, header};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value as Json, json};
use showdesk_testkit::OwnDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::send;
use crate::program::Program;

on_both_engines!(
    a_phone_that_trusts_the_show_reaches_it_by_every_name,
    a_phone_that_trusts_another_show_is_not_answered,
    a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on,
    a_renewed_authority_has_to_be_trusted_anew,
    the_authority_outlives_the_program,
    phones_are_given_what_they_shall_trust,
    nothing_of_the_desk_is_served_to_phones,
    a_page_of_a_former_address_may_still_ask,
    a_phone_shows_that_it_reaches_the_laptop,
    without_https_there_is_nothing_to_trust,
    a_show_whose_key_is_lost_begins_anew_when_somebody_wants_it,
);

/// How long two desks may take to agree.
const DEADLINE: Duration = Duration::from_secs(40);

async fn with_https(mut desk: Desk) -> Desk {
    desk.program.terminate().await;
    desk.program.https_at = "127.0.0.1:0";
    desk.start_again().await;
    desk
}

async fn network(desk: &Desk) -> Json {
    desk.get("/admin/network").await.expect_status(200)
}

/// What a phone is given to trust.
async fn authority(desk: &Desk) -> Vec<u8> {
    let answer = Client::new().get(format!("{}/ca.crt", desk.program.http)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/x-x509-ca-cert");
    answer.bytes().await.expect("bytes").to_vec()
}

fn port(url: &str) -> u16 {
    url.rsplit_once(':').expect("a port").1.parse().expect("a number")
}

fn https(desk: &Desk) -> &str {
    desk.program.https.as_str().expect("there is HTTPS")
}

/// A connection of a phone that trusts nothing but this certificate.
struct Trusting {
    stream: TlsStream<TcpStream>,
    host: String,
}

impl Trusting {
    async fn connect(certificate: &[u8], name: &str, port: u16) -> Result<Self, std::io::Error> {
        Self::speaking(certificate, name, port, &[]).await
    }

    async fn speaking(certificate: &[u8], name: &str, port: u16, protocols: &[&str]) -> Result<Self, std::io::Error> {
        let address = if name == "localhost" { "127.0.0.1" } else { name };
        Self::at(address, certificate, name, port, protocols).await
    }

    /// To this address, and whoever answers there has to prove that name.
    async fn at(
        address: &str,
        certificate: &[u8],
        name: &str,
        port: u16,
        protocols: &[&str],
    ) -> Result<Self, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate.to_vec())).expect("a certificate that may be trusted");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = versions.expect("both versions").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect((address, port)).await?;
        let server = ServerName::try_from(name.to_owned()).expect("a name");
        let stream = TlsConnector::from(Arc::new(config)).connect(server, stream).await?;
        Ok(Self { stream, host: format!("{name}:{port}") })
    }

    /// The certificate that the laptop has shown.
    fn shown(&self) -> Vec<u8> {
        self.stream.get_ref().1.peer_certificates().expect("it was shown")[0].to_vec()
    }

    /// Asks and reads one answer: status, headers, and the body if it has a length.
    async fn get(&mut self, path: &str) -> (u16, String, Json) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host);
        self.stream.write_all(request.as_bytes()).await.expect("sent");
        let mut bytes = Vec::new();
        loop {
            let mut chunk = vec![0; 16 * 1024];
            let read = self.stream.read(&mut chunk).await.expect("an answer");
            assert!(read > 0, "the connection ended: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() < length.expect("a length") {
                continue;
            }
            let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
            return (status, head.to_owned(), serde_json::from_str(body).unwrap_or_default());
        }
    }
}

async fn a_phone_that_trusts_the_show_reaches_it_by_every_name(mut desk: Desk) {
    desk.program.terminate().await;
    desk.program.is_limited = true;
    desk.program.https_at = "0.0.0.0:0";
    desk.start_again().await;
    let certificate = authority(&desk).await;
    let state = network(&desk).await;
    let names: Vec<&str> = state["leaf_names"].as_array().expect("names").iter().filter_map(Json::as_str).collect();
    assert!(names.contains(&"localhost") && names.contains(&"127.0.0.1"), "{state}");
    let port = port(https(&desk));
    for name in names.iter().filter(|name| !name.contains(':')) {
        let mut phone =
            Trusting::connect(&certificate, name, port).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (status, _, ping) = phone.get("/api/v1/ping").await;
        assert_eq!((status, &ping["fingerprint_prefix"]), (200, &json!(prefix(&state))), "{name}");
    }
    let phone = Trusting::speaking(&certificate, "localhost", port, &["h2", "http/1.1"]).await.expect("trusted");
    assert_eq!(phone.stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

/// The first digits of the fingerprint that the desk shows.
fn prefix(state: &Json) -> String {
    let groups = state["fingerprint"].as_str().expect("a fingerprint");
    groups.replace(' ', "").to_ascii_lowercase()[..8].to_owned()
}

async fn a_phone_that_trusts_another_show_is_not_answered(desk: Desk) {
    let desk = with_https(desk).await;
    let other = with_https(Desk::start(crate::program::Engine::Sqlite).await).await;
    let error = Trusting::connect(&authority(&other).await, "127.0.0.1", port(https(&desk))).await;
    let error = error.err().expect("it is not trusted").to_string();
    assert!(error.contains("UnknownIssuer") || error.contains("BadSignature"), "{error}");
    for foreign in ["127.0.0.2", "bank.example", "showdesk.local"] {
        let error = Trusting::at("127.0.0.1", &authority(&desk).await, foreign, port(https(&desk)), &[]).await;
        let error = error.err().expect("the laptop is not called that").to_string();
        assert!(error.contains("not valid for name"), "{foreign}: {error}");
    }
}

async fn a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on(desk: Desk) {
    let desk = with_https(desk).await;
    let (certificate, port) = (authority(&desk).await, port(https(&desk)));
    let mut old = Trusting::connect(&certificate, "127.0.0.1", port).await.expect("trusted");
    assert_eq!(old.get("/api/v1/ping").await.0, 200);
    let before = network(&desk).await;
    let after = desk.post("/admin/network/renew", &json!({})).await.expect_status(200);
    assert_eq!(before["fingerprint"], after["fingerprint"], "phones need not do anything");
    let mut new = Trusting::connect(&certificate, "127.0.0.1", port).await.expect("trusted");
    assert_ne!(new.shown(), old.shown());
    assert_eq!((old.get("/api/v1/ping").await.0, new.get("/api/v1/ping").await.0), (200, 200));
    let shown = new.shown();
    let (_, leaf) = X509Certificate::from_der(&shown).expect("DER");
    let days = (leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp()) / 86_400;
    assert!((300..=397).contains(&days), "{days} days");
}

async fn a_renewed_authority_has_to_be_trusted_anew(desk: Desk) {
    let desk = with_https(desk).await;
    let (old, port) = (authority(&desk).await, port(https(&desk)));
    let before = network(&desk).await;
    let after = desk.post("/admin/network/renew", &json!({"authority": true})).await.expect_status(200);
    assert_ne!(before["fingerprint"], after["fingerprint"]);
    assert!(Trusting::connect(&old, "127.0.0.1", port).await.is_err());
    let new = authority(&desk).await;
    assert_ne!(new, old);
    Trusting::connect(&new, "127.0.0.1", port).await.expect("trusted");
    let audit = desk.get("/admin/audit?action=authority_renewed").await.expect_status(200);
    assert_eq!(audit["items"].as_array().expect("items").len(), 1, "{audit}");
    desk.post("/admin/network/renew", &json!({"everything": true})).await.expect_problem(422);
}

async fn the_authority_outlives_the_program(desk: Desk) {
    let mut desk = with_https(desk).await;
    let (certificate, before) = (authority(&desk).await, network(&desk).await);
    desk.program.kill().await;
    desk.start_again().await;
    assert_eq!(authority(&desk).await, certificate);
    assert_eq!(network(&desk).await["fingerprint"], before["fingerprint"]);
    Trusting::connect(&certificate, "localhost", port(https(&desk))).await.expect("trusted");
    let key = desk.program.folder().join("vault.key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&key).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(before["secrets"]["kept_in"], "file");
    let warned = before["warnings"].as_array().expect("warnings").iter().any(|w| w["code"] == "secrets_in_file");
    assert!(warned && before["secrets"]["warning"].is_string(), "{before}");
}

async fn phones_are_given_what_they_shall_trust(desk: Desk) {
    let desk = with_https(desk).await;
    let (certificate, state) = (authority(&desk).await, network(&desk).await);
    let (_, parsed) = X509Certificate::from_der(&certificate).expect("DER");
    let constraints = parsed.name_constraints().expect("readable").expect("there are limits");
    assert!(parsed.is_ca() && constraints.critical && constraints.value.permitted_subtrees.is_some());
    let groups = state["fingerprint"].as_str().expect("a fingerprint");
    assert!(groups.split(' ').count() == 16 && groups.split(' ').all(|group| group.len() == 4), "{groups}");
    let fingerprint = groups.replace(' ', "").to_ascii_lowercase();

    let ping = send(desk.stranger(Method::GET, "/ping")).await.expect_status(200);
    assert_eq!(ping["fingerprint_prefix"], fingerprint[..8]);
    assert_eq!(ping["https"], json!([https(&desk)]));
    let opened = desk.post("/admin/pairings", &json!({"functions": ["scale"]})).await.expect_status(201);
    let (url, code) = (opened["url"].as_str().expect("a URL"), opened["code"].as_str().expect("a code"));
    assert_eq!(url, format!("{}/#/join/{code}.{fingerprint}", desk.program.http));

    let profile = Client::new().get(format!("{}/ca.mobileconfig", desk.program.http)).send().await.expect("an answer");
    assert_eq!(profile.headers()["content-type"], "application/x-apple-aspen-config");
    let profile = profile.text().await.expect("text");
    let again = Client::new().get(format!("{}/ca.mobileconfig", desk.program.http)).send().await.expect("an answer");
    assert_eq!(profile, again.text().await.expect("text"), "its ids stay");
    assert!(profile.contains("<string>New show</string>") && profile.contains(groups), "{profile}");
    let data = profile.split("<data>").nth(1).and_then(|rest| rest.split("</data>").next()).expect("data");
    assert_eq!(base64(&certificate), data);
}

/// RFC 4648, written out here so that the test shares nothing with the program.
fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number =
            chunk.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = char::from(alphabet[number >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

async fn nothing_of_the_desk_is_served_to_phones(desk: Desk) {
    let desk = with_https(desk).await;
    let certificate = authority(&desk).await;
    let mut phone = Trusting::connect(&certificate, "127.0.0.1", port(https(&desk))).await.expect("trusted");
    for path in ["/api/v1/admin/network", "/api/v1/admin/devices", "/api/v1/admin/overview", "/api/v1/admin/session"] {
        let (status, head, body) = phone.get(path).await;
        assert_eq!((status, &body["code"]), (404, &json!("not_found")), "{path}");
        assert!(!head.to_ascii_lowercase().contains("set-cookie"), "{head}");
    }
    let (status, head, _) = phone.get("/ca.crt").await;
    assert_eq!(status, 200);
    assert!(!head.to_ascii_lowercase().contains("strict-transport-security"), "plain HTTP must go on: {head}");
    for path in ["/ca.crt", "/ca.mobileconfig", "/test/0123456789"] {
        let answer = Client::new().get(format!("{}{path}", desk.program.admin)).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path} is for phones");
    }
}

async fn a_page_of_a_former_address_may_still_ask(desk: Desk) {
    let mut desk = with_https(desk).await;
    let former = [desk.program.http.clone(), https(&desk).to_owned()];
    desk.program.terminate().await;
    desk.start_again().await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    for origin in former.iter().chain([&desk.program.http.clone(), &https(&desk).to_owned()]) {
        let ask = || phone.request(Method::GET, "/sync/hello").header(header::ORIGIN, origin);
        let answer = ask().send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{origin}");
        assert_eq!(answer.headers()["access-control-allow-origin"], origin.as_str());
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
        assert!(answer.headers().get_all("vary").iter().any(|value| value == "origin"));
        let leave = Client::new()
            .request(Method::OPTIONS, format!("{}/api/v1/sync/push", desk.program.http))
            .header(header::ORIGIN, origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-client-pending,x-evil")
            .send()
            .await
            .expect("an answer");
        assert_eq!(leave.status(), 204);
        assert_eq!(leave.headers()["access-control-allow-headers"], "authorization, content-type, x-client-pending");
        let refused = desk.stranger(Method::GET, "/nowhere").header(header::ORIGIN, origin);
        let refused = refused.send().await.expect("an answer");
        assert_eq!(
            (refused.status().as_u16(), refused.headers().contains_key("access-control-allow-origin")),
            (404, true)
        );
    }
    let policy = Client::new().get(&desk.program.http).send().await.expect("an answer");
    let policy = policy.headers()["content-security-policy"].to_str().expect("text").to_owned();
    for origin in &former {
        assert!(policy.contains(origin.as_str()), "a page may ask where it came from: {policy}");
    }
    for foreign in ["null", "https://bank.example", "http://127.0.0.1:9", &former[0].replace("http:", "https:")] {
        let ask = phone.request(Method::GET, "/sync/hello").header(header::ORIGIN, foreign);
        let answer = ask.send().await.expect("an answer");
        assert_eq!(answer.status(), 403, "{foreign}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{foreign}");
    }
}

async fn a_phone_shows_that_it_reaches_the_laptop(desk: Desk) {
    let test = desk.post("/admin/network/tests", &json!({})).await.expect_status(201);
    let path = format!("/admin/network/tests/{}", test["id"].as_str().expect("an id"));
    let waiting = desk.get(&path).await.expect_status(200);
    assert_eq!((&waiting["status"], &waiting["arrivals"]), (&json!("waiting"), &json!([])));
    assert!(test["qr_svg"].as_str().expect("a picture").contains("<svg"));

    let url = test["url"].as_str().expect("a URL");
    assert!(url.starts_with(&format!("{}/test/", desk.program.http)), "{url}");
    let page = Client::new().get(url).header(header::USER_AGENT, "Maria's phone").send().await.expect("an answer");
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().expect("a value"))
    );
    assert!(page.headers()["content-security-policy"].to_str().expect("text").contains("script-src 'self'"));
    let page = page.text().await.expect("text");
    assert!(page.contains("This phone reaches the laptop") && !page.contains("<script"), "{page}");

    let arrived = desk.get(&path).await.expect_status(200);
    assert_eq!(arrived["status"], "arrived");
    let arrival = &arrived["arrivals"][0];
    assert_eq!((&arrival["address"], &arrival["agent"]), (&json!("127.0.0.1"), &json!("Maria's phone")));
    assert_eq!(arrival["this_laptop"], true);

    let over = Client::new().get(format!("{}/test/0123456789", desk.program.http)).send().await.expect("an answer");
    assert_eq!(over.status(), 404);
    assert!(over.text().await.expect("text").contains("This test is over"));
    desk.get("/admin/network/tests/6f3a3b3e-6a0e-4a7e-9b6e-0a5f2a8d9c11").await.expect_problem(404);
    let phone = desk.phone("Scale 1", &["scale"]).await;
    send(phone.request(Method::POST, "/admin/network/tests").json(&json!({}))).await.expect_problem(404);
}

async fn without_https_there_is_nothing_to_trust(desk: Desk) {
    let state = network(&desk).await;
    assert_eq!((&state["level"], &state["https"], &state["fingerprint"]), (&json!("plain"), &json!([]), &Json::Null));
    assert!(state["warnings"].as_array().expect("warnings").iter().any(|warning| warning["code"] == "https_off"));
    for path in ["/ca.crt", "/ca.mobileconfig"] {
        let answer = Client::new().get(format!("{}{path}", desk.program.http)).send().await.expect("an answer");
        assert_eq!(answer.status(), 404);
    }
    let problem = desk.post("/admin/network/renew", &json!({"authority": true})).await.expect_problem(409);
    assert_eq!(problem["code"], "https_off");
    assert!(!desk.program.folder().join("vault.key").exists(), "no key is made for nothing");
}

async fn a_show_whose_key_is_lost_begins_anew_when_somebody_wants_it(desk: Desk) {
    let mut desk = with_https(desk).await;
    let old = authority(&desk).await;
    desk.program.terminate().await;
    std::fs::remove_file(desk.program.folder().join("vault.key")).expect("it was there");
    desk.program.has_key = false;
    desk.start_again().await;
    let state = network(&desk).await;
    assert_eq!((&state["level"], &state["secrets"]["kept_in"]), (&json!("plain"), &json!("nowhere")));
    assert!(state["warnings"].as_array().expect("warnings").iter().any(|warning| warning["code"] == "secrets_locked"));
    let problem = desk.post("/admin/network/renew", &json!({})).await.expect_problem(409);
    assert_eq!(problem["code"], "secrets_locked");
    let renewed = desk.post("/admin/network/renew", &json!({"authority": true})).await.expect_status(200);
    assert_eq!((&renewed["level"], &renewed["secrets"]["kept_in"]), (&json!("https"), &json!("file")));
    assert_ne!(authority(&desk).await, old);
}

/// Looks at the network hang where the database does; SIGTERM is obeyed all the same.
#[tokio::test]
async fn a_desk_whose_database_hangs_stops_when_it_is_told_to() {
    let database = Arc::new(OwnDatabase::new().await);
    let mut desk = with_https(Desk::of(Program::start_on(Some(database.url())).await).await).await;
    let holding = tokio::spawn({
        let database = Arc::clone(&database);
        // Longer than a program is waited for.
        async move { database.execute("BEGIN; LOCK TABLE vault_requests; SELECT pg_sleep(75)").await }
    });
    let waits = "SELECT FROM pg_locks WHERE relation = 'vault_requests'::regclass AND NOT granted";
    let look = format!("WHILE NOT EXISTS ({waits}) LOOP PERFORM pg_sleep(0.1); END LOOP");
    database.execute(&format!("DO $$ BEGIN {look}; END $$")).await;
    let (ended, _) = desk.program.terminate().await;
    assert!(ended.success(), "{ended}");
    holding.abort();
}

/// A second laptop comes to the show's Postgres: it gets the key from the first and shows the same authority.
#[tokio::test]
async fn a_second_desk_is_handed_the_key() {
    let url = showdesk_testkit::fresh_database_url().await;
    let first = with_https(Desk::of(Program::start_on(Some(url.clone())).await).await).await;
    let second = with_https_or_locked(Desk::of(Program::start_on(Some(url)).await).await).await;
    let wanted = network(&first).await["fingerprint"].clone();
    let agreed = tokio::time::timeout(DEADLINE, async {
        while network(&second).await["fingerprint"] != wanted {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    agreed.await.expect("the second desk gets the key");
    let certificate = authority(&first).await;
    let https = network(&second).await["https"][0].as_str().expect("a URL").to_owned();
    let mut phone = Trusting::connect(&certificate, "127.0.0.1", port(&https)).await.expect("trusted");
    let (_, _, ping) = phone.get("/api/v1/ping").await;
    let all = ping["https"].as_array().expect("URLs");
    assert!(all.contains(&json!(https)) && all.contains(&first.program.https), "{ping}");
    let audit = first.get("/admin/audit?action=vault_shared").await.expect_status(200);
    assert_eq!(audit["items"].as_array().expect("items").len(), 1, "{audit}");
    let renewed = first.post("/admin/network/renew", &json!({"authority": true})).await.expect_status(200);
    let followed = tokio::time::timeout(DEADLINE, async {
        while network(&second).await["fingerprint"] != renewed["fingerprint"] {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    followed.await.expect("the second desk follows");
}

/// The ready line has no HTTPS while the key is not here yet.
async fn with_https_or_locked(mut desk: Desk) -> Desk {
    desk.program.terminate().await;
    desk.program.https_at = "127.0.0.1:0";
    desk.program.has_key = false;
    desk.start_again().await;
    desk
}
