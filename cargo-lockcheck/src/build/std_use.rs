//! Which crates use the standard library.
//!
//! Giving a `no_std` crate a `std` it did not ask for makes names ambiguous where it has a module
//! of that name (`mod std { pub use core::*; }`). So a crate that mentions `no_std` is read: its
//! root is parsed and the conditions in it are evaluated, as far as that decides the question.
//! When it cannot be parsed, the text decides.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use syn::punctuated::Punctuated;
use syn::{Attribute, File, Item, Meta, Token, UseTree};

/// The configuration a crate is compiled with.
#[derive(Debug, Default)]
pub struct Cfgs(HashSet<String>);

impl Cfgs {
    /// The configuration of these options (`unix`, `feature="std"`), and of `--test`.
    pub fn new<'a>(options: impl Iterator<Item = &'a str>, test: bool) -> Cfgs {
        let test = test.then_some("test");
        Cfgs(options.chain(test).map(|option| option.replace(' ', "")).collect())
    }

    /// Whether a condition holds; one that is not understood does.
    fn holds(&self, condition: &Meta) -> bool {
        let name = |path: &syn::Path| path.get_ident().map(ToString::to_string).unwrap_or_default();
        match condition {
            Meta::Path(path) => self.0.contains(&name(path)),
            Meta::NameValue(pair) => match &pair.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(value), .. }) => {
                    self.0.contains(&format!("{}=\"{}\"", name(&pair.path), value.value()))
                }
                _ => true,
            },
            Meta::List(list) => {
                let Ok(parts) = list.parse_args_with(Conditions::parse_terminated) else {
                    return true;
                };
                match &*name(&list.path) {
                    "all" => parts.iter().all(|part| self.holds(part)),
                    "any" => parts.iter().any(|part| self.holds(part)),
                    "not" => !parts.iter().all(|part| self.holds(part)),
                    _ => true,
                }
            }
        }
    }

    /// Whether what has these attributes is compiled.
    fn keep(&self, attributes: &[Attribute]) -> bool {
        attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).all(|attribute| {
            attribute.parse_args::<Meta>().map_or(true, |condition| self.holds(&condition))
        })
    }
}

type Conditions = Punctuated<Meta, Token![,]>;

/// Whether the crate with this root uses `std`: by default, or because it says `extern crate std`.
pub fn uses_std(root: &Path, cfgs: &Cfgs) -> bool {
    let Ok(text) = fs::read_to_string(root) else { return true };
    if !text.contains("no_std") {
        return true;
    }
    let Ok(file) = syn::parse_file(&text) else {
        return !text.contains("#![no_std]") || mentions_extern_std(&text);
    };
    if !is_no_std(&file, cfgs) {
        return true;
    }
    match declared(&file.items, cfgs) {
        Declared::Std => true,
        Declared::Other => false,
        Declared::Nothing => root.parent().is_some_and(|directory| a_module_asks(directory, root)),
    }
}

fn is_no_std(file: &File, cfgs: &Cfgs) -> bool {
    file.attrs.iter().any(|attribute| {
        attribute.path().is_ident("no_std")
            || attribute.path().is_ident("cfg_attr")
                && attribute.parse_args_with(Conditions::parse_terminated).is_ok_and(|parts| {
                    let mut parts = parts.iter();
                    parts.next().is_some_and(|condition| cfgs.holds(condition))
                        && parts.any(|part| part.path().is_ident("no_std"))
                })
    })
}

/// What the items of a crate's root say about the name `std`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Declared {
    Nothing,
    /// It is a module of the crate, or another crate.
    Other,
    /// It, or another name, is the standard library.
    Std,
}

fn declared(items: &[Item], cfgs: &Cfgs) -> Declared {
    let of = |item: &Item| match item {
        Item::ExternCrate(item) if cfgs.keep(&item.attrs) => {
            if item.ident == "std" {
                Declared::Std
            } else if item.rename.as_ref().is_some_and(|(_, name)| name == "std") {
                Declared::Other
            } else {
                Declared::Nothing
            }
        }
        Item::Mod(item) if cfgs.keep(&item.attrs) => match &item.content {
            _ if item.ident == "std" => Declared::Other,
            Some((_, items)) if declared(items, cfgs) == Declared::Std => Declared::Std,
            _ => Declared::Nothing,
        },
        Item::Use(item) if cfgs.keep(&item.attrs) && names_std(&item.tree) => Declared::Other,
        // `cfg_if! { if #[cfg(feature = "std")] { extern crate std; } }`
        Item::Macro(item) if mentions_extern_std(&item.mac.tokens.to_string()) => Declared::Std,
        _ => Declared::Nothing,
    };
    items.iter().map(of).max().unwrap_or(Declared::Nothing)
}

/// Whether a `use` brings in something under the name `std`.
fn names_std(tree: &UseTree) -> bool {
    match tree {
        UseTree::Path(path) => names_std(&path.tree),
        UseTree::Name(name) => name.ident == "std",
        UseTree::Rename(rename) => rename.rename == "std",
        UseTree::Group(group) => group.items.iter().any(names_std),
        UseTree::Glob(_) => false,
    }
}

/// Whether a module in a file of its own asks for `std`; its conditions are not looked at.
fn a_module_asks(directory: &Path, root: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return a_module_asks(&path, root);
        }
        path.extension() == Some(OsStr::new("rs"))
            && path != root
            && fs::read_to_string(&path).is_ok_and(|text| mentions_extern_std(&text))
    })
}

fn mentions_extern_std(text: &str) -> bool {
    text.match_indices("extern crate std").any(|(at, found)| {
        let after = text[at + found.len()..].chars().next();
        after.is_none_or(|next| !next.is_alphanumeric() && next != '_')
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Cfgs, uses_std};

    fn check(text: &str, cfgs: &[&str]) -> bool {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("lib.rs");
        fs::write(&root, text).expect("the root is written");
        uses_std(&root, &Cfgs::new(cfgs.iter().copied(), false))
    }

    #[test]
    fn a_crate_uses_std_unless_it_says_otherwise() {
        assert!(check("fn f() {}", &[]));
        assert!(!check("#![no_std] fn f() {}", &[]));
        assert!(check("// not #![no_std]\nfn f() {}", &[]));
    }

    #[test]
    fn conditions_are_evaluated() {
        let text = "#![cfg_attr(not(any(feature = \"std\", test)), no_std)]";
        assert!(!check(text, &["feature=\"alloc\""]));
        assert!(check(text, &["feature=\"std\""]));
        assert!(check(text, &["test"]));
        let text = "#![cfg_attr(all(unix, not(windows)), doc = \"x\", no_std)]";
        assert!(!check(text, &["unix"]));
        assert!(check(text, &["unix", "windows"]));
    }

    #[test]
    fn an_explicit_std_counts_where_it_is_compiled() {
        let text = "#![no_std] #[cfg(feature = \"std\")] extern crate std;";
        assert!(check(text, &["feature=\"std\""]));
        assert!(!check(text, &[]));
        assert!(check("#![no_std] #[macro_use] extern crate std as other;", &[]));
        assert!(check("#![no_std] mod tests { extern crate std; }", &[]));
        assert!(check("#![no_std] cfg_if! { if #[cfg(x)] { extern crate std; } }", &[]));
    }

    #[test]
    fn another_thing_of_that_name_keeps_it() {
        for text in [
            "#![no_std] mod std { pub use core::*; }",
            "#![no_std] extern crate core as std;",
            "#![no_std] use core as std;",
        ] {
            assert!(!check(text, &[]), "{text}");
        }
        let text = "#![no_std] #[cfg(not(a))] mod std {} #[cfg(a)] extern crate std;";
        assert!(check(text, &["a"]));
        assert!(!check(text, &[]));
    }

    #[test]
    fn what_does_not_parse_is_decided_by_its_text() {
        assert!(!check("#![no_std] fn f( {", &[]));
        assert!(check("#![no_std] extern crate std; fn f( {", &[]));
    }

    #[test]
    fn a_module_in_its_own_file_can_ask() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("lib.rs");
        fs::write(&root, "#![no_std] mod io;").expect("the root is written");
        assert!(!uses_std(&root, &Cfgs::default()));
        fs::write(directory.path().join("io.rs"), "extern crate std;").expect("it is written");
        assert!(uses_std(&root, &Cfgs::default()));
    }
}
