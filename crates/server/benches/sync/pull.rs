//! One phone pulls a whole show, page by page.

use std::time::Duration;

use crate::checkin::{BATCH_OPS, crowd, push_all};
use crate::program::Program;
use crate::table::{Line, Target};
use crate::{Scale, median, per_second, tell};

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    tell("pull: the show is filled");
    let program = Program::county().await;
    let count = scale.crowds[0];
    let mut phones = crowd(&program.desk, count).await;
    push_all(&mut phones, count, (scale.ops / count / BATCH_OPS).max(1)).await;
    let mut reader = phones.pop().expect("a phone").phone;
    let (mut speeds, mut rows) = (Vec::new(), 0);
    for round in 1..=scale.rounds {
        tell(&format!("pull: round {round} of {}", scale.rounds));
        reader.forget_cursor();
        reader.pulls.clear();
        let (mut last, mut ordered) = (0, true);
        rows = reader
            .pull(|change| {
                ordered &= change.seq > last;
                last = change.seq;
            })
            .await
            .expect("the pull ends");
        assert!(ordered && rows > scale.ops / 2, "every row came once: {rows}");
        // What the phone does with a page is its own time.
        speeds.push(per_second(rows, reader.pulls.iter().sum::<Duration>()));
    }
    program.stop().await;
    vec![Line::new(
        format!("pull, pages of 1,000, one phone, {rows} rows"),
        Target::AtLeast(200_000.0),
        median(speeds),
        "rows/s",
    )]
}
