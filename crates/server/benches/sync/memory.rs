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
    come_back(&mut phones).await;
    let crowded = program.resident_mb();
    drop(streams);
    program.stop().await;
    let (Some(alone), Some(crowded)) = (alone, crowded) else { return Vec::new() };
    vec![
        Line::new(
            format!("memory, county show, {count} phones connected, after all pushed at once"),
            Target::AtMost(120.0),
            crowded,
            "MB",
        ),
        Line::beside("memory, county show, nobody connected", format!("{alone:.0} MB")),
    ]
}
