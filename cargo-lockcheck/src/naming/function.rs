//! The function around a place.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::creation::type_name;
use crate::model::Place;

/// The innermost named function around `place`, as `Type::function` or `function`.
pub(super) fn around(file: &syn::File, place: &Place) -> Option<String> {
    let mut finder = Finder { line: place.line as usize, owner: None, found: None };
    finder.visit_file(file);
    finder.found
}

struct Finder {
    line: usize,
    owner: Option<String>,
    found: Option<String>,
}

impl Finder {
    /// Notes the function if the line is in it; functions within it come later and take over.
    fn function(&mut self, spanned: &dyn Spanned, name: &syn::Ident) {
        let span = spanned.span();
        if (span.start().line..=span.end().line).contains(&self.line) {
            self.found = Some(match &self.owner {
                Some(owner) => format!("{owner}::{name}"),
                None => name.to_string(),
            });
        }
    }

    fn within(&mut self, owner: Option<String>, visit: impl FnOnce(&mut Finder)) {
        let outer = std::mem::replace(&mut self.owner, owner);
        visit(self);
        self.owner = outer;
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.within(type_name(&item.self_ty), |this| visit::visit_item_impl(this, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(Some(item.ident.to_string()), |this| visit::visit_item_trait(this, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(None, |this| {
            this.function(item, &item.sig.ident);
            visit::visit_item_fn(this, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(item, &item.sig.ident);
        self.within(None, |this| visit::visit_impl_item_fn(this, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(item, &item.sig.ident);
        self.within(None, |this| visit::visit_trait_item_fn(this, item));
    }
}

#[cfg(test)]
mod tests {
    use super::around;
    use crate::model::Place;

    #[test]
    fn the_innermost_function_is_named() {
        let file = syn::parse_file(
            "fn free() {\n    fn inner() {\n        x();\n    }\n}\nimpl<T> Bank<T> {\n    \
             fn pay(&self) {\n        let f = || 1;\n    }\n}\n",
        )
        .expect("it is Rust");
        let at = |line| around(&file, &Place { line, ..Place::default() });
        assert_eq!(at(1).as_deref(), Some("free"));
        assert_eq!(at(3).as_deref(), Some("inner"));
        assert_eq!(at(8).as_deref(), Some("Bank::pay"));
        assert_eq!(at(6), None);
    }
}
