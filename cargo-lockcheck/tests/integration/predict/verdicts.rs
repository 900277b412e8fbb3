//! Random runs: what is predicted comes about in some schedule, and what comes about is told.
//!
//! `LOCKCHECK_PROGRAMS` says how many programs of each shape are tried, `LOCKCHECK_SEED` which; the figures
//! are printed (`-- --nocapture`).

use std::cell::RefCell;
use std::env;

use cargo_lockcheck::predict::recording::{Action, Recording};
use cargo_lockcheck::predict::{Limits, predict};
use lockdep::finding::Tier;
use proptest::prelude::{ProptestConfig, any, prop};
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};

use super::all_schedules::{Key, deadlocks, key};
use super::random::{Shape, run};

/// What was tried, and what came of it.
#[derive(Debug, Default)]
struct Figures {
    programs: u64,
    circles: u64,
    predicted: u64,
    refuted: u64,
    /// Deadlocks that some schedule comes to.
    real: u64,
    /// Of those, the ones that are not called `predicted`.
    not_predicted: u64,
}

const SHAPES: &[(&str, Shape)] = &[
    ("locks", Shape { threads: 3, locks: 3, variables: 0, reads: false, steps: 10 }),
    ("locks and data", Shape { threads: 3, locks: 3, variables: 2, reads: false, steps: 10 }),
    ("four threads", Shape { threads: 4, locks: 3, variables: 1, reads: false, steps: 6 }),
    ("reads", Shape { threads: 4, locks: 2, variables: 1, reads: true, steps: 5 }),
];

fn number(name: &str, unless_set: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(unless_set)
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for who asks for more programs")]
fn what_is_predicted_comes_about_and_what_comes_about_is_told() {
    let (programs, seed) = (number("LOCKCHECK_PROGRAMS", 300), number("LOCKCHECK_SEED", 1));
    println!("seed {seed}, {programs} programs of each shape");
    for (name, shape) in SHAPES {
        let config = ProptestConfig {
            cases: u32::try_from(programs).unwrap_or(u32::MAX),
            rng_seed: RngSeed::Fixed(seed),
            failure_persistence: None,
            max_global_rejects: u32::MAX,
            ..ProptestConfig::default()
        };
        let figures = RefCell::new(Figures::default());
        let choices = prop::collection::vec(any::<u16>(), 20..200);
        let outcome = TestRunner::new(config).run(&choices, |choices| {
            let Some(recording) = run(&choices, *shape) else {
                return Err(TestCaseError::reject("it ran into a deadlock"));
            };
            judge(&recording, &mut figures.borrow_mut()).map_err(TestCaseError::fail)
        });
        println!("{name}: {:?}", figures.borrow());
        if let Err(error) = outcome {
            panic!("{name}: {error}");
        }
        let Figures { real, not_predicted, predicted, .. } = figures.into_inner();
        assert!(predicted > 0, "{name}: nothing was predicted");
        assert!(not_predicted * 1000 <= real, "{name}: {not_predicted} of {real} not predicted");
    }
}

/// Compares what is said of a run with all of its schedules.
fn judge(recording: &Recording, figures: &mut Figures) -> Result<(), String> {
    let prediction = predict(recording, Limits { ways: 256, ..Limits::default() });
    let told: Vec<(Key, Tier)> = prediction
        .circles
        .iter()
        .map(|circle| {
            let links = circle.links.iter().map(|link| (link.thread, link.asked, link.asked_mode));
            (key(links.collect()), circle.sureness.tier)
        })
        .collect();
    let (sync, data) = (deadlocks(recording, false), deadlocks(recording, true));
    figures.programs += 1;
    figures.circles += told.len() as u64;
    for (circle, (key, tier)) in prediction.circles.iter().zip(&told) {
        let requests = circle.links.iter().map(|link| link.request).collect();
        let comes_about = |of: &super::all_schedules::Deadlocks| {
            of.0.get(key).is_some_and(|waits| waits.contains(&requests))
        };
        match tier {
            Tier::Predicted => {
                figures.predicted += 1;
                if !comes_about(&data) {
                    return Err(format!(
                        "{} is predicted and never\n{}",
                        show(key),
                        steps(recording)
                    ));
                }
            }
            Tier::Reachable if !comes_about(&sync) => {
                return Err(format!("{} is reachable and never\n{}", show(key), steps(recording)));
            }
            Tier::Guarded | Tier::Ordered | Tier::Refuted => {
                figures.refuted += 1;
                if comes_about(&sync) {
                    let why = &circle.sureness.apart;
                    return Err(format!(
                        "{} is {tier} ({why:?}) and comes about\n{}",
                        show(key),
                        steps(recording)
                    ));
                }
            }
            _ => {}
        }
    }
    let surest =
        |wanted: &Key| told.iter().filter(|(key, _)| key == wanted).map(|(_, tier)| *tier).max();
    for key in sync.0.keys() {
        let tier = surest(key);
        if !tier.is_some_and(|tier| tier.is_shown()) {
            return Err(format!(
                "{} comes about, and is {tier:?}\n{}",
                show(key),
                steps(recording)
            ));
        }
    }
    for key in data.0.keys() {
        figures.real += 1;
        figures.not_predicted += u64::from(surest(key) != Some(Tier::Predicted));
    }
    Ok(())
}

fn show(key: &Key) -> String {
    let links =
        key.iter().map(|(thread, what, mode)| format!("T{} asks {what:?} {mode:?}", thread.0));
    links.collect::<Vec<String>>().join(", ")
}

fn steps(recording: &Recording) -> String {
    let steps = recording.events.iter().enumerate().map(|(number, event)| {
        let does = match event.action {
            Action::Request(lock, mode) => format!("req({}, {mode:?})", lock.0),
            Action::Acquire(lock, mode, how) => format!("acq({}, {mode:?}, {how:?})", lock.0),
            Action::Release(lock) => format!("rel({})", lock.0),
            Action::Fork(child) => format!("fork(T{})", child.0),
            Action::Join(child) => format!("join(T{})", child.0),
            other => format!("{other:?}"),
        };
        format!("{number:>3} T{} {does}", event.thread.0)
    });
    steps.collect::<Vec<String>>().join("\n")
}
