//! Starts and stops one desk: engine, phone listener, admin listener.
//!
//! The headless program, the desktop shell and the tests all come in through [`Server::start`].
//! It decides nothing about shows; it binds, wires and tears down.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use showdesk_engine::{Engine, EngineError, PhonesNow, SystemKeychain};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::accept::{self, Accepting};
use crate::app::{App, Listener, Shared};
use crate::config::{Https, ServerOptions};
use crate::live::Hub;
use crate::network::{self, Bound, Interfaces, Network, NoHttps, Scheme};
use crate::places::Places;
use crate::{open_files, routes, token_file};

/// Streams and requests have this long to end before their connections are cut.
const DRAIN_TIME: Duration = Duration::from_secs(3);
/// The engine has this long to finish what it has accepted.
const CLOSE_TIME: Duration = Duration::from_millis(1_500);
/// Connections at once on the phone listeners together: 1,200 streams and room for requests beside them.
pub(crate) const PHONE_CONNECTIONS_MAX: usize = 2_400;
/// Connections at once on the admin listener.
pub(crate) const ADMIN_CONNECTIONS_MAX: usize = 256;

/// Connections that wait for the accept loop. A phone that finds no room there tries again only after a second.
const WAITING_CONNECTIONS_MAX: u32 = 4_096;

/// What the system keeps for a client that does not read: without a bound, megabytes for each connection.
const SEND_BUFFER_BYTES: u32 = 256 * 1024;

/// Why the desk could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The admin listener would be reachable from the network.
    #[error("the admin listener must be on a loopback address, not {0}")]
    AdminNotLoopback(SocketAddr),
    /// Rate limits may only be lifted where nobody else can connect.
    #[error("--limits off needs all listeners on loopback addresses; {0} is not")]
    LimitsOffInPublic(SocketAddr),
    /// The address is taken, or not one of this machine's.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The desk's token could not be kept.
    #[error("admin.token cannot be written: {0}")]
    TokenFile(#[source] std::io::Error),
    /// The show could not be opened.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The way in: [`Server::start`].
#[derive(Debug)]
pub struct Server;

/// A desk that serves. Dropping it without [`RunningServer::stop`] leaves the listeners running until the runtime ends.
pub struct RunningServer {
    /// Where the phone listener is bound.
    pub http: SocketAddr,
    /// Where phones that trust the laptop connect, if anywhere.
    pub https: Option<SocketAddr>,
    /// Where the admin listener is bound, always loopback.
    pub admin: SocketAddr,
    /// The desk's bearer token for this launch.
    pub admin_token: String,
    /// The opened show, for wake-ups and for use without HTTP.
    pub engine: Engine,
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens the show and serves it. When this returns, all listeners answer.
    pub async fn start(options: ServerOptions) -> Result<RunningServer, StartError> {
        Self::start_at(options, Arc::new(network::of_machine)).await
    }

    /// The same where the machine's addresses are known otherwise.
    async fn start_at(options: ServerOptions, interfaces: Interfaces) -> Result<RunningServer, StartError> {
        options.check()?;
        open_files::allow_many();
        // Push providers are asked by it. Another desk of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = bind(options.http)?;
        let admin = bind(options.admin)?;
        let (https, no_https) = bind_https(&options)?;
        let bound = Bound {
            http: local(&http, options.http)?,
            https: https
                .as_ref()
                .map(|https| local(https, options.https_address().unwrap_or(options.http)))
                .transpose()?,
            admin: local(&admin, options.admin)?,
        };

        let engine = Engine::open(options.engine).await?;
        let admin_token = desk_token(&engine, options.token_folder.as_deref()).await?;
        // A vault that stays shut is told as a warning: the desk serves without HTTPS and sends nothing by providers.
        if https.is_some() {
            engine.open_vault(options.keys_in, Arc::new(SystemKeychain)).await?;
        } else {
            engine.open_vault_if_needed(options.keys_in, Arc::new(SystemKeychain)).await?;
        }
        let network = Arc::new(Network::new(bound, no_https, engine.desk_device_id(), interfaces));
        network.begin_trust(&engine).await;
        network.note_origins(&engine).await;
        network.tell_name();

        let (stopping, stop) = watch::channel(false);
        let hub = Hub::start(engine.clone(), stop.clone()).await?;
        let shared = Arc::new(Shared::new(
            engine.clone(),
            Arc::clone(&network),
            admin_token.clone(),
            options.limits,
            hub,
            stop.clone(),
        ));
        let told = Arc::clone(&network);
        let streams = Arc::clone(&shared.streams);
        engine.count_streams_by(move || streams.count());
        engine.share_addresses(move || [told.http_urls(), told.https_urls()].concat());

        let (phones, desks) = (Places::new(PHONE_CONNECTIONS_MAX), Places::new(ADMIN_CONNECTIONS_MAX));
        let listen = |socket, listener, scheme, places: &Arc<Places>| {
            let router = routes::router(App { shared: Arc::clone(&shared), listener, scheme });
            let tls = (scheme == Scheme::Https).then(|| network.tls());
            let accepting = Accepting { socket, tls, router, places: Arc::clone(places), drain_time: DRAIN_TIME };
            tokio::spawn(accept::run(accepting, stop.clone()))
        };
        let mut listeners = vec![
            listen(http, Listener::Phone, Scheme::Http, &phones),
            listen(admin, Listener::Admin, Scheme::Http, &desks),
        ];
        listeners.extend(https.map(|https| listen(https, Listener::Phone, Scheme::Https, &phones)));
        listeners.push(tokio::spawn(network::follow(network, engine.clone(), stop)));
        let Bound { http, https, admin } = bound;
        Ok(RunningServer { http, https, admin, admin_token, engine, shared, stopping, listeners })
    }
}

impl RunningServer {
    /// Where phones reach this desk, best first: `http://192.168.1.20:7420`.
    pub fn joining_addresses(&self) -> Vec<String> {
        self.shared.joining.addresses()
    }

    /// Where programs of this machine reach the phone listener.
    pub fn http_url(&self) -> String {
        let mut address = self.http;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    /// Where programs of this machine reach the HTTPS phone listener; none if it has no certificate to show.
    pub fn https_url(&self) -> Option<String> {
        let mut address = self.https.filter(|_| self.shared.network.trusted().is_some())?;
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        Some(format!("https://{address}"))
    }

    /// Which phones are there and what they hold.
    pub async fn phones(&self) -> Result<PhonesNow, EngineError> {
        self.engine.phones_now().await
    }

    /// A link that opens the desk page in a browser of this machine, once, within ten minutes.
    pub fn desk_link(&self) -> String {
        let code = self.shared.desk_links.issue(Instant::now());
        format!("http://{}/#/open/{code}", self.admin)
    }

    /// Takes no new request, says `bye` to streams, lets the writer finish, closes the database: within 5 s.
    pub async fn stop(self) {
        // The receivers live in the listeners; if they are gone there is nobody left to tell.
        let _ = self.stopping.send(true);
        for listener in self.listeners {
            if let Err(error) = listener.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        if tokio::time::timeout(CLOSE_TIME, self.engine.close()).await.is_err() {
            tracing::warn!("the database was still busy when the time to stop was up");
        }
    }
}

/// The kept token if it is still the desk's, else a new one, kept in its place.
async fn desk_token(engine: &Engine, folder: Option<&Path>) -> Result<String, StartError> {
    let Some(folder) = folder else { return Ok(engine.issue_desk_token().await?) };
    if let Some(token) = token_file::read(folder) {
        match engine.authenticate(&token).await {
            Ok(actor) if actor.device.0 == engine.desk_device_id() => return Ok(token),
            Ok(_) | Err(EngineError::UnknownToken | EngineError::DeviceRemoved) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let token = engine.issue_desk_token().await?;
    token_file::write(folder, &token).map_err(StartError::TokenFile)?;
    Ok(token)
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As the usual way to bind does it: on Windows it would let another program take the same port.
        if cfg!(unix) {
            socket.set_reuseaddr(true)?;
        }
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.bind(address)?;
        socket.listen(WAITING_CONNECTIONS_MAX)
    };
    bound().map_err(|source| StartError::Bind { address, source })
}

/// The HTTPS listener, or why there is none. A port that was only the usual one may be another program's.
fn bind_https(options: &ServerOptions) -> Result<(Option<TcpListener>, Option<NoHttps>), StartError> {
    let Some(address) = options.https_address() else { return Ok((None, Some(NoHttps::Off))) };
    match bind(address) {
        Ok(socket) => Ok((Some(socket), None)),
        Err(error) if options.https == Https::Usual => {
            tracing::warn!(%error, "phones cannot use HTTPS");
            Ok((None, Some(NoHttps::PortTaken(address.port()))))
        }
        Err(error) => Err(error),
    }
}

fn local(socket: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    socket.local_addr().map_err(|source| StartError::Bind { address, source })
}

#[cfg(test)]
pub(crate) mod tests;
