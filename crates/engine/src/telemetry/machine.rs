//! What the system tells of this program and of the laptop: processor, memory, battery. What it does not tell is none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use starship_battery::State;
use starship_battery::units::ratio::percent;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct MachineFacts {
    /// How busy this program has kept all processors since the last look, of a hundred.
    pub processor: Option<f64>,
    /// Its memory, in bytes.
    pub memory: Option<u64>,
    /// The laptop's battery.
    pub battery: Option<BatteryFacts>,
}

/// The battery of the laptop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BatteryFacts {
    /// How full it is, of a hundred.
    pub full: f64,
    /// Whether the laptop runs on it.
    pub in_use: bool,
}

/// Remembers the last look.
#[derive(Debug, Default)]
pub(super) struct Machine(Mutex<Option<Looked>>);

#[derive(Debug)]
struct Looked {
    system: System,
    at: Instant,
    /// Processor time since the start of the program, in milliseconds.
    busy_ms: u64,
}

impl Machine {
    /// Looks on a thread that may wait for files.
    pub(super) async fn look(self: &Arc<Self>) -> MachineFacts {
        let machine = Arc::clone(self);
        let looked =
            tokio::task::spawn_blocking(move || MachineFacts { battery: battery(), ..machine.look_at_program() });
        looked.await.unwrap_or_default()
    }

    fn look_at_program(&self) -> MachineFacts {
        let nothing = MachineFacts::default();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.as_ref().map(|looked| (looked.at, looked.busy_ms));
        let system = match last.take() {
            Some(looked) => Ok(looked.system),
            None => System::new(),
        };
        let (Ok(mut system), Ok(own)) = (system, sysinfo::get_current_pid()) else { return nothing };
        let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, wanted);
        let Some((busy_ms, memory)) = system.process(own).map(|own| (own.accumulated_cpu_time(), own.memory())) else {
            return nothing;
        };
        let at = Instant::now();
        *last = Some(Looked { system, at, busy_ms });
        let processor =
            before.and_then(|(then, then_ms)| share(busy_ms.saturating_sub(then_ms), (at - then).as_secs_f64()));
        MachineFacts { processor, memory: Some(memory), ..nothing }
    }
}

/// Of a hundred of what all processors could have done in that time.
fn share(busy_ms: u64, seconds: f64) -> Option<f64> {
    let processors = std::thread::available_parallelism().ok()?.get();
    let could = seconds * 1_000.0 * super::gauges::as_f64(processors as u64);
    (seconds > 0.5).then(|| (100.0 * super::gauges::as_f64(busy_ms) / could).clamp(0.0, 100.0))
}

/// The battery that is in the laptop; several are taken together. A computer without one has none.
fn battery() -> Option<BatteryFacts> {
    let found = starship_battery::Manager::new().ok()?.batteries().ok()?;
    let each: Vec<BatteryFacts> = found
        .filter_map(Result::ok)
        .map(|battery| BatteryFacts {
            full: f64::from(battery.state_of_charge().get::<percent>()).clamp(0.0, 100.0),
            in_use: battery.state() == State::Discharging,
        })
        .collect();
    let full = each.iter().map(|battery| battery.full).sum::<f64>() / super::gauges::as_f64(each.len() as u64);
    (!each.is_empty()).then(|| BatteryFacts { full, in_use: each.iter().any(|battery| battery.in_use) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_program_knows_its_own_memory() {
        let machine = Arc::new(Machine::default());
        let facts = machine.look().await;
        assert!(facts.memory.is_some_and(|bytes| bytes > 1024 * 1024), "{facts:?}");
        assert_eq!(facts.processor, None, "the first look has nothing to compare with");
        let again = machine.look().await;
        assert!(again.memory.is_some() && again.processor.is_none(), "too soon to tell: {again:?}");
    }

    #[test]
    fn a_share_is_of_all_processors() {
        assert_eq!(share(0, 10.0), Some(0.0));
        assert_eq!(share(u64::MAX, 10.0), Some(100.0));
        assert_eq!(share(10, 0.1), None);
    }
}
