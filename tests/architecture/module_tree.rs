//! The modules of a crate, the files that they are in, and the items that their paths mean.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, Meta, Token, UseTree, Visibility};

/// A module by its number.
pub(crate) type ModuleId = usize;

/// A file by its number.
pub(crate) type FileId = usize;

/// A source file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Its path from the folder of sources, with `/` between the parts.
    pub(crate) path: String,
    /// What it says.
    pub(crate) parsed: syn::File,
    /// The module that it is.
    pub(crate) module: ModuleId,
}

/// A module, in a file of its own or in another's.
#[derive(Debug)]
pub(crate) struct Module {
    /// The file that its items are in.
    pub(crate) file: FileId,
    /// The module around it; none around the crate.
    pub(crate) parent: Option<ModuleId>,
    /// The modules inside of it.
    children: HashMap<String, ModuleId>,
    /// Names that it defines or takes in.
    names: HashMap<String, Name>,
    /// What it takes in by `*`.
    globs: Vec<Vec<String>>,
}

#[derive(Debug)]
enum Name {
    /// Defined in the module.
    Defined,
    /// Taken from elsewhere, by this path as seen from the module.
    Imported(Vec<String>),
}

/// A crate.
#[derive(Debug)]
pub(crate) struct ModuleTree {
    /// The folder of the sources as messages have it.
    pub(crate) shown: String,
    /// The folder of the sources.
    pub(crate) root: PathBuf,
    /// The name by which other crates, and its own programs, know it.
    name: String,
    /// Its files; the first is the crate's own.
    pub(crate) files: Vec<SourceFile>,
    modules: Vec<Module>,
    /// The modules of macros that are at the crate's root wherever they are defined.
    macros: HashMap<String, ModuleId>,
}

/// The module that is the whole library.
const LIBRARY: ModuleId = 0;

impl ModuleTree {
    /// Reads a crate with its programs. Messages call the folder `shown`.
    pub(crate) fn read(root: &Path, shown: &str, name: &str) -> ModuleTree {
        let mut tree = ModuleTree {
            shown: shown.to_owned(),
            root: root.to_owned(),
            name: name.to_owned(),
            files: Vec::new(),
            modules: Vec::new(),
            macros: HashMap::new(),
        };
        tree.add_file("lib.rs", None);
        if root.join("main.rs").exists() {
            tree.add_file("main.rs", None);
        }
        tree
    }

    fn add_file(&mut self, path: &str, parent: Option<ModuleId>) -> ModuleId {
        let text = fs::read_to_string(self.root.join(path))
            .unwrap_or_else(|error| panic!("{}/{path}: {error}", self.shown));
        let parsed = syn::parse_file(&text)
            .unwrap_or_else(|error| panic!("{}/{path} is no Rust: {error}", self.shown));
        let items = parsed.items.clone();
        let file = self.files.len();
        let module = self.modules.len();
        self.files.push(SourceFile { path: path.to_owned(), parsed, module });
        self.add_module(file, parent);
        let is_root = ["lib.rs", "main.rs", "mod.rs"].iter().any(|root| path.ends_with(root));
        let directory = match path.rsplit_once('/') {
            _ if !is_root => path.trim_end_matches(".rs").to_owned(),
            Some((directory, _)) => directory.to_owned(),
            None => String::new(),
        };
        self.add_items(module, &items, &directory);
        module
    }

    fn add_module(&mut self, file: FileId, parent: Option<ModuleId>) {
        self.modules.push(Module {
            file,
            parent,
            children: HashMap::new(),
            names: HashMap::new(),
            globs: Vec::new(),
        });
    }

    /// Adds what a module has; its files are in `directory`.
    fn add_items(&mut self, module: ModuleId, items: &[Item], directory: &str) {
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let child = match &inner.content {
                        Some((_, items)) => {
                            let child = self.modules.len();
                            self.add_module(self.modules[module].file, Some(module));
                            self.add_items(child, items, &joined(directory, &name));
                            child
                        }
                        None => {
                            // Two of one name, for two platforms, are in one file or in two.
                            let plain = joined(directory, &format!("{name}.rs"));
                            let path = match self.root.join(&plain).exists() {
                                true => plain,
                                false => joined(directory, &format!("{name}/mod.rs")),
                            };
                            match self.files.iter().find(|file| file.path == path) {
                                Some(known) => known.module,
                                None => self.add_file(&path, Some(module)),
                            }
                        }
                    };
                    self.modules[module].children.insert(name, child);
                }
                Item::Use(item) => {
                    for leaf in leaves(&item.tree) {
                        match leaf.name {
                            Some(name) => {
                                let names = &mut self.modules[module].names;
                                names.entry(name).or_insert(Name::Imported(leaf.path));
                            }
                            None => self.modules[module].globs.push(leaf.path),
                        }
                    }
                }
                Item::Macro(item) => {
                    if let Some(name) = &item.ident
                        && item.attrs.iter().any(|attr| attr.path().is_ident("macro_export"))
                    {
                        self.macros.insert(name.to_string(), module);
                    }
                }
                other => {
                    if let Some(name) = name_of(other) {
                        self.modules[module].names.insert(name, Name::Defined);
                    }
                }
            }
        }
    }

    /// The module inside of another.
    pub(crate) fn child(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        self.modules[module].children.get(name).copied()
    }

    /// The file in which what a path means is defined, as seen from a module; none for another crate's.
    pub(crate) fn file_of(&self, from: ModuleId, path: &[String]) -> Option<FileId> {
        self.resolve(from, path, 16).map(|module| self.modules[module].file)
    }

    /// The module in which what a path means is defined, or which it means.
    fn resolve(&self, from: ModuleId, path: &[String], fuel: u32) -> Option<ModuleId> {
        let fuel = fuel.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.inside(self.crate_of(from), rest, fuel),
            "self" => self.inside(from, rest, fuel),
            "super" => {
                let outer = self.modules[from].parent.unwrap_or(from);
                match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(outer, rest, fuel),
                    _ => self.inside(outer, rest, fuel),
                }
            }
            first if first == self.name => self.inside(LIBRARY, rest, fuel),
            first if self.knows(from, first) => self.inside(from, path, fuel),
            _ => None,
        }
    }

    /// Whether a module has a name of its own.
    fn knows(&self, module: ModuleId, name: &str) -> bool {
        let module = &self.modules[module];
        module.children.contains_key(name) || module.names.contains_key(name)
    }

    fn crate_of(&self, mut module: ModuleId) -> ModuleId {
        while let Some(parent) = self.modules[module].parent {
            module = parent;
        }
        module
    }

    /// What a path means that begins in a module.
    fn inside(&self, module: ModuleId, path: &[String], fuel: u32) -> Option<ModuleId> {
        let fuel = fuel.checked_sub(1)?;
        let Some((first, rest)) = path.split_first() else { return Some(module) };
        let known = &self.modules[module];
        if let Some(child) = known.children.get(first) {
            return self.inside(*child, rest, fuel);
        }
        match known.names.get(first) {
            Some(Name::Defined) => return Some(module),
            Some(Name::Imported(import)) => {
                let whole: Vec<String> = import.iter().chain(rest).cloned().collect();
                // `use a::a;` would lead to itself.
                return match import.as_slice() {
                    [one] if one == first => None,
                    _ => self.resolve(module, &whole, fuel),
                };
            }
            None => {}
        }
        let through = known.globs.iter().find_map(|glob| {
            let inner = self.resolve(module, glob, fuel)?;
            (inner != module && self.has(inner, first, fuel)).then_some(inner)
        });
        if let Some(inner) = through {
            return self.inside(inner, path, fuel);
        }
        let is_root = self.modules[module].parent.is_none();
        match self.macros.get(first) {
            Some(of_macro) if is_root => Some(*of_macro),
            _ => Some(module),
        }
    }

    /// Whether a name can be found in a module, by a `*` in it too.
    fn has(&self, module: ModuleId, name: &str, fuel: u32) -> bool {
        let Some(fuel) = fuel.checked_sub(1) else { return false };
        self.knows(module, name)
            || self.modules[module].globs.iter().any(|glob| {
                let inner = self.resolve(module, glob, fuel);
                inner.is_some_and(|inner| inner != module && self.has(inner, name, fuel))
            })
    }
}

fn joined(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// One name that a `use` takes in.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// The path to it; for a `*`, to the module.
    pub(crate) path: Vec<String>,
    /// What it is called here; none for a `*`.
    pub(crate) name: Option<String>,
    /// The line.
    pub(crate) line: usize,
}

/// All names that a `use` takes in.
pub(crate) fn leaves(tree: &UseTree) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(tree, &mut Vec::new(), &mut found);
    found
}

fn collect(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<Leaf>) {
    let mut leaf = |ident: &syn::Ident, name: &syn::Ident, before: &[String]| {
        let mut path = before.to_vec();
        if ident != "self" || before.is_empty() {
            path.push(ident.to_string());
        }
        let own = if name == "self" { path.last().cloned() } else { Some(name.to_string()) };
        found.push(Leaf { path, name: own, line: ident.span().start().line });
    };
    match tree {
        UseTree::Path(inner) => {
            before.push(inner.ident.to_string());
            collect(&inner.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) => leaf(&name.ident, &name.ident, before),
        UseTree::Rename(name) => leaf(&name.ident, &name.rename, before),
        UseTree::Glob(glob) => found.push(Leaf {
            path: before.clone(),
            name: None,
            line: glob.star_token.spans[0].start().line,
        }),
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, before, found);
            }
        }
    }
}

/// Whether an item is for tests alone.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        if attribute.path().is_ident("test") {
            return true;
        }
        let Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg") && needs_test(list.tokens.clone())
    })
}

/// Whether a condition cannot hold without `test`: it is that, or `all(…)` with it.
fn needs_test(tokens: proc_macro2::TokenStream) -> bool {
    let Ok(meta) = syn::parse2::<Meta>(tokens) else { return false };
    match meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => {
            let parts = list
                .parse_args_with(syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated);
            parts.is_ok_and(|parts| parts.iter().any(|part| part.path().is_ident("test")))
        }
        _ => false,
    }
}

/// Whether a `use` only passes names on to others.
pub(crate) fn is_passed_on(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

/// The attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
