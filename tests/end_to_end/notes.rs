//! What the report says beside its findings.

use lockcheck_tests::Project;

/// One thread waits for a message, one for a notification, while the program ends; a third had to wait
/// for a lock.
const PROGRAM: &str = r#"
use std::sync::{Condvar, Mutex, mpsc};
use std::thread::{self, Builder};

static STOCK: Mutex<u32> = Mutex::new(5);
static SOLD: Condvar = Condvar::new();

fn main() {
    let (messages, receives) = mpsc::channel::<u32>();
    let named = |name: &str| Builder::new().name(name.to_owned());
    named("seller").spawn(|| drop(SOLD.wait_while(STOCK.lock().unwrap(), |n| *n > 0))).unwrap();
    named("reader").spawn(move || receives.recv()).unwrap();
    pause::pause(1);
    let stock = STOCK.lock().unwrap();
    let buyer = thread::spawn(|| *STOCK.lock().unwrap() += 1);
    pause::pause(1);
    drop(stock);
    buyer.join().unwrap();
    std::mem::forget(messages);
}
"#;

#[test]
fn who_still_waits_at_the_end_and_who_had_to_wait() {
    let pause = include_str!("../scenarios/pause/src/lib.rs");
    let files = [("shop".to_owned(), format!("{PROGRAM}mod pause {{\n{pause}}}\n"))];
    let project = Project::binaries("notes", "2024", &files);
    let checked = project.check(&["run", "-q", "--stats"]);
    assert_eq!(checked.code, 0, "{checked}");
    assert_eq!(checked.found(), [""; 0], "{checked}");
    let said = checked.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "2 threads still waited when the process ended: `reader` for `(messages, receives)` at",
        "`seller` for `SOLD` at src/bin/shop.rs:",
        "`STOCK` was acquired 3 times: 1 had to wait,",
        "held for less than",
    ] {
        assert!(said.contains(sentence), "{sentence}: {checked}");
    }

    let checked = project.check(&["run", "-q"]);
    assert!(!checked.stderr.contains("was acquired"), "nobody asked: {checked}");
    assert!(checked.stderr.contains("still waited"), "{checked}");
}
