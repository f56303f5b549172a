//! What the desk takes of the laptop's memory while all phones are connected.

use crate::checkin::{come_back, crowd};
use crate::program::Program;
use crate::table::{Line, Target};
use crate::{Scale, tell};

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    let count = scale.memory_phones;
    tell(&format!("memory: {count} phones join, pull and listen"));
    let program = Program::county().await;
    let alone = program.resident_mb();
    let mut phones = crowd(&program.desk, count).await;
    let mut streams = Vec::with_capacity(count);
    for phone in &mut phones {
        phone.phone.pull(|_| ()).await.expect("the pull ends");
        streams.push(phone.phone.connection.beside().listen("/live").await.expect("the stream begins"));
    }
    let arrived = program.resident_mb();
    tokio::time::sleep(scale.idle_time).await;
    let connected = program.resident_mb();
    come_back(&mut phones).await;
    let stormed = program.resident_mb();
    drop(streams);
    program.stop().await;
    let (Some(alone), Some(arrived), Some(connected), Some(stormed)) = (alone, arrived, connected, stormed) else {
        return Vec::new();
    };
    let what = "memory, county show";
    vec![
        Line::new(format!("{what}, {count} phones connected"), Target::AtMost(120.0), connected, "MB"),
        Line::beside(format!("{what}, the moment the last of them has pulled"), format!("{arrived:.0} MB")),
        Line::beside(format!("{what}, the moment after all {count} pushed at once"), format!("{stormed:.0} MB")),
        Line::beside(format!("{what}, nobody connected"), format!("{alone:.0} MB")),
    ]
}
