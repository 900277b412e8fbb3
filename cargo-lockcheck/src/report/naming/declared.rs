//! Where fields and statics are declared, in one file.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::creation::{field_name, spell};
use crate::report::model::Place;

/// A field, or a static, which has no owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Declared {
    pub(super) owner: Option<String>,
    pub(super) name: String,
    /// Its type as it is written.
    pub(super) ty: String,
    pub(super) place: Place,
}

/// All that `file`, of this name, declares; not what a macro does.
pub(super) fn declared(file: &syn::File, name: &str) -> Vec<Declared> {
    let mut list = List { file: name, found: Vec::new() };
    list.visit_file(file);
    list.found
}

struct List<'a> {
    file: &'a str,
    found: Vec<Declared>,
}

impl List<'_> {
    fn add(&mut self, owner: Option<String>, name: String, ty: &syn::Type, at: Span) {
        let start = at.start();
        let (line, column) = (start.line as u32, start.column as u32 + 1);
        let place = Place { file: self.file.to_owned(), line, column };
        self.found.push(Declared { owner, name, ty: spell(ty), place });
    }
}

impl<'ast> Visit<'ast> for List<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        for (index, field) in item.fields.iter().enumerate() {
            let owner = Some(item.ident.to_string());
            let at = field.ident.as_ref().map_or(field.ty.span(), syn::Ident::span);
            self.add(owner, field_name(index, field), &field.ty, at);
        }
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.add(None, item.ident.to_string(), &item.ty, item.ident.span());
        visit::visit_item_static(self, item);
    }
}
