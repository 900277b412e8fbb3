//! The STD format: what is read, what is written, and what is said of what is neither.

use cargo_lockcheck::predict::recording::{Action, Manner, Mode, SignalKind};
use cargo_lockcheck::predict::{Limits, predict};
use cargo_lockcheck::traces::std_format::{StdTrace, write};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::RngSeed;

use super::notation::{recording, shown};
use super::random::{Shape, run};

fn parse(text: &[u8]) -> (Option<StdTrace>, String) {
    let (trace, warnings) = StdTrace::parse(&mut &*text, "a.std");
    let warnings: Vec<String> = warnings.into_iter().map(|warning| warning.0).collect();
    (trace, warnings.join("\n"))
}

fn written(of: &cargo_lockcheck::predict::recording::Recording) -> String {
    let mut text = Vec::new();
    write(of, &mut text).expect("memory takes it");
    String::from_utf8(text).expect("it is text")
}

#[test]
fn each_operation_is_read() {
    let text = "T1|fork(2)|a\nT1|join(T2)|a\nT1|rreq(l)|b\r\nT1|racq(l)|b\n\n T1 | rrel(l) | b \n\
                T1|try(l)|c\nT1|rel(l)|c\nT1|begin\nT1|dummy(x)|3\n2|r(v)|1\nT2|w(v)|1\n\
                T2|wait(c)|1\nT2|notify(c)|1\nT2|broadcast(c)|1\nT2|send(q)|1\nT2|send(q,4)|1\n\
                T2|recv(q)|1\nT2|bar(b,2)|1\nT1|uacq(l)|1";
    let (trace, _) = parse(text.as_bytes());
    let StdTrace { recording, lines, .. } = trace.expect("it is a trace");
    assert_eq!(recording.threads, ["T1", "T2"]);
    assert_eq!(recording.sites, ["a", "b", "c", "1"]);
    let kinds: Vec<SignalKind> = recording.signals.iter().map(|signal| signal.kind).collect();
    assert_eq!(kinds, [SignalKind::Condvar, SignalKind::Channel(Some(4)), SignalKind::Barrier(2)]);
    assert_eq!(recording.events.len(), 17);
    assert_eq!(lines[3..6], [4, 6, 7]);
    let manners: Vec<(Mode, Manner)> = recording
        .events
        .iter()
        .filter_map(|event| match event.action {
            Action::Acquire(_, mode, manner) => Some((mode, manner)),
            _ => None,
        })
        .collect();
    let expected = [
        (Mode::Read, Manner::Blocking),
        (Mode::Write, Manner::Try),
        (Mode::Upgradable, Manner::Blocking),
    ];
    assert_eq!(manners, expected);
}

#[test]
fn what_is_wrong_is_said() {
    for (text, is_used, said) in [
        ("T1|acq(l)|1\nT1|rel(l)|2\n", true, ""),
        ("", false, "a.std is empty"),
        (
            "{\"t\":\"trace\"}\n",
            false,
            "a.std has no line like `T1|acq(lock)|12`, so it is no trace in the STD format; it is \
             left out",
        ),
        (
            "T1|acq(l)|1\nT1|fly(l)|2\n",
            true,
            "line 2 of a.std is no step of the STD format and is left out, 1 are used; it begins \
             `T1|fly(l)|2`",
        ),
        (
            "T1|acq(l)|1\nT1|acq(|2\n|acq(l)|1\nT1|bar(b,0)|1\nT1|wait(x)|1\nT1|send(x)|1\n",
            true,
            "4 lines of a.std are no steps of the STD format and are left out, 2 are used; it \
             begins `T1|acq(|2`",
        ),
        (
            "T1|acq(l)|1\nT2|acq(l)|2\nT2|rel(k)|3\n",
            true,
            "a.std is not the record of one run, and what is reported of it may be wrong: in line \
             2 `T2` gets `l` while `T1` has it, and another step cannot be either",
        ),
        (
            "T1|fork(2)|1\nT1|join(2)|2\nT2|acq(l)|2\n",
            true,
            "a.std is not the record of one run, and what is reported of it may be wrong: in line \
             3 `T2` goes on though it has been joined",
        ),
    ] {
        let (trace, warnings) = parse(text.as_bytes());
        assert_eq!((trace.is_some(), warnings.as_str()), (is_used, said), "{text:?}");
    }
}

#[test]
fn what_is_written_is_read_as_the_same() {
    for steps in [
        "M fork(T0); T0 racq(A) try(B) rel(B) rrel(A); M join(T0) r(x) w(x)",
        "M fork(T1); T1 acq(m) rel(m) cvwait(c); M notify(c) notifyAll(c) send(q,2) recv(q) send(u)",
        "M bar(b,2); T1 bar(b,2)",
    ] {
        let text = written(&recording(steps));
        let (again, warnings) = parse(text.as_bytes());
        assert_eq!(warnings, "", "{text}");
        assert_eq!(written(&again.expect("it is a trace").recording), text);
    }
}

#[test]
fn a_name_with_marks_of_the_format_does_not_break_a_line() {
    let mut odd = recording("M acq(A) rel(A)");
    odd.threads[0] = "a|b\n(c)".to_owned();
    odd.locks[0].name = String::new();
    odd.sites.iter_mut().for_each(|site| *site = "x|y\nz".to_owned());
    let text = written(&odd);
    assert_eq!(text, "a_b__c_|req(_)|x_y_z\na_b__c_|acq(_)|x_y_z\na_b__c_|rel(_)|x_y_z\n");
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (trace, warnings) = parse(&bytes);
        prop_assert!(trace.is_some() || !warnings.is_empty());
    }

    #[test]
    fn any_steps_are_survived(
        steps in prop::collection::vec((0..4u8, 0..19usize, 0..3u8), 0..60),
    ) {
        let names = [
            "req", "acq", "rel", "rreq", "racq", "uacq", "try", "fork", "join", "r", "w", "wait",
            "notify", "notifyAll", "send", "recv", "ureq", "rtry", "utry",
        ];
        let lines = steps.iter().map(|(thread, name, of)| {
            format!("T{thread}|{}({of})|{of}\n", names[*name])
        });
        let text: String = lines.collect();
        if let (Some(trace), _) = parse(text.as_bytes()) {
            predict(&trace.recording, Limits::default());
        }
    }

    #[test]
    fn a_written_run_is_judged_as_the_run(choices in prop::collection::vec(any::<u16>(), 20..160)) {
        let shape = Shape { threads: 3, locks: 3, variables: 1, reads: true, steps: 8 };
        let Some(run) = run(&choices, shape) else { return Ok(()) };
        let (again, warnings) = parse(written(&run).as_bytes());
        prop_assert_eq!(warnings, "");
        let told = |recording: &cargo_lockcheck::predict::recording::Recording| {
            let circles = predict(recording, Limits::default()).circles;
            let told = circles.iter().map(|circle| {
                (shown(recording, circle), circle.sureness.tier.code())
            });
            let mut told: Vec<(String, &str)> = told.collect();
            told.sort();
            told
        };
        prop_assert_eq!(told(&run), told(&again.expect("it is a trace").recording));
    }
}
