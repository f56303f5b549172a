//! A task as a list of steps that says which one runs, how many there are and how long it took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

type Work<'a> = Box<dyn FnOnce() -> Result<()> + 'a>;

/// Steps in the order they run.
#[derive(Default)]
pub(crate) struct Plan<'a> {
    steps: Vec<(String, Work<'a>)>,
}

impl<'a> Plan<'a> {
    /// No steps yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a step; `what` is what a person reads while it runs.
    #[must_use]
    pub(crate) fn step(mut self, what: &str, work: impl FnOnce() -> Result<()> + 'a) -> Self {
        self.steps.push((what.to_owned(), Box::new(work)));
        self
    }

    /// Runs the steps; the first that fails ends the task.
    pub(crate) fn run(self) -> Result<()> {
        self.work_off(|_| false)
    }

    /// Runs the steps to the end, so that all that is wrong is seen at once.
    pub(crate) fn run_all(self) -> Result<()> {
        self.work_off(|error| {
            eprintln!("xtask: {error:#}");
            true
        })
    }

    fn work_off(self, may_go_on: impl Fn(&anyhow::Error) -> bool) -> Result<()> {
        let began = Instant::now();
        let steps = self.steps.len();
        let mut failed = Vec::new();
        for (at, (what, work)) in self.steps.into_iter().enumerate() {
            eprintln!("\n[{}/{steps} · {}] {what}", at + 1, clock(began.elapsed()));
            if let Err(error) = work().with_context(|| format!("step {} of {steps} failed: {what}", at + 1)) {
                if !may_go_on(&error) {
                    return Err(error);
                }
                failed.push(what);
            }
        }
        if !failed.is_empty() {
            bail!("{} of {steps} steps failed: {}", failed.len(), failed.join("; "));
        }
        eprintln!("\n[{steps}/{steps} · {}] done", clock(began.elapsed()));
        Ok(())
    }
}

/// Minutes and seconds, as on a stop-watch.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn steps_run_in_order_and_the_first_failure_ends_the_task() {
        let ran = RefCell::new(Vec::new());
        let outcome = Plan::new()
            .step("one", || {
                ran.borrow_mut().push(1);
                Ok(())
            })
            .step("two", || bail!("no"))
            .step("three", || {
                ran.borrow_mut().push(3);
                Ok(())
            })
            .run();
        assert_eq!(format!("{:#}", outcome.unwrap_err()), "step 2 of 3 failed: two: no");
        assert_eq!(*ran.borrow(), [1]);
    }

    #[test]
    fn all_steps_run_and_all_failures_are_named() {
        let ran = RefCell::new(Vec::new());
        let step = |number: i32, fails: bool| {
            let ran = &ran;
            move || {
                ran.borrow_mut().push(number);
                anyhow::ensure!(!fails, "no");
                Ok(())
            }
        };
        let plan = Plan::new().step("one", step(1, true)).step("two", step(2, false)).step("three", step(3, true));
        assert_eq!(plan.run_all().unwrap_err().to_string(), "2 of 3 steps failed: one; three");
        assert_eq!(*ran.borrow(), [1, 2, 3]);
    }

    #[test]
    fn the_clock_reads_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(125)), "2:05");
    }
}
