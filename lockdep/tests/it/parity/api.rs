//! The public interface, method for method, as rustdoc prints it for `std` and for this crate.
//!
//! `std-api.txt` is what `std` documents as stable; this crate must document the same. It is
//! written anew from the documentation of the toolchain (`rustup component add rust-docs`) by
//! `LOCKDEP_BLESS=1 cargo test -p lockdep --test it parity::api`. Auto traits are not in it, since
//! rustdoc words a derived one unlike a written one; the compiler is asked for those.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What this crate defines anew, by the module and file of its documentation.
const DEFINED: &[(&str, &[&str])] = &[
    (
        "sync",
        &[
            "constant.ONCE_INIT",
            "struct.Barrier",
            "struct.Condvar",
            "struct.LazyLock",
            "struct.Mutex",
            "struct.MutexGuard",
            "struct.Once",
            "struct.OnceLock",
            "struct.RwLock",
            "struct.RwLockReadGuard",
            "struct.RwLockWriteGuard",
            "struct.WaitTimeoutResult",
        ],
    ),
    (
        "sync/mpsc",
        &[
            "fn.channel",
            "fn.sync_channel",
            "struct.IntoIter",
            "struct.Iter",
            "struct.Receiver",
            "struct.Sender",
            "struct.SyncSender",
            "struct.TryIter",
        ],
    ),
    (
        "thread",
        &[
            "fn.current",
            "fn.park",
            "fn.park_timeout",
            "fn.park_timeout_ms",
            "fn.scope",
            "fn.spawn",
            "struct.Builder",
            "struct.JoinHandle",
            "struct.Scope",
            "struct.ScopedJoinHandle",
            "struct.Thread",
        ],
    ),
];

/// What these modules of `std` have besides, and this crate passes on: nothing in it waits, but
/// for the sleeps, which end by themselves.
const PASSED_ON: &[(&str, &[&str])] = &[
    (
        "sync",
        &[
            "enum.TryLockError",
            "struct.Arc",
            "struct.BarrierWaitResult",
            "struct.OnceState",
            "struct.PoisonError",
            "struct.Weak",
            "type.LockResult",
            "type.TryLockResult",
        ],
    ),
    (
        "sync/mpsc",
        &[
            "enum.RecvTimeoutError",
            "enum.TryRecvError",
            "enum.TrySendError",
            "struct.RecvError",
            "struct.SendError",
        ],
    ),
    (
        "thread",
        &[
            "fn.available_parallelism",
            "fn.panicking",
            "fn.sleep",
            "fn.sleep_ms",
            "fn.yield_now",
            "struct.AccessError",
            "struct.LocalKey",
            "struct.ThreadId",
            "type.Result",
        ],
    ),
];

/// Impls that are left out: auto traits, `Drop`, of which only the effect matters, and the traits
/// of this crate.
const NOT_COMPARED: &[&str] = &[
    "Drop",
    "Freeze",
    "Handle",
    "LockNested",
    "Lockable",
    "Locks",
    "RefUnwindSafe",
    "RwHandle",
    "RwLockNested",
    "RwLockable",
    "Send",
    // Not stable.
    "Share",
    "Sync",
    "Unpin",
    "UnsafeUnpin",
    "UnwindSafe",
];

/// What only `std`'s documentation shows for every platform at once.
const ELSEWHERE: &[&str] = if cfg!(unix) {
    &["AsHandle for", "AsRawHandle for", "IntoRawHandle for", "for OwnedHandle"]
} else {
    &["JoinHandleExt for"]
};

#[test]
fn the_list_is_what_std_documents() {
    let Some(docs) = docs_of_std() else {
        return;
    };
    let list = listing(&docs);
    if env::var_os("LOCKDEP_BLESS").is_some() {
        fs::write(list_file(), &list).unwrap();
    }
    assert_same(&checked_in(), &list, "std-api.txt", "the documentation of std");
}

#[test]
fn this_crate_documents_the_same_list() {
    let (std, own) = match documented_by_another_compiler() {
        Some((std, own)) => (listing(&std), own),
        None => (checked_in(), docs_of_this_crate()),
    };
    let std: String = std
        .split_inclusive('\n')
        .filter(|line| !ELSEWHERE.iter().any(|name| line.contains(name)))
        .collect();
    assert_same(&std, &listing(&own), "std", "lockdep");
}

#[test]
fn everything_else_in_these_modules_is_known_and_waits_for_nothing() {
    let other = documented_by_another_compiler().map(|(std, _)| std);
    let Some(docs) = other.clone().or_else(docs_of_std) else {
        return;
    };
    for ((module, defined), (_, passed_on)) in DEFINED.iter().zip(PASSED_ON) {
        let known = defined.iter().chain(*passed_on).map(|name| name.to_string()).collect();
        let mut there = stable_items(&docs.join(module).join("index.html"));
        there.retain(|name| !PASSED_ON_WHERE_THERE.contains(&(module, name)));
        // An older one lacks some.
        let expected = if other.is_some() { &there & &known } else { known };
        assert_eq!(there, expected, "std::{module}");
    }
}

/// Of what newer ones have, that in which nothing waits.
const PASSED_ON_WHERE_THERE: &[(&str, &str)] = &[("sync", "struct.SyncView")];

fn list_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/parity/std-api.txt")
}

fn checked_in() -> String {
    fs::read_to_string(list_file()).unwrap()
}

/// The documentation of `std` and of this crate by another compiler, where the variables name them; what
/// `.ci/toolchains` does.
fn documented_by_another_compiler() -> Option<(PathBuf, PathBuf)> {
    let named = |name| env::var_os(name).map(PathBuf::from);
    Some((named("LOCKDEP_TEST_DOCS_OF_STD")?, named("LOCKDEP_TEST_DOCS")?))
}

/// The documentation of the toolchain's `std`, if it is installed.
fn docs_of_std() -> Option<PathBuf> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let sysroot = String::from_utf8(sysroot.stdout).unwrap();
    let docs = Path::new(sysroot.trim()).join("share/doc/rust/html/std");
    docs.is_dir().then_some(docs)
}

/// The documentation of this crate, made now.
fn docs_of_this_crate() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
    let made = Command::new(env!("CARGO"))
        .args(["doc", "--quiet", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    target.join("doc/lockdep")
}

/// The interface of all that is [`DEFINED`], from the documentation in `docs`.
fn listing(docs: &Path) -> String {
    let mut list = String::new();
    for (module, items) in DEFINED {
        for item in *items {
            let page = docs.join(module).join(format!("{item}.html"));
            let html = fs::read_to_string(&page)
                .unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            list.push_str(&format!("{module}/{item}\n"));
            for line in interface(&html) {
                list.push_str(&format!("    {line}\n"));
            }
        }
    }
    list
}

/// The declaration on a page, and the stable methods and impls.
fn interface(html: &str) -> Vec<String> {
    let own = html.split("id=\"blanket-implementations\"").next().unwrap();
    let declaration = between(own, "item-decl\"><code>", "</code></pre>").unwrap();
    let mut lines = vec![canonical(declaration)];
    let mut members = BTreeSet::new();
    for section in own.split("<section id=\"").skip(1) {
        let Some(header) = between(section, "class=\"code-header\">", "</section>") else {
            continue;
        };
        let header = canonical(header.split("</h3>").next().unwrap());
        let (_, after) = section.split_once("</section>").unwrap_or((section, ""));
        let unstable = after.starts_with("<span class=\"item-info\"><div class=\"stab unstable\"");
        let is_impl = section.starts_with("impl-");
        let compared = if is_impl {
            trait_of(&header).is_some_and(|name| !NOT_COMPARED.contains(&name))
        } else {
            section.starts_with("method.") && !section[..80].contains("trait-impl")
        };
        if compared && !unstable {
            members.insert(header);
        }
    }
    lines.extend(members);
    lines
}

/// The name of the trait in the header of an impl; `None` for an inherent one.
fn trait_of(header: &str) -> Option<&str> {
    let (before, _) = header.split_once(" for ")?;
    let name = before.rsplit(' ').next()?.trim_start_matches('!');
    Some(name.split('<').next().unwrap())
}

/// The stable items on the page of a module.
fn stable_items(index: &Path) -> BTreeSet<String> {
    let html = fs::read_to_string(index).unwrap();
    html.split("<dt")
        .skip(1)
        .filter_map(|entry| {
            let entry = entry.split("</dt>").next().unwrap();
            let file = between(entry, "href=\"", ".html\"")?;
            let is_module = file.ends_with("/index") || file.contains('#');
            (!is_module && !entry.contains("stab unstable")).then(|| file.to_owned())
        })
        .collect()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inside, _)| inside)
}

/// Code without markup, in one line, with lifetimes named by their order.
fn canonical(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.replace("<div class=\"where\">", " ").chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            c => text.push(c),
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace(['§', 'ⓘ'], "")
        // Whether the fields are named is not shown.
        .replace("(/* private fields */);", " { /* private fields */ }")
        // What has a default has a size.
        .replace("?Sized + Default", "Default");
    name_lifetimes(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn name_lifetimes(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut parts = text.split('\'');
    let mut named = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        if matches!(name, "_" | "static" | "") {
            named.push_str(&format!("'{name}{rest}"));
        } else {
            let index = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            named.push_str(&format!("'l{index}{rest}"));
        }
    }
    named
}

fn assert_same(left: &str, right: &str, left_name: &str, right_name: &str) {
    let only = |a: &str, b: &str| {
        let mut item = "";
        let mut only = String::new();
        let members = members(b);
        for line in a.lines() {
            if !line.starts_with(' ') {
                item = line;
            }
            if !members.contains(&(item, line)) {
                only.push_str(&format!("  {item}: {}\n", line.trim()));
            }
        }
        only
    };
    let (missing, extra) = (only(left, right), only(right, left));
    assert!(
        missing.is_empty() && extra.is_empty(),
        "only {left_name} has\n{missing}only {right_name} has\n{extra}"
    );
}

fn members(list: &str) -> BTreeSet<(&str, &str)> {
    let mut item = "";
    list.lines()
        .map(|line| {
            if !line.starts_with(' ') {
                item = line;
            }
            (item, line)
        })
        .collect()
}
