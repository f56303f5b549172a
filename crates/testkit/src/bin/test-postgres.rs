//! One Postgres for a whole test run: prints where it is, and stops when standard input closes.

use std::io;

fn main() -> io::Result<()> {
    println!("{}", showdesk_testkit::postgres_server_url());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
