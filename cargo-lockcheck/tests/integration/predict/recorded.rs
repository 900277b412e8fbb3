//! Recorded runs of programs with known deadlocks (`traces/SOURCE.md`).

use std::path::Path;

use cargo_lockcheck::predict::{Limits, predict};
use cargo_lockcheck::traces::std_format::StdTrace;

use super::notation::shown;

/// A trace, and what is in it.
const RECORDED: &[(&str, &[(&str, &str)])] = &[
    ("apache_42031", &[("T10:6->E:8 T9:E:8->6", "potential")]),
    ("mysql_50038", &[("T10:E:9->7 T11:7->E:9", "potential")]),
    ("mysql_68251", &[("T10:E:8->7 T11:7->5 T9:5->E:8", "potential")]),
    ("cond_var_fn_idiomatic", &[("T10:6->E:9 T11:E:9->8 T12:8->6", "potential")]),
    ("memcached_567", &[("T11:E:10->8 T12:8->E:10", "potential")]),
    // A notification lets the second thread be spawned.
    ("cond_var_fp", &[("T12:8->10 T13:10->8", "ordered")]),
    ("cond_var_fp_idiomatic", &[("T13:9->11 T14:11->9", "ordered")]),
    // A flag does so, which for the trace is a variable like others.
    ("cond_var_tn", &[("T11:8->10 T12:10->8", "potential")]),
    ("jdk_8012019", &[]),
    ("lucene_2783", &[]),
    ("pool_146", &[]),
    ("pool_149", &[]),
];

#[test]
fn recorded_runs_have_their_circles() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/predict/traces");
    for (name, expected) in RECORDED {
        let path = directory.join(format!("{name}_dlf.std"));
        let (trace, _) = StdTrace::read(&path, name);
        let recording = trace.expect("it can be read").recording;
        let prediction = predict(&recording, Limits::default());
        let mut found: Vec<(String, &str)> = prediction
            .circles
            .iter()
            .map(|circle| (shown(&recording, circle), circle.sureness.tier.code()))
            .collect();
        found.sort();
        let expected: Vec<(String, &str)> =
            expected.iter().map(|(circle, tier)| ((*circle).to_owned(), *tier)).collect();
        assert_eq!(found, expected, "{name}");
    }
}
