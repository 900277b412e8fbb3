//! The reader of traces, on what is no proper trace.

use std::path::Path;

use cargo_lockcheck::traces::merge::Merged;
use cargo_lockcheck::traces::trace::{Shared, Trace, Warning};
use cargo_lockcheck::traces::{self, analyze::analyze};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use proptest::test_runner::RngSeed;

use crate::report::case_texts;
use crate::synthetic::{no_sources, text};

fn parse(bytes: &[u8]) -> (Option<Trace>, Vec<Warning>) {
    Trace::parse(&mut &*bytes, "1.lctrace", &no_sources())
}

/// The warnings on `bytes` as text, and how many orders were read.
fn warned(bytes: &[u8]) -> (Option<usize>, String) {
    let (trace, warnings) = parse(bytes);
    let warnings: Vec<String> = warnings.into_iter().map(|warning| warning.0).collect();
    (trace.map(|trace| trace.orders.len()), warnings.join("\n"))
}

#[test]
fn what_is_wrong_is_said() {
    let whole = text(1, "t: A B; u: B A");
    let torn = &whole[..whole.find("\"held\"").expect("there is an order")];
    let first_line = whole.lines().next().expect("there is one").to_owned() + "\n";
    let padded = whole.clone() + "\0\0\0\0\0\0";
    let newer = whole.replace("\"version\":1", "\"version\":3");
    let future =
        whole.replace("{\"t\":\"end\"}", "{\"t\":\"stack\",\"deep\":[[{}]]}\n{\"t\":\"end\"}");
    let damaged =
        whole.replace("{\"t\":\"end\"}", "{\"t\":\"many\",\"class\":99}\n\u{1}\u{2}\n[1,2]");
    let unknown = "1.lctrace is damaged: 3 of its lines could not be understood and are left out, \
                   14 are used";
    for (name, bytes, orders, warning) in [
        ("whole", whole.as_bytes(), Some(2), ""),
        ("mapped in steps", padded.as_bytes(), Some(2), ""),
        ("lines of a later version", future.as_bytes(), Some(2), ""),
        (
            "torn",
            torn.as_bytes(),
            Some(0),
            "1.lctrace ends in the middle of a line; the 8 whole lines before are used",
        ),
        ("only begun", first_line.as_bytes(), Some(0), ""),
        ("damaged", damaged.as_bytes(), Some(2), unknown),
        (
            "newer",
            newer.as_bytes(),
            None,
            "1.lctrace has version 3 of the trace format, and this program knows versions up to 2; \
             it is left out, so update cargo-lockcheck",
        ),
        (
            "foreign",
            b"\x7fELF\x02\x01\x01\n\n",
            None,
            "1.lctrace does not begin like a lock trace, so it is left out",
        ),
        ("empty", b"", None, "1.lctrace is empty: its process was killed before it took a lock"),
    ] {
        assert_eq!(warned(bytes), (orders, warning.to_owned()), "{name}");
    }
}

/// As where parts of two traces are in one file.
#[test]
fn a_number_that_is_given_twice_loses_no_class() {
    let (first, second) = (text(1, "t: A B"), text(1, "t: C D"));
    let rest: String = second.lines().skip(1).map(|line| line.to_owned() + "\n").collect();
    let classes = |text: &str| parse(text.as_bytes()).0.expect("a trace").classes;
    let (before, both) = (classes(&first), classes(&(first.clone() + &rest)));
    assert!(before.len() == 2 && both.len() == 4, "{both:?}");
    assert!(before.iter().all(|class| both.contains(class)), "{both:?}");
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let (trace, warnings) = Trace::read(
        Path::new("/nowhere/1.lctrace"),
        &no_sources(),
        &mut Shared::default(),
        &mut Vec::new(),
    );
    assert!(trace.is_none());
    assert!(warnings[0].0.starts_with("/nowhere/1.lctrace could not be opened"), "{warnings:?}");
    let (merged, unread) = traces::read(&["/nowhere".into()], &no_sources(), &|_, _| {});
    let warnings = unread.warnings;
    assert_eq!(merged, Merged::default());
    assert!(warnings[0].0.starts_with("the traces in /nowhere could not be read"), "{warnings:?}");
}

/// Reads, merges and analyses, and expects only that it comes to an end.
fn survive(bytes: &[u8]) {
    let (trace, warnings) = parse(bytes);
    assert!(trace.is_some() || !warnings.is_empty());
    let mut merged = Merged::default();
    trace.into_iter().for_each(|trace| merged.add(trace, &no_sources()));
    let _ = analyze(&merged, &no_sources(), &[]);
}

proptest! {
    // The same cases each time; PROPTEST_CASES asks for more of them.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn any_damage_is_survived(
        case in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..20),
    ) {
        let cases = case_texts();
        let mut bytes = cases[case.index(cases.len())].clone();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                // Numbers and brackets do more harm than other bytes.
                2 => bytes[at] = b"0123456789[]{},\":\n"[usize::from(byte) % 18],
                _ => bytes.truncate(at.max(1)),
            }
        }
        survive(&bytes);
    }

    #[test]
    fn a_cut_trace_gives_a_part_of_the_whole(
        case in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let cases = case_texts();
        let bytes = &cases[case.index(cases.len())];
        let (Some(whole), _) = parse(bytes) else { unreachable!("the cases are whole") };
        let (part, _) = parse(&bytes[..cut.index(bytes.len())]);
        if let Some(part) = part {
            prop_assert!(whole.orders.starts_with(&part.orders));
            prop_assert!(whole.findings.starts_with(&part.findings));
        }
    }
}
