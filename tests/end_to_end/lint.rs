//! The lint on the corpus of real deadlocks, on patterns that must stay silent, and on the table
//! of how long guards that are temporaries live.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_lockcheck::report::model::{Finding, Level};
use lockcheck_tests::{Project, workspace};

/// A row of the corpus's index.
struct Row {
    name: String,
    editions: String,
    /// Rules with lines.
    expected: Vec<(String, u32)>,
}

fn corpus() -> PathBuf {
    workspace().join("tests/corpus")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(corpus().join("index.tsv")).expect("the index");
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let expected = cells[11].split(' ').filter_map(|cell| {
            let (rule, line) = cell.split_once('@')?;
            Some((rule.to_owned(), line.parse().ok()?))
        });
        Row {
            name: cells[0].to_owned(),
            editions: cells[9].to_owned(),
            expected: expected.collect(),
        }
    });
    rows.collect()
}

/// The findings in each binary, by its name.
fn lint(edition: &str, user: &str, files: &[(String, String)]) -> BTreeMap<String, Vec<Finding>> {
    let project = Project::binaries(user, edition, files);
    let checked = project.check(&["check", "--show", "allow"]);
    let mut found: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for finding in &checked.report().findings {
        let files: BTreeSet<&str> = lines(finding).into_iter().map(|(file, _)| file).collect();
        for file in files {
            let name = Path::new(file).file_stem().expect("a file").to_string_lossy();
            found.entry(name.into_owned()).or_default().push(finding.clone());
        }
    }
    assert_eq!(checked.report().coverage.functions_skipped, 0, "{checked}");
    found
}

/// The places of a finding.
fn lines(finding: &Finding) -> Vec<(&str, u32)> {
    let edges = finding.edges.iter().flat_map(|edge| [&edge.from_site, &edge.to_site]);
    let sites = finding.sites.iter().map(|site| &site.place);
    edges.chain(sites).map(|place| (&*place.file, place.line)).collect()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("a file of the corpus")
}

/// Lints the whole corpus in an edition and says what is missed and what is said wrongly.
fn score(edition: &str) -> Vec<String> {
    let rows = rows();
    let mut files = Vec::new();
    for row in &rows {
        for kind in ["buggy", "fixed"] {
            let text = read(corpus().join(&row.name).join(kind).with_extension("rs"));
            files.push((format!("{}__{kind}", row.name), text));
        }
    }
    for kind in ["silent", "loud"] {
        for entry in fs::read_dir(corpus().join(kind)).expect("the files of a kind") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a file").to_string_lossy();
            files.push((format!("{kind}__{name}"), read(&path)));
        }
    }
    let found = lint(edition, &format!("lint-corpus-{edition}"), &files);
    let of = |name: &str| found.get(name).map_or(&[][..], Vec::as_slice);
    let speaks = |name: &str| of(name).iter().any(|finding| finding.level > Level::Allow);
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| edition == "2021" || !row.editions.contains("2021")) {
        let buggy = format!("{}__buggy", row.name);
        for (rule, line) in &row.expected {
            let is_hit = of(&buggy).iter().any(|finding| {
                finding.rule.code() == rule
                    && lines(finding).iter().any(|(_, found)| found.abs_diff(*line) <= 1)
            });
            if !is_hit {
                wrong.push(format!("{} is silent about {rule} at line {line}", row.name));
            }
        }
        if row.expected.is_empty() && speaks(&buggy) {
            wrong.push(format!("{} must be silent", row.name));
        }
    }
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("loud")) {
        for (index, line) in text.lines().enumerate() {
            let Some((_, rule)) = line.split_once("// found: ") else { continue };
            let line = index as u32 + 1;
            let is_hit = of(name).iter().any(|finding| {
                finding.rule.code() == rule
                    && finding.level > Level::Allow
                    && lines(finding).iter().any(|(_, found)| *found == line)
            });
            if !is_hit {
                wrong.push(format!("{name} is silent about {rule} at line {line}"));
            }
        }
    }
    let quiet = found.keys().filter(|name| name.ends_with("__fixed") || name.starts_with("silent"));
    wrong.extend(quiet.filter(|name| speaks(name)).map(|name| format!("{name} must be silent")));
    wrong
}

#[test]
fn the_corpus_is_found_in_edition_2021() {
    assert_eq!(score("2021"), Vec::<String>::new());
}

#[test]
fn the_corpus_is_found_in_edition_2024() {
    assert_eq!(score("2024"), Vec::<String>::new());
}

/// Each row of the table asks by a probe whether the lock is held. The probe is made to lock it,
/// and then exactly the rows where it is held are double locks.
fn temporaries(edition: &str) {
    let probe = "if self.m.try_lock().is_err() { \"HELD\" } else { \"free\" }";
    let text = read(corpus().join("temporaries/temps.rs"));
    assert!(text.contains(probe), "the probe has changed");
    let text = text.replace(probe, "self.m.lock().unwrap().len()");
    let files = [("temps".to_owned(), text.clone())];
    let found = lint(edition, &format!("lint-temporaries-{edition}"), &files);
    let held: BTreeSet<u32> = found
        .get("temps")
        .into_iter()
        .flatten()
        .filter(|finding| ["double-lock", "drop-under-lock"].contains(&finding.rule.code()))
        .flat_map(|finding| finding.sites[1..].iter().map(|site| site.place.line))
        .collect();
    let table = read(corpus().join(format!("temporaries/out{edition}.txt")));
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in table.lines() {
        let Some((name, state)) = row.rsplit_once(' ') else { continue };
        let (name, is_held) = (name.trim_end(), state == "HELD");
        if !is_held && state != "free" {
            continue;
        }
        let line = text.lines().position(|line| line.contains(&name.replace('"', "\\\"")));
        let line = line.unwrap_or_else(|| panic!("no probe for {name}")) as u32 + 1;
        count += 1;
        // The probe of a `Drop` stands where the value is made; it runs where its scope ends.
        if held.contains(&line) != is_held {
            wrong.push(format!("line {line}: {name} is {state}"));
        }
    }
    assert!(count > 50, "the table has shrunk");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn temporaries_live_as_long_as_edition_2021_says() {
    temporaries("2021");
}

#[test]
fn temporaries_live_as_long_as_edition_2024_says() {
    temporaries("2024");
}

/// The function that holds the first lock is the one to change, not the callee that asks.
#[test]
fn help_names_the_function_that_holds() {
    let text = "use std::sync::Mutex;
pub struct Bank {
    cash: Mutex<u32>,
    debt: Mutex<u32>,
}
impl Bank {
    fn pay(&self) {
        *self.cash.lock().unwrap() -= 1;
    }
    pub fn lend(&self) {
        let cash = self.cash.lock().unwrap();
        *self.debt.lock().unwrap() += *cash;
    }
    pub fn repay(&self) {
        let mut debt = self.debt.lock().unwrap();
        self.pay();
        *debt -= 1;
    }
}
fn main() {}
";
    let found = lint("2024", "lint-help", &[("bank".to_owned(), text.to_owned())]);
    let help = &found["bank"][0].help;
    assert!(
        help[0].ends_with(
            "in `Bank::repay` lock `Bank.cash` (now src/bin/bank.rs:8, in `Bank::pay`) before \
             `Bank.debt` (now line 15), or release `Bank.debt` before `Bank::pay` is called"
        ),
        "{help:?}"
    );
}

/// Of several types with one name in a file, each lock is called by a field of its own.
#[test]
fn locks_of_types_with_one_name_are_called_by_their_fields() {
    let text = "mod small {
    pub struct Store(pub std::sync::Mutex<u32>);
}
mod large {
    use std::sync::Mutex;
    pub struct Store {
        pub gate: Mutex<u32>,
        pub kept: Mutex<u32>,
    }
    impl Store {
        pub fn keep(&self) -> u32 {
            let kept = self.kept.lock().unwrap();
            *kept + *self.kept.lock().unwrap()
        }
    }
}
mod other {
    use std::sync::Mutex;
    pub struct Store {
        pub first: Mutex<u32>,
        pub second: Mutex<u32>,
    }
}
fn main() {
    struct Store {
        inner: std::sync::Mutex<u32>,
    }
    let store = Store { inner: std::sync::Mutex::new(0) };
    let inner = store.inner.lock().unwrap();
    println!(\"{}\", *inner + *store.inner.lock().unwrap());
}
";
    let found = lint("2024", "lint-names", &[("store".to_owned(), text.to_owned())]);
    let locks = found["store"].iter().flat_map(|finding| &finding.locks);
    let mut named: Vec<_> = locks.map(|lock| (&*lock.name, lock.created.line)).collect();
    named.sort_unstable();
    assert_eq!(named, [("Store.inner", 26), ("Store.kept", 8)]);
}

/// Functions and maps that only the settings know.
#[test]
fn what_the_settings_say_of_functions_is_believed() {
    let text = "use std::sync::Mutex;
mod kernel {
    pub struct Map(pub u32);
    pub struct Entry<'a>(&'a Map);
    impl Drop for Entry<'_> {
        fn drop(&mut self) {}
    }
    impl Map {
        pub fn get(&self) -> Entry<'_> {
            Entry(self)
        }
        pub fn insert(&self, _: u32) {}
    }
    pub fn drained() {}
    pub fn apply(f: impl FnOnce() + Send + 'static) {
        drop(f);
    }
    pub fn later(f: impl FnOnce() + Send + 'static) {
        f();
    }
}
static LOG: Mutex<u32> = Mutex::new(0);
fn waits() {
    let log = LOG.lock().unwrap();
    kernel::drained(); // found: guard-across-blocking
    drop(log);
}
fn runs() {
    let log = LOG.lock().unwrap();
    kernel::apply(|| *LOG.lock().unwrap() += 1); // found: double-lock
    drop(log);
}
fn keeps() {
    let log = LOG.lock().unwrap();
    kernel::later(|| *LOG.lock().unwrap() += 1);
    drop(log);
}
fn inserts(map: &kernel::Map) {
    let entry = map.get();
    map.insert(1); // found: double-lock
    drop(entry);
    map.insert(2);
}
fn main() {
    waits();
    runs();
    keeps();
    inserts(&kernel::Map(0));
}
";
    let settings = "[[lint.locks]]
type = \"kernel::Map\"
guard = \"kernel::Entry\"
read = [\"get\"]
lock_inside = [\"insert\"]
[[lint.calls]]
function = \"kernel::drained\"
does = \"waits\"
[[lint.calls]]
function = \"kernel::apply\"
does = \"runs\"
[[lint.calls]]
function = \"kernel::later\"
does = \"keeps\"
";
    let project = Project::binaries("lint-told", "2024", &[("told".to_owned(), text.to_owned())]);
    fs::write(project.root().join("lockcheck.toml"), settings).expect("it can be written");
    let checked = project.check(&["check"]);
    let marked = text
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| Some((line.split_once("// found: ")?.1.to_owned(), number)));
    let is_marked = |line: &u32| {
        text.lines().nth(*line as usize - 1).is_some_and(|line| line.contains("// found: "))
    };
    let found = checked.report().findings.iter().map(|finding| {
        let at = lines(finding).into_iter().map(|(_, line)| line).find(is_marked);
        (finding.rule.code().to_owned(), at.unwrap_or_default())
    });
    let found: BTreeSet<(String, u32)> = found.collect();
    assert_eq!(found, marked.collect(), "{checked}");
}

/// `--coverage` tells which acquisitions have a lock without a name, and why; a lock that a caller names
/// has one.
#[test]
fn coverage_lists_what_has_no_name() {
    let text = "use std::sync::{Arc, Mutex};
pub struct Bank {
    cash: Mutex<u32>,
}
fn add(to: &Mutex<u32>) {
    *to.lock().unwrap() += 1;
}
pub fn never_called(with: &Mutex<u32>) -> u32 {
    *with.lock().unwrap()
}
pub fn find(all: &dyn Fn() -> Arc<Mutex<u32>>) -> u32 {
    let found = all();
    *found.lock().unwrap()
}
impl Bank {
    pub fn pay(&self) {
        add(&self.cash);
        *self.cash.lock().unwrap() -= 1;
    }
}
fn main() {}
";
    let files = [("covered".to_owned(), text.to_owned())];
    let project = Project::binaries("lint-coverage", "2024", &files);
    let checked = project.check(&["check", "--coverage"]);
    let (_, told) = checked.stderr.split_once("coverage: ").expect("it tells of the coverage");
    let expected = "the lock has a name in 2 of 4 acquisitions

  1 of a lock that is given as a parameter, which no caller names
    src/bin/covered.rs:9:11
      in `never_called`: `std::sync::Mutex<u32>`

  1 of a lock that a call returns which is not looked into
    src/bin/covered.rs:13:12
      in `find`: `std::sync::Mutex<u32>`
";
    assert_eq!(told, expected, "{checked}");
    let refused = project.check(&["test", "--coverage"]);
    assert!(refused.code == 2 && refused.stderr.contains("`--coverage` is for"), "{refused}");
}

/// Locks of tasks, and maps with locks inside, of crates that only look like the known ones: each wrong
/// program is found at the lines that say so, and the cured form of each is silent.
#[test]
fn locks_of_other_crates_are_known_by_their_names() {
    let project = Project::fixture("outside", "outside");
    let checked = project.check(&["check"]);
    let mut wrong = Vec::new();
    for entry in fs::read_dir(project.root().join("src/bin")).expect("the programs") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let file = format!("src/bin/{name}");
        let found: Vec<(&str, BTreeSet<u32>)> = checked
            .report()
            .findings
            .iter()
            .map(|finding| {
                let at = lines(finding).into_iter().filter(|(of, _)| *of == file);
                (finding.rule.code(), at.map(|(_, line)| line).collect())
            })
            .filter(|(_, lines): &(_, BTreeSet<u32>)| !lines.is_empty())
            .collect();
        if name.ends_with("_right.rs") && !found.is_empty() {
            wrong.push(format!("{name} must be silent"));
        }
        for (line, number) in read(&path).lines().zip(1..) {
            let Some((_, rule)) = line.split_once("// found: ") else { continue };
            if !found.iter().any(|(known, lines)| *known == rule && lines.contains(&number)) {
                wrong.push(format!("{name} is silent about {rule} at line {number}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{checked}");
}

/// What the macro of another crate does is told where it is invoked, be it by a macro of a third crate.
#[test]
fn macros_of_other_crates_are_told_where_they_are_invoked() {
    let project = Project::fixture("macros", "macros");
    let checked = project.check(&["check"]);
    let text = read(project.root().join("src/lib.rs"));
    let marked = text
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| Some((line.split_once("// found: ")?.1.to_owned(), number)));
    for (rule, number) in marked {
        let is_it = |finding: &&Finding| {
            finding.rule.code() == rule && lines(finding).contains(&("src/lib.rs", number))
        };
        let found = checked.report().findings.iter().find(is_it);
        assert!(found.is_some(), "nothing at line {number}: {checked}");
    }
}

/// What one crate of a workspace defines is the same for all others, whatever they call it.
#[test]
fn items_are_one_by_whatever_path_a_crate_names_them() {
    for (name, user) in [("reexported", "eg/src/lib.rs"), ("fronted", "user/src/lib.rs")] {
        let project = Project::fixture(name, name);
        let checked = project.check(&["check"]);
        let text = read(project.root().join(user));
        let marked = text.lines().zip(1..).filter_map(|(line, number)| {
            Some((line.split_once("// found: ")?.1.to_owned(), number))
        });
        let mut missing: BTreeSet<(String, u32)> = marked.collect();
        for finding in &checked.report().findings {
            let at = lines(finding).into_iter().filter(|(file, _)| *file == user);
            let at: Vec<_> = at.map(|(_, line)| (finding.rule.code().to_owned(), line)).collect();
            let is_known = at.iter().any(|place| {
                text.lines()
                    .nth(place.1 as usize - 1)
                    .is_some_and(|line| line.ends_with(&format!("// found: {}", place.0)))
            });
            assert!(is_known, "{name}: {} {checked}", finding.message);
            at.iter().for_each(|place| {
                missing.remove(place);
            });
        }
        assert_eq!(missing, BTreeSet::new(), "{name}: {checked}");
    }
}

/// Fields that are not compiled do not give their names to those behind them; where nothing tells
/// which are, a field is called by its number.
#[test]
fn conditional_fields_do_not_shift_names() {
    let text = "use std::sync::Mutex;

pub struct Made {
    #[cfg(all(any()))]
    pub a: Mutex<u8>,
    #[cfg(not(all(any())))]
    pub a: Mutex<u32>,
    b: Mutex<u32>,
    #[cfg(any())]
    never: Mutex<u32>,
    c: Mutex<u32>,
}
impl Made {
    pub fn new() -> Made {
        Made {
            a: Mutex::new(0),
            b: Mutex::new(0),
            #[cfg(any())]
            never: Mutex::new(0),
            c: Mutex::new(0),
        }
    }
    pub fn again(&self) -> u32 {
        let c = self.c.lock().unwrap();
        *c + *self.c.lock().unwrap()
    }
}
pub struct NotMade {
    first: Mutex<u32>,
    #[cfg(any())]
    never: Mutex<u32>,
    last: Mutex<u32>,
}
impl NotMade {
    pub fn again(&self) -> u32 {
        let last = self.last.lock().unwrap();
        *last + *self.last.lock().unwrap()
    }
    pub fn first_again(&self) -> u32 {
        let first = self.first.lock().unwrap();
        *first + *self.first.lock().unwrap()
    }
}
pub enum Kind {
    One {
        #[cfg(any())]
        never: Mutex<u32>,
        here: Mutex<u32>,
    },
}
impl Kind {
    pub fn new() -> Kind {
        Kind::One { here: Mutex::new(0) }
    }
    pub fn again(&self) -> u32 {
        let Kind::One { here } = self;
        let one = here.lock().unwrap();
        *one + *here.lock().unwrap()
    }
}
fn main() {}
";
    let found = lint("2024", "lint-conditional", &[("conditional".to_owned(), text.to_owned())]);
    let locks = found["conditional"].iter().flat_map(|finding| &finding.locks);
    let mut named: Vec<_> = locks.map(|lock| &*lock.name).collect();
    named.sort_unstable();
    assert_eq!(named, ["Kind.One.here", "Made.c", "NotMade.1", "NotMade.first"]);
}
