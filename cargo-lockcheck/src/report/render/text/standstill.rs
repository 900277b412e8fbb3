//! What the threads of a process did that did not end by itself, in lines.

use std::time::Duration;

use crate::report::model::{Mode, Standing, StandingFor, StandingHold, StandingWait, Standstill};
use crate::report::wording;

/// A sentence, and a paragraph for each thread.
pub(super) fn describe(standstill: &Standstill) -> String {
    let Standstill { program, threads } = standstill;
    let mut text =
        format!("`{program}` did not end by itself; its threads when they were looked at last:");
    for thread in threads {
        text += &format!("\n  {}", wording::thread(&thread.thread));
        text += &format!("\n    {}", waits(thread));
        for held in &thread.held {
            text += &format!("\n    {}", holds(held));
        }
    }
    text
}

fn waits(thread: &Standing) -> String {
    let Some(StandingWait { awaited, name, site, ns }) = &thread.wait else {
        return "runs, or waits for what is not watched".to_owned();
    };
    let name = name.as_ref().map(|name| format!("`{name}`"));
    let what = match (awaited, name) {
        (StandingFor::Lock | StandingFor::Event, name) => {
            format!("waits for {}", name.unwrap_or_else(|| "something".to_owned()))
        }
        (StandingFor::Join, name) => {
            format!("waits for the end of {}", name.unwrap_or_else(|| "a thread".to_owned()))
        }
        (StandingFor::Unpark, _) => "is parked".to_owned(),
        (StandingFor::Time, Some(name)) => format!("waits for {name}, or a time"),
        (StandingFor::Time, None) => "waits for a time".to_owned(),
    };
    format!("{what} since {:.1?}, at {site}", Duration::from_nanos(*ns))
}

fn holds(held: &StandingHold) -> String {
    let StandingHold { lock, mode, site } = held;
    let how = match mode {
        Mode::Write => "holds",
        Mode::Upgradable => "holds, upgradable,",
        Mode::Read => "reads",
    };
    format!("{how} `{lock}` since {site}")
}

#[cfg(test)]
mod tests {
    use super::describe;
    use crate::report::model::{
        Mode, Place, Standing, StandingFor, StandingHold, StandingWait, Standstill,
    };

    #[test]
    fn each_thread_is_told_with_what_it_waits_for_and_holds() {
        let site = |line| Place { file: "src/lib.rs".to_owned(), line, column: 1 };
        let wait = |awaited, name: Option<&str>| {
            let name = name.map(str::to_owned);
            Some(StandingWait { awaited, name, site: site(3), ns: 61_500_000_000 })
        };
        let held = vec![StandingHold { lock: "LEFT".to_owned(), mode: Mode::Write, site: site(2) }];
        let thread = |name: &str, wait, held| Standing { thread: name.to_owned(), wait, held };
        let standstill = Standstill {
            program: "bank".to_owned(),
            threads: vec![
                thread("main", wait(StandingFor::Join, Some("teller")), Vec::new()),
                thread("teller", wait(StandingFor::Lock, Some("RIGHT")), held),
                thread("other", None, Vec::new()),
            ],
        };
        let expected = "`bank` did not end by itself; its threads when they were looked at last:
  thread `main`
    waits for the end of `teller` since 61.5s, at src/lib.rs:3
  thread `teller`
    waits for `RIGHT` since 61.5s, at src/lib.rs:3
    holds `LEFT` since src/lib.rs:2
  thread `other`
    runs, or waits for what is not watched";
        assert_eq!(describe(&standstill), expected);
    }
}
