//! Which file names what of which other, line by line.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ImplItem, Item, ItemMod, ItemUse, Macro, Path, VisRestricted};

use super::module_tree::{FileId, ModuleId, ModuleTree, attributes, is_passed_on, is_test, leaves};

/// A path in one file that leads into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The file with the path.
    pub(crate) from: FileId,
    /// The line of it.
    pub(crate) line: usize,
    /// The file in which what it means is defined.
    pub(crate) to: FileId,
    /// Whether it only passes a name on, by `pub use`.
    pub(crate) is_passed_on: bool,
}

/// All references of a crate to itself.
pub(crate) fn all(tree: &ModuleTree) -> Vec<Reference> {
    let mut found = Vec::new();
    for (from, file) in tree.files.iter().enumerate() {
        let mut finder = Finder { tree, from, module: file.module, found: &mut found };
        finder.visit_file(&file.parsed);
    }
    found
}

struct Finder<'f> {
    tree: &'f ModuleTree,
    from: FileId,
    module: ModuleId,
    found: &'f mut Vec<Reference>,
}

impl Finder<'_> {
    fn add(&mut self, path: &[String], line: usize, is_passed_on: bool) {
        let Some(to) = self.tree.file_of(self.module, path) else { return };
        let reference = Reference { from: self.from, line, to, is_passed_on };
        if to != self.from && !self.found.contains(&reference) {
            self.found.push(reference);
        }
    }

    /// The paths in the arguments of a macro, whatever it makes of them.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.path_of_tokens(&mut path, line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.path_of_tokens(&mut path, line);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.path_of_tokens(&mut path, line);
    }

    fn path_of_tokens(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.add(path, line, false);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, inner: &'ast ItemMod) {
        if inner.content.is_none() {
            return;
        }
        let Some(child) = self.tree.child(self.module, &inner.ident.to_string()) else { return };
        let outer = std::mem::replace(&mut self.module, child);
        visit::visit_item_mod(self, inner);
        self.module = outer;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for leaf in leaves(&item.tree) {
            self.add(&leaf.path, leaf.line, is_passed_on(&item.vis));
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let line = first.ident.span().start().line;
            let words: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            if words.len() > 1 {
                self.add(&words, line, false);
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        self.visit_path(&invoked.path);
        self.tokens(invoked.tokens.clone());
    }

    /// Who may see an item says nothing about whom it uses.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}
