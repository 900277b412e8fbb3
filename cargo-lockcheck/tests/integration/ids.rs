//! A finding has the same id whatever else is found, wherever, and however the lines move.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::traces::analyze::analyze;
use cargo_lockcheck::traces::merge::Merged;
use cargo_lockcheck::traces::trace::Trace;

/// Locks of the same names in several functions, modules and types. Each pair stands on the two
/// lines behind its number.
const SOURCE: &str = "\
fn one() {
    let a = Mutex::new(0); // 0
    let b = Mutex::new(0);
}
fn two() {
    let a = Mutex::new(0); // 1
    let b = Mutex::new(0);
}
static A: Mutex<u8> = Mutex::new(0); // 2
static B: Mutex<u8> = Mutex::new(0);
mod inner {
    static A: Mutex<u8> = Mutex::new(0); // 3
    static B: Mutex<u8> = Mutex::new(0);
    impl Bank {
        fn new() -> Bank {
            Bank {
                a: Mutex::new(0), // 4
                b: Mutex::new(0),
            }
        }
    }
    fn argument() {
        two(
            Mutex::new(0), // 5
            Mutex::new(0),
        )
    }
}
";

/// What one process saw: both locks of a pair, in one order or the other.
type Seen = (usize, bool);

/// A trace of process `pid`, whose source is `source`.
fn trace(pid: usize, source: &str, (pair, forward): Seen, sources: &Sources) -> Trace {
    let mark = format!("// {pair}\n");
    let first =
        source.lines().position(|line| format!("{line}\n").ends_with(&mark)).expect("a pair");
    let mut text = format!(
        "{{\"t\":\"trace\",\"version\":1,\"tool\":\"test\",\"pid\":{pid},\"exe\":\"/x/app\",\
         \"args\":[],\"time\":7}}\n{{\"t\":\"thread\",\"id\":1,\"name\":\"t\"}}\n"
    );
    for (at, line) in source.lines().enumerate().skip(first).take(2) {
        let column = line.find("Mutex::").expect("a lock is made there") + 1;
        let (id, line) = (at - first + 1, at + 1);
        let _ = writeln!(
            text,
            "{{\"t\":\"site\",\"id\":{id},\"file\":\"src/lib.rs\",\"line\":{line},\
             \"column\":{column}}}\n{{\"t\":\"class\",\"id\":{id},\"kind\":\"Mutex\",\
             \"type\":\"u8\",\"site\":{id}}}"
        );
    }
    let (outer, inner) = if forward { (1, 2) } else { (2, 1) };
    let hold = |class| format!("{{\"class\":{class},\"mode\":\"write\",\"site\":{class}}}");
    let (outer, inner) = (hold(outer), hold(inner));
    let _ = writeln!(text, "{{\"t\":\"order\",\"thread\":1,\"lock\":{inner},\"held\":[{outer}]}}");
    let (trace, warnings) = Trace::parse(&mut text.as_bytes(), "test", sources);
    assert_eq!(warnings, [], "{text}");
    trace.expect("it is a trace")
}

/// The ids of what processes that saw these found, in the workspace called `user`.
fn ids(user: &str, source: &str, seen: &[Seen]) -> BTreeSet<String> {
    let root = std::env::temp_dir().join(format!("lockcheck-ids-{user}-{}", std::process::id()));
    fs::create_dir_all(root.join("src")).expect("it can be made");
    fs::write(root.join("src/lib.rs"), source).expect("it can be written");
    let sources = Sources::new(&root, None);
    let mut merged = Merged::default();
    for (pid, &seen) in seen.iter().enumerate() {
        merged.add(trace(pid, source, seen, &sources), &sources);
    }
    let found = analyze(&merged, &sources, &[]).findings;
    let _ = fs::remove_dir_all(root);
    let count = found.len();
    let ids: BTreeSet<String> = found.into_iter().map(|finding| finding.id).collect();
    assert_eq!(ids.len(), count, "no two have one id");
    assert!(ids.iter().all(|id| id.matches('-').count() == 2), "none needs a number: {ids:?}");
    ids
}

const ALL: [usize; 6] = [0, 1, 2, 3, 4, 5];

fn both(pairs: &[usize]) -> Vec<Seen> {
    pairs.iter().flat_map(|&pair| [(pair, true), (pair, false)]).collect()
}

#[test]
fn locks_of_one_name_at_different_places_are_different() {
    assert_eq!(ids("different", SOURCE, &both(&ALL)).len(), ALL.len());
}

#[test]
fn shards_and_other_findings_change_no_id() {
    let whole = ids("whole", SOURCE, &both(&ALL));
    let mut shards = BTreeSet::new();
    for pair in ALL {
        let alone = ids("shard", SOURCE, &both(&[pair]));
        assert_eq!(alone.len(), 1);
        shards.extend(alone);
    }
    assert_eq!(shards, whole);
}

#[test]
fn lines_that_move_change_no_id() {
    let moved = format!(
        "//! A header.\n\nfn other() {{}}\n{}",
        SOURCE.replace("mod inner {", "mod inner {\n")
    );
    assert_eq!(ids("moved", &moved, &both(&ALL)), ids("unmoved", SOURCE, &both(&ALL)));
}
