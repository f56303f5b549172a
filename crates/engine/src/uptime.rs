//! How long the machine has been there, its sleep included: what lasts ten minutes is over after a night with the lid
//! closed.

use std::time::Duration;

/// The time since some moment in the past. It goes on evenly, whatever is done to the machine's clock, and while the
/// machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn uptime() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    // Linux stops this clock's usual form while the machine sleeps; Apple's systems do not.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;

    let at = clock_gettime(CLOCK);
    // Neither part is negative: the clock begins at zero.
    let (seconds, nanos) = (u64::try_from(at.tv_sec).unwrap_or(0), u32::try_from(at.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanos)
}

/// The same: the counter of Windows goes on while the machine sleeps.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn uptime() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux tells there how long ago the machine was started, its sleep included.
    #[cfg(target_os = "linux")]
    #[test]
    fn sleep_counts() {
        let told = || {
            let text = std::fs::read_to_string("/proc/uptime").expect("Linux tells it");
            let seconds = text.split_whitespace().next().expect("two numbers").parse().expect("seconds");
            Duration::from_secs_f64(seconds)
        };
        let (before, now, after) = (told(), uptime(), told());
        // What the file tells is cut to hundredths of a second.
        let unit = Duration::from_millis(10);
        assert!(before <= now && now < after + unit, "{before:?} {now:?} {after:?}");
    }
}
