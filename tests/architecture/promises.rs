//! Promises of ARCHITECTURE.md that are about what is in which file.

use std::fs;

use lockcheck_tests::workspace;
use proc_macro2::{TokenStream, TokenTree};
use syn::Item;
use syn::visit::{self, Visit};

use super::module_tree::{ModuleTree, SourceFile, attributes, is_test, leaves};

/// Where the command may start processes: it asks cargo and the compiler what there is, builds, runs
/// cargo, and is called as a compiler by cargo itself.
const STARTING: &[&str] = &["cli/", "build/", "run/", "lint/compile/"];

/// Where the command may use the engine of the runtime.
const WITH_ENGINE: &[&str] =
    &["lint/order/declarations.rs", "lint/rules/declared.rs", "traces/analyze/ways.rs"];

/// The files of the command that take in something whose path begins so, and that are not for tests.
fn takers(path: &[&str]) -> Vec<String> {
    let sources = workspace().join("cargo-lockcheck/src");
    let tree = ModuleTree::read(&sources, "cargo-lockcheck/src", "cargo_lockcheck");
    let takes = |item: &Item| match item {
        Item::Use(item) => leaves(&item.tree).iter().any(|leaf| begins(&leaf.path, path)),
        _ => false,
    };
    let takes = |item: &Item| match item {
        Item::Mod(inner) => inner.content.iter().any(|(_, items)| items.iter().any(takes)),
        item => takes(item),
    };
    let files = tree.files.iter().filter(|file| {
        file.parsed.items.iter().any(|item| !is_test(attributes(item)) && takes(item))
    });
    files.map(|file| file.path.clone()).collect()
}

fn begins(path: &[String], begin: &[&str]) -> bool {
    path.iter().take(begin.len()).eq(begin)
}

#[test]
fn only_some_rooms_start_processes() {
    let found = takers(&["std", "process", "Command"]);
    assert!(found.len() > 3, "{found:?}");
    for file in found {
        assert!(STARTING.iter().any(|room| file.starts_with(room)), "{file} starts a process");
    }
}

#[test]
fn few_files_know_the_engine() {
    assert_eq!(takers(&["lockdep", "declared_order"]), WITH_ENGINE);
}

#[test]
fn the_files_that_the_document_names_are_there() {
    let document = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("it is there");
    let named = document.split('`').skip(1).step_by(2);
    let is_path =
        |word: &&str| word.starts_with("lint/") || word.ends_with(".rs") && word.contains('/');
    let named: Vec<&str> = named.filter(is_path).collect();
    assert!(named.len() > 20, "{named:?}");
    for path in named {
        let roots = ["cargo-lockcheck/src", "lockdep/src"];
        let is_there = roots.iter().any(|root| workspace().join(root).join(path).exists());
        assert!(is_there, "{path} is not there");
    }
}

/// The files of `lockdep` with statics and thread-locals.
const WITH_STATICS: &[&str] = &[
    "banker/semaphores.rs",
    "observer/config.rs",
    "observer/declarations.rs",
    "ordered/key.rs",
    "platform/clock.rs",
    "platform/other.rs",
    "platform/unix.rs",
    "platform/windows.rs",
    "process/fork.rs",
    "process/inquiry.rs",
    "process/mod.rs",
    "rendezvous/mod.rs",
    "tasks/lock.rs",
    "tasks/poll.rs",
    "thread_state/bell.rs",
    "thread_state/counters.rs",
    "thread_state/current.rs",
    "thread_state/demand.rs",
    "thread_state/familiar.rs",
    "thread_state/registry.rs",
    "thread_state/serials.rs",
    "waits/hang.rs",
    "waits/times.rs",
    "watchdog/watcher.rs",
];

/// The files of `lockdep` with `unsafe`.
const WITH_UNSAFE: &[&str] = &[
    "macros.rs",
    "observer/declarations.rs",
    "parking_lot/condvar.rs",
    "parking_lot/lock_api_0_4.rs",
    "parking_lot/nested.rs",
    "parking_lot/places.rs",
    "parking_lot/raw.rs",
    "platform/unix.rs",
    "platform/unwind.rs",
    "platform/windows.rs",
    "process/inquiry.rs",
    "sync/lazy_lock.rs",
    "sync/semaphore.rs",
    "tasks/poll.rs",
    "thread/builder.rs",
    "thread/park.rs",
    "thread/scoped.rs",
    "thread_state/current.rs",
    "thread_state/held_stack.rs",
    "thread_state/known.rs",
    "thread_state/polling.rs",
    "thread_state/recent.rs",
    "thread_state/record.rs",
    "thread_state/registry.rs",
    "thread_state/wait.rs",
    "waits/hang.rs",
];

/// What of a file is outside of tests, and is looked for.
#[derive(Default)]
struct Finder {
    has_static: bool,
    has_unsafe: bool,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.has_static = true;
        visit::visit_item_static(self, item);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.has_static |= call.path.is_ident("thread_local");
        self.has_unsafe |= names_unsafe(call.tokens.clone());
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.has_unsafe = true;
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.has_unsafe |= matches!(signature.safety, syn::Safety::Unsafe(_));
        visit::visit_signature(self, signature);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_trait(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_foreign_mod(self, item);
    }
}

fn names_unsafe(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "unsafe",
        TokenTree::Group(group) => names_unsafe(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The files of a crate in which this is found outside of tests, in the order of their paths.
fn files_with(package: &str, is_there: fn(&Finder) -> bool) -> Vec<String> {
    let sources = workspace().join(package).join("src");
    let tree = ModuleTree::read(&sources, package, &package.replace('-', "_"));
    let has = |file: &&SourceFile| {
        let mut finder = Finder::default();
        finder.visit_file(&file.parsed);
        is_there(&finder)
    };
    let mut files: Vec<String> =
        tree.files.iter().filter(has).map(|file| file.path.clone()).collect();
    files.sort();
    files
}

#[test]
fn few_files_have_statics() {
    assert_eq!(files_with("lockdep", |finder| finder.has_static), WITH_STATICS);
}

#[test]
fn few_files_have_unsafe_code() {
    assert_eq!(files_with("lockdep", |finder| finder.has_unsafe), WITH_UNSAFE);
    for package in ["cargo-lockcheck", "lockdep-macros"] {
        assert_eq!(files_with(package, |finder| finder.has_unsafe), [""; 0], "{package}");
    }
}
