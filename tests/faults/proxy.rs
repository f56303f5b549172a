//! A network between a phone and the desk that lets every request through and loses answers.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Bytes read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// What becomes of the answers of one connection.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// They come through.
    Passes,
    /// Not a byte of them does.
    Lost,
    /// They break off after so many bytes.
    Cut(usize),
}

/// A proxy that runs as long as its handle.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    lost: Arc<AtomicUsize>,
    running: JoinHandle<()>,
}

impl Proxy {
    /// Stands before the program; which answers are lost follows from the seed.
    pub(crate) async fn before(program: &str, seed: u64) -> Self {
        let program = program.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (lost, random) = (Arc::new(AtomicUsize::new(0)), Mutex::new(StdRng::seed_from_u64(seed)));
        let counter = Arc::clone(&lost);
        let running = tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let fate = fate(&random);
                let (program, counter) = (program.clone(), Arc::clone(&counter));
                tokio::spawn(async move {
                    // A side that went away is what this proxy is for.
                    if carry(phone, &program, fate).await.is_ok() && !matches!(fate, Fate::Passes) {
                        counter.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self { address, lost, running }
    }

    /// How many answers did not come through whole.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn fate(random: &Mutex<StdRng>) -> Fate {
    let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
    match random.random_range(0..10) {
        0..4 => Fate::Passes,
        4..8 => Fate::Lost,
        _ => Fate::Cut(random.random_range(1..200)),
    }
}

/// Carries everything to the program, and back what fate lets through. The connection ends with what it takes.
async fn carry(phone: TcpStream, program: &str, fate: Fate) -> io::Result<()> {
    let (mut from_program, mut to_program) = TcpStream::connect(program).await?.into_split();
    let (mut from_phone, mut to_phone) = phone.into_split();
    let sending = tokio::spawn(async move { tokio::io::copy(&mut from_phone, &mut to_program).await });
    let mut left = match fate {
        Fate::Passes => usize::MAX,
        Fate::Lost => 0,
        Fate::Cut(bytes) => bytes,
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        // The program answers when it has the whole request, so by now nothing of that can be missing.
        let read = from_program.read(&mut chunk).await?;
        let through = read.min(left);
        to_phone.write_all(&chunk[..through]).await?;
        left -= through;
        if read == 0 || through < read {
            break;
        }
    }
    sending.abort();
    Ok(())
}
