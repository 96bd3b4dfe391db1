//! One run: warm-up, measured window, and the wait for what is still under way.
//!
//! Invariant: in an open loop each payment has its scheduled time whatever happened to the ones before it, and its
//! latency counts from then. What could not begin in time is reported.

use super::{
    IN_FLIGHT_MAX, Measurement, Options, Pace,
    engine::{Engine, PAYMENT_TIMEOUT, Refill},
    recorder::{Recorder, Window},
};
use crate::{
    process::{processor_time, thread_processor_time},
    scheme::Reach,
};
use std::{mem, time::Duration};
use tokio::time::{MissedTickBehavior, interval, sleep};

const TICK: Duration = Duration::from_millis(1);
const DRAIN_POLL: Duration = Duration::from_millis(5);
const NANOSECONDS: u64 = 1_000_000_000;

/// Processor times at one moment.
struct Usage {
    hub: Option<Duration>,
    generator: Duration,
}

impl Engine {
    /// Runs once. Runs of one engine follow one another; each has its own measurement.
    pub async fn run(&self, options: &Options) -> Measurement {
        let begun = self.now();
        let window_from = begun + nanoseconds(options.warm_up);
        let window = Window { from: window_from, to: window_from + nanoseconds(options.measured) };
        self.prepare(window, options.reach);
        let of_hub = || options.hub_pids.iter().map(|pid| processor_time(*pid)).sum();
        let usage = || Usage { hub: of_hub(), generator: thread_processor_time() };
        let measure = async {
            sleep(options.warm_up).await;
            let before = usage();
            sleep(options.measured).await;
            (before, usage())
        };
        let (before, after) = match options.pace {
            Pace::Closed { concurrency } => self.closed(concurrency, measure).await,
            Pace::Open { payments_per_second } => self.open(payments_per_second, window.to, measure).await,
        };
        self.drain().await;
        self.measurement(options.measured, &before, &after)
    }

    fn prepare(&self, window: Window, reach: Reach) {
        let mut state = self.state.borrow_mut();
        (state.recorder.window, state.reach) = (window, reach);
    }

    async fn closed<T>(&self, concurrency: u32, measure: impl Future<Output = T>) -> T {
        self.refill.set(Refill::NextPayment);
        for _ in 0..concurrency.min(IN_FLIGHT_MAX) {
            if !self.begin(self.now()) {
                self.complain(|| "too few parties for so many payments at a time".to_owned());
                break;
            }
        }
        let measured = measure.await;
        self.refill.set(Refill::Nothing);
        measured
    }

    async fn open<T>(&self, per_second: u32, end: u64, measure: impl Future<Output = T>) -> T {
        let schedule = async {
            let begun = self.now();
            let due_at = |number: u64| begun + number * NANOSECONDS / u64::from(per_second.max(1));
            let mut number = 0;
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            while due_at(number) < end && !self.state.borrow().recorder.is_full() {
                ticks.tick().await;
                let now = self.now();
                while due_at(number) <= now.min(end - 1) && self.has_place() && self.begin(due_at(number)) {
                    number += 1;
                }
                if now >= end {
                    break;
                }
            }
            let missing = (number..).take_while(|number| due_at(*number) < end).count();
            if missing > 0 {
                self.complain(|| format!("{missing} payments could not begin: the hub does not keep up with the rate"));
            }
        };
        tokio::join!(measure, schedule).0
    }

    fn has_place(&self) -> bool {
        self.state.borrow().under_way() < IN_FLIGHT_MAX as usize
    }

    /// Ends when nothing is under way; [`Engine::fail_late_payments`] sees to it that this comes to pass.
    async fn drain(&self) {
        while self.state.borrow().under_way() > 0 {
            sleep(DRAIN_POLL).await;
        }
    }

    fn measurement(&self, elapsed: Duration, before: &Usage, after: &Usage) -> Measurement {
        let mut state = self.state.borrow_mut();
        let recorder: &mut Recorder = &mut state.recorder;
        let hub_cpu = after.hub.zip(before.hub).map(|(after, before)| after.saturating_sub(before));
        Measurement {
            payments: mem::take(&mut recorder.payments),
            elapsed,
            end_to_end: mem::take(&mut recorder.end_to_end),
            hub_added: mem::take(&mut recorder.hub_added),
            hub_cpu,
            generator_cpu: after.generator.saturating_sub(before.generator),
            errors: mem::take(&mut recorder.errors),
            repeated_messages: mem::take(&mut recorder.repeated_messages),
            committed: recorder.committed.len() as u64,
            positions: recorder.positions.clone(),
        }
    }

    /// Keeps time and patience, for as long as the engine lives.
    pub async fn housekeeping(&self) {
        let mut seconds = interval(Duration::from_secs(1));
        loop {
            seconds.tick().await;
            self.refresh_texts();
            self.fail_late_payments(PAYMENT_TIMEOUT);
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("a run is shorter than 500 years")
}
