//! The laptop gets another address while the desk runs: phones and pages follow, and the old address is nobody's.

use std::net::IpAddr;
use std::sync::Mutex;

use showdesk_engine::KeysIn;

use super::*;

const BARN: &str = "192.168.1.20";
const FIELD: &str = "10.0.0.5";

/// A desk on a laptop that is carried from the barn to the field.
struct Moving {
    server: RunningServer,
    addresses: Arc<Mutex<Vec<IpAddr>>>,
    client: Client,
    _folder: TempDir,
}

impl Moving {
    async fn in_the_barn() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let options = options(&folder);
        let options = ServerOptions { http: anywhere, https: Https::At(anywhere), keys_in: KeysIn::File, ..options };
        let addresses = Arc::new(Mutex::new(machine(BARN)));
        let now = Arc::clone(&addresses);
        let interfaces = Arc::new(move || now.lock().expect("no panic").clone());
        let server = Server::start_at(options, interfaces).await.expect("it starts");
        Self { server, addresses, client: Client::new(), _folder: folder }
    }

    fn carry_to_the_field(&self) {
        *self.addresses.lock().expect("no panic") = machine(FIELD);
    }

    fn origin(&self, address: &str) -> String {
        format!("http://{address}:{}", self.server.http.port())
    }

    /// A request that a phone sends to that address.
    fn at(&self, address: &str, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.server.http_url()));
        request.header("host", format!("{address}:{}", self.server.http.port()))
    }

    async fn status_at(&self, address: &str) -> u16 {
        self.at(address, Method::GET, "/api/v1/ping").send().await.expect("an answer").status().as_u16()
    }

    /// What a page that came from there is told.
    async fn allowed(&self, from: &str, at: &str) -> (u16, Option<String>) {
        let answer = self.at(at, Method::GET, "/api/v1/ping").header("origin", self.origin(from)).send().await;
        let answer = answer.expect("an answer");
        let allowed = answer.headers().get("access-control-allow-origin");
        (answer.status().as_u16(), allowed.map(|origin| origin.to_str().expect("text").to_owned()))
    }

    fn certified(&self) -> Vec<String> {
        self.server.shared.network.shown().expect("there is a certificate").names
    }
}

fn machine(address: &str) -> Vec<IpAddr> {
    ["127.0.0.1", address].map(|text| text.parse().expect("an address")).to_vec()
}

#[tokio::test]
async fn a_laptop_that_moves_is_found_at_its_new_address_and_pages_of_the_old_one_may_ask() {
    let desk = Moving::in_the_barn().await;
    assert_eq!((desk.status_at(BARN).await, desk.status_at(FIELD).await), (200, 421));
    assert!(desk.certified().contains(&BARN.to_owned()) && !desk.certified().contains(&FIELD.to_owned()));
    assert_eq!(desk.allowed(FIELD, BARN).await.0, 403, "nobody's page");
    let before = desk.server.shared.network.fingerprint_prefix();

    desk.carry_to_the_field();
    let followed = timeout(DEADLINE, async {
        while !desk.certified().contains(&FIELD.to_owned()) {
            tokio::task::yield_now().await;
        }
    });
    followed.await.expect("it follows within seconds");
    assert_eq!((desk.status_at(BARN).await, desk.status_at(FIELD).await), (421, 200), "the old one is another's now");
    assert!(!desk.certified().contains(&BARN.to_owned()), "{:?}", desk.certified());
    assert_eq!(desk.server.shared.network.fingerprint_prefix(), before, "phones trust what they trusted");
    let ping: Value =
        desk.at(FIELD, Method::GET, "/api/v1/ping").send().await.expect("an answer").json().await.expect("JSON");
    let told = ping["addresses"].as_array().expect("addresses");
    assert!(told.contains(&json!(desk.origin(FIELD))) && !told.contains(&json!(desk.origin(BARN))), "{ping}");
    assert_eq!(desk.allowed(BARN, FIELD).await, (200, Some(desk.origin(BARN))), "a page that was loaded in the barn");
    assert_eq!(desk.allowed("192.168.1.99", FIELD).await.0, 403);
    desk.server.stop().await;
}
