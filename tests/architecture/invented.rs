//! Small crates that break one promise each.

use std::fs;

use super::judge;
use super::table::Table;

const TABLE: &str = "\n| rooms | what for |\n|---|---|\n| `low` | words |\n| `left` `right` | \
                     two that do not know each other |\n| `high` | the top |\n";

/// What is wrong with a crate that has these files, by the table above.
fn wrong(files: &[(&str, &str)]) -> Vec<String> {
    let workspace = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = workspace.path().join("small/src").join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("it is made");
        fs::write(path, text).expect("it is written");
    };
    let rooms = "mod low;\nmod left;\nmod right;\nmod high;\npub use low::Word;\n";
    write("lib.rs", rooms);
    write("low.rs", "pub struct Word;\n");
    write("left.rs", "use crate::low::Word;\npub fn left(_: Word) {}\n");
    write("right/mod.rs", "pub fn right() { super::low::Word; }\n");
    write("high.rs", "use crate::{left, right::right as other};\n");
    for (name, text) in files {
        write(name, text);
    }
    let document = format!("# A\n\n## Layers of small\n\nSome words.\n{TABLE}\n## B\n");
    let table = Table::find(&document, "small").expect("the table is found");
    judge(workspace.path(), "small", "", &table)
}

#[test]
fn arrows_down_are_right() {
    assert_eq!(wrong(&[]), [""; 0]);
}

#[test]
fn an_arrow_up_is_named_with_its_line() {
    let up = "pub struct Word;\n\nfn up() {\n    crate::high::top();\n}\n";
    let said = "small/src/low.rs:4 uses `high`, which is above `low` in ARCHITECTURE.md's table";
    assert_eq!(wrong(&[("low.rs", up), ("high.rs", "pub fn top() {}\n")]), [said]);
}

#[test]
fn an_arrow_is_seen_in_whatever_form_it_is_written() {
    for line in [
        "use crate::high::Top;",
        "use super::high::{self, Top};",
        "pub(crate) use crate::{high as h};",
        "fn f(_: &mut dyn Fn(crate::high::Top)) {}",
        "fn f() { vec![1, super::high::top()]; }",
        "macro_rules! m { () => { $crate::high::top() } }",
        "mod inner { use super::super::high::Top; }",
        "impl crate::high::Top {}",
    ] {
        let said =
            "small/src/low.rs:1 uses `high`, which is above `low` in ARCHITECTURE.md's table";
        assert_eq!(wrong(&[("low.rs", line)]), [said], "{line}");
    }
}

#[test]
fn what_the_root_passes_on_is_found_where_it_comes_from() {
    let root = "mod low;\nmod left;\nmod right;\nmod high;\npub use high::Top;\npub struct Own;\n";
    let top = ("high.rs", "pub struct Top;\n");
    let said = "small/src/low.rs:1 uses `high`, which is above `low` in ARCHITECTURE.md's table";
    let low = ("low.rs", "use crate::Top;\npub struct Word;\n");
    assert_eq!(wrong(&[("lib.rs", root), top, low]), [said]);
    let said = "small/src/low.rs:1 uses small/src/lib.rs, which is above all rooms";
    let low = ("low.rs", "use crate::Own;\npub struct Word;\n");
    assert_eq!(wrong(&[("lib.rs", root), top, low]), [said]);
}

#[test]
fn rooms_of_one_row_do_not_use_each_other() {
    let left = "pub fn left() {\n    crate::right::right();\n}\n";
    let said =
        "small/src/left.rs:2 uses `right`, which is beside `left` in ARCHITECTURE.md's table";
    assert_eq!(wrong(&[("left.rs", left)]), [said]);
}

#[test]
fn code_for_tests_may_use_everything() {
    let low = "pub struct Word;\n#[cfg(test)]\nmod tests {\n    use crate::high;\n}\n\
               #[cfg(test)]\nuse crate::left;\n";
    assert_eq!(wrong(&[("low.rs", low)]), [""; 0]);
    let low = "pub struct Word;\n#[cfg(test)]\nmod tests;\n";
    assert_eq!(wrong(&[("low/mod.rs", low), ("low/tests.rs", "use crate::high;")]), [""; 0]);
}

#[test]
fn a_circle_of_three_files_is_one_too_many() {
    let room = "mod a;\nmod b;\nmod c;\npub use a::A;\n";
    let circle = |c: &'static str| {
        wrong(&[
            ("right/mod.rs", room),
            ("right/a.rs", "pub struct A;\nuse super::b::B;\n"),
            ("right/b.rs", "pub struct B;\nuse super::c::C;\n"),
            ("right/c.rs", c),
            ("high.rs", ""),
        ])
    };
    let said = "small/src/right/a.rs, small/src/right/b.rs and small/src/right/c.rs use each \
                other in a circle: at most two files may";
    assert_eq!(circle("pub struct C;\nuse super::A;\n"), [said]);
    assert_eq!(circle("pub struct C;\nuse super::b::B;\n"), [""; 0]);
}

#[test]
fn every_file_is_in_the_table_and_every_room_there() {
    let root = "mod low;\nmod left;\nmod right;\nmod high;\nmod new;\n";
    let said = "small/src/new.rs is in no row of ARCHITECTURE.md's table";
    assert_eq!(wrong(&[("lib.rs", root), ("new.rs", "")]), [said]);
    let said = "small/src/forgotten is in no row of ARCHITECTURE.md's table";
    assert_eq!(wrong(&[("forgotten/a.rs", "")]), [said]);
    let root = "mod low;\nmod left;\nmod right;\n";
    assert_eq!(wrong(&[("lib.rs", root)]).len(), 0, "a file that nothing declares is a file");
}
