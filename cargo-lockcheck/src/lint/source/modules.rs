//! The modules of a crate, and what each says it has by another's name (`use`), as the source tells.
//!
//! Attributes are not looked at: of two items of one name that exclude each other, either is found.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use syn::{Item, UseTree};

/// A module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The names of the types, traits, functions, statics and constants that it defines.
    pub(crate) items: HashSet<String>,
    /// The modules in it.
    pub(crate) modules: BTreeMap<String, Inner>,
    /// The names that it has from elsewhere, with their paths there.
    pub(crate) uses: Vec<(String, Vec<String>)>,
    /// The paths of which it has all names.
    pub(crate) globs: Vec<Vec<String>>,
}

/// A module in another.
#[derive(Clone, Debug)]
pub(crate) enum Inner {
    /// Written in the same file.
    Here(Arc<Module>),
    /// In the first of these files that there is.
    File(Vec<String>),
}

impl Module {
    /// The module that a file is.
    pub(crate) fn of_file(name: &str, text: &str) -> Option<Module> {
        let file = syn::parse_file(text).ok()?;
        Some(Module::of(&file.items, &children(name)))
    }

    /// What an item is called where it is defined that this module, or one written in it, uses by
    /// another name. Nothing where two are renamed so.
    pub(crate) fn name_before_renaming(&self, name: &str) -> Option<String> {
        let own = self.uses.iter().filter(|(known, _)| known == name);
        let own = own.filter_map(|(_, path)| path.last().filter(|last| *last != name).cloned());
        let inner = self.modules.values().filter_map(|inner| match inner {
            Inner::Here(module) => module.name_before_renaming(name),
            Inner::File(_) => None,
        });
        let mut found: Vec<String> = own.chain(inner).collect();
        found.dedup();
        match found.as_slice() {
            [_] => found.pop(),
            _ => None,
        }
    }

    /// The module of some items, whose modules are in files of a directory.
    fn of(items: &[Item], directory: &str) -> Module {
        let mut module = Module::default();
        for item in items {
            let name = match item {
                Item::Struct(item) => &item.ident,
                Item::Enum(item) => &item.ident,
                Item::Union(item) => &item.ident,
                Item::Trait(item) => &item.ident,
                Item::Type(item) => &item.ident,
                Item::Static(item) => &item.ident,
                Item::Const(item) => &item.ident,
                Item::Fn(item) => &item.sig.ident,
                Item::ExternCrate(item) => {
                    let path = vec![item.ident.to_string()];
                    let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
                    module.uses.push((name.to_string(), path));
                    continue;
                }
                Item::Use(item) => {
                    module.take(&item.tree, &mut Vec::new());
                    continue;
                }
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let inner = match &item.content {
                        Some((_, items)) => {
                            let directory = format!("{directory}{name}/");
                            Inner::Here(Arc::new(Module::of(items, &directory)))
                        }
                        None => Inner::File(vec![
                            format!("{directory}{name}.rs"),
                            format!("{directory}{name}/mod.rs"),
                        ]),
                    };
                    module.modules.entry(name).or_insert(inner);
                    continue;
                }
                _ => continue,
            };
            module.items.insert(name.to_string());
        }
        module
    }

    /// Takes in a part of a `use`.
    fn take(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.take(&inner.tree, path);
                path.pop();
            }
            UseTree::Name(name) => self.named(&name.ident, &name.ident, path),
            UseTree::Rename(name) => self.named(&name.ident, &name.rename, path),
            UseTree::Glob(_) => self.globs.push(path.clone()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take(tree, path)),
        }
    }

    fn named(&mut self, of: &syn::Ident, name: &syn::Ident, path: &[String]) {
        let (mut path, mut name) = (path.to_vec(), name.to_string());
        if of == "self" {
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        } else {
            path.push(of.to_string());
        }
        self.uses.push((name, path));
    }
}

/// Where the modules of a file have theirs: beside it for the crate's first file and `mod.rs`.
fn children(file: &str) -> String {
    let path = Path::new(file);
    let beside = path.parent().map_or(String::new(), |parent| {
        let parent = parent.to_string_lossy();
        if parent.is_empty() { String::new() } else { format!("{parent}/") }
    });
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "main" | "mod") | None => beside,
        Some(name) => format!("{beside}{name}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_read_in_all_their_forms() {
        let text = "pub use a::{self, b::C as D, e::*}; extern crate x as y; mod f { struct G; }
                    mod h; pub fn i() {}";
        let module = Module::of_file("one/src/lib.rs", text).expect("it is Rust");
        let uses: Vec<String> =
            module.uses.iter().map(|(name, path)| format!("{name}={}", path.join("::"))).collect();
        assert_eq!(uses, ["a=a", "D=a::b::C", "y=x"]);
        assert_eq!(module.globs, [["a", "e"]]);
        assert!(module.items.contains("i"));
        assert!(matches!(&module.modules["f"], Inner::Here(f) if f.items.contains("G")));
        assert!(matches!(&module.modules["h"], Inner::File(files) if files[0] == "one/src/h.rs"));
        assert_eq!(children("src/h.rs"), "src/h/");
    }
}
