//! The desk as its window sees it: the admin listener with the admin token.

use std::ops::{Deref, DerefMut};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value as Json, json};

use crate::phone::{Answer, Phone, send};
use crate::program::{Engine, Program};

/// A show of its own, and the desk's own device. Everything a phone can do the desk can do, too.
pub(crate) struct Desk {
    pub(crate) program: Program,
    pub(crate) office: Phone,
    token: String,
}

impl Desk {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::of(Program::start(engine).await).await
    }

    /// At the desk of a program that runs.
    pub(crate) async fn of(program: Program) -> Self {
        let token = std::fs::read_to_string(program.admin_token_file()).expect("the admin token is in the folder");
        let token = token.trim().to_owned();
        let office = Phone::with_token(&program.admin, &token).await;
        Self { program, office, token }
    }

    /// The same folder with another database in it: the token is new, too.
    pub(crate) async fn of_restarted(mut stopped: Self) -> Self {
        stopped.program.start_again().await;
        Self::of(stopped.program).await
    }

    /// After a restart the addresses are new; the token is not.
    pub(crate) async fn start_again(&mut self) {
        self.program.start_again().await;
        self.office.moved_to(&self.program.admin).await;
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A request to the admin listener, with the admin token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}/api/v1{path}", self.program.admin)).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Json) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// A request to the phone listener, without any token.
    pub(crate) fn stranger(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}/api/v1{path}", self.program.http))
    }

    /// A code for phones that do this.
    pub(crate) async fn pairing_code(&self, functions: &[&str], mode: &str) -> String {
        let scope = json!({"ring_ids": [], "departments": [], "exhibitor_ids": []});
        let request = json!({"functions": functions, "scope": scope, "mode": mode});
        let opened = self.post("/admin/pairings", &request).await.expect_status(201);
        opened["code"].as_str().expect("a code").to_owned()
    }

    /// A phone that has joined, with these functions.
    pub(crate) async fn phone(&self, name: &str, functions: &[&str]) -> Phone {
        self.phone_in(name, functions, json!({})).await
    }

    /// A phone that has joined and may write where the scope says.
    pub(crate) async fn phone_in(&self, name: &str, functions: &[&str], scope: Json) -> Phone {
        let code = self.pairing_code(functions, "single").await;
        let claim = json!({"code": code, "device_name": name, "platform": "web"});
        let claimed = send(self.stranger(Method::POST, "/pairing/claim").json(&claim)).await.expect_status(201);
        let waiting = self.waiting().await;
        let item =
            waiting.iter().find(|item| item["check_number"] == claimed["check_number"]).expect("it waits at the desk");
        let allow = format!("/admin/pairings/{}/approve", item["pairing_id"].as_str().expect("an id"));
        self.post(&allow, &json!({"scope": scope})).await.expect_status(200);
        let path = format!("/pairing/{}", claimed["pairing_id"].as_str().expect("an id"));
        let answer = send(self.stranger(Method::GET, &path)).await.expect_status(200);
        assert_eq!(answer["status"], "approved");
        Phone::with_token(&self.program.http, answer["token"].as_str().expect("a token")).await
    }

    /// Phones that ask to join.
    pub(crate) async fn waiting(&self) -> Vec<Json> {
        let answer = self.get("/admin/pairings?status=waiting").await.expect_status(200);
        answer["items"].as_array().expect("items").clone()
    }

    /// A clash as the desk sees it.
    pub(crate) async fn conflict(&self, id: &Json) -> Json {
        self.get(&format!("/admin/conflicts/{}", id.as_str().expect("an id"))).await.expect_status(200)
    }

    /// All clashes of that status.
    pub(crate) async fn conflicts(&self, status: &str) -> Vec<Json> {
        let answer = self.get(&format!("/admin/conflicts?status={status}")).await.expect_status(200);
        answer["items"].as_array().expect("items").clone()
    }

    /// Decides a clash as it was seen; `data` is for manual.
    pub(crate) async fn resolve(&self, seen: &Json, resolution: &str, data: Option<Json>) -> Answer {
        let mut request = json!({
            "resolution": resolution,
            "expected_server_version": seen["server_version"],
            "rev": seen["rev"],
            "reason": "checked at the scale",
            "idempotency_key": uuid::Uuid::new_v4().to_string(),
        });
        if let Some(data) = data {
            request["data"] = data;
        }
        self.post(&format!("/admin/conflicts/{}/resolve", seen["id"].as_str().expect("an id")), &request).await
    }

    /// Every version of a record, newest first.
    pub(crate) async fn history(&self, table: &str, id: &str) -> Vec<Json> {
        let answer = self.get(&format!("/admin/records/{table}/{id}/history")).await.expect_status(200);
        answer["items"].as_array().expect("items").clone()
    }
}

impl Deref for Desk {
    type Target = Phone;

    fn deref(&self) -> &Phone {
        &self.office
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Phone {
        &mut self.office
    }
}
