//! All phones come back at once, each with a full outbox.

use showdesk_server::rehearse::Figures;

use crate::checkin::{BATCH_OPS, come_back, crowd};
use crate::kept::Kept;
use crate::program::Program;
use crate::table::{Line, Target};
use crate::{Scale, median, tell};

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    let count = scale.storm_phones;
    tell(&format!("storm: {count} phones join"));
    let program = Program::county().await;
    let mut phones = crowd(&program.desk, count).await;
    let before = Kept::read(program.folder());
    let (mut seconds, mut p99_ms) = (Vec::new(), Vec::new());
    for round in 1..=scale.rounds {
        tell(&format!("storm: round {round} of {}", scale.rounds));
        let load = come_back(&mut phones).await;
        seconds.push(load.elapsed.as_secs_f64());
        p99_ms.push(Figures::of(load.pushes).p99);
    }
    let folder = program.stop().await;
    before.check_grown(&Kept::read(folder.path()), scale.rounds * count * BATCH_OPS);
    let what = format!("reconnect storm, {count} phones × {BATCH_OPS} ops");
    vec![
        Line::new(format!("{what}: all there exactly once after"), Target::AtMost(3.0), median(seconds), "s"),
        Line::new(format!("{what}: p99"), Target::AtMost(2_000.0), median(p99_ms), "ms"),
    ]
}
