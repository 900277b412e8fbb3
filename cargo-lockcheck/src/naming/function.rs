//! The function around a place.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Attribute, Signature};

use super::creation::type_name;
use crate::model::Place;

/// What is around a place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scope {
    /// The innermost named function, as `Type::function` or `function`.
    pub(super) function: Option<String>,
    /// The modules of the file that lead there, each with `::` behind it.
    pub(super) modules: String,
    /// The functions that lead there, each with `::` behind it.
    pub(super) path: String,
}

/// The modules and functions around `place`.
pub(super) fn around(file: &syn::File, place: &Place) -> Scope {
    let mut finder = Finder { line: place.line as usize, owner: None, scope: Scope::default() };
    finder.visit_file(file);
    finder.scope
}

struct Finder {
    line: usize,
    owner: Option<String>,
    scope: Scope,
}

impl Finder {
    /// Whether the line is between these. An item's own span would be made of all of its tokens.
    fn is_within(&self, attributes: &[Attribute], first: Span, last: Span) -> bool {
        let first = attributes.first().map_or(first, |attribute| attribute.pound_token.span);
        (first.start().line..=last.end().line).contains(&self.line)
    }

    /// Notes the function if the line is in it; functions within it come later and take over.
    fn function(
        &mut self,
        attributes: &[Attribute],
        signature: &Signature,
        last: Span,
        within: impl FnOnce(&mut Finder),
    ) {
        if !self.is_within(attributes, signature.fn_token.span, last) {
            return;
        }
        let name = &signature.ident;
        let name = match &self.owner {
            Some(owner) => format!("{owner}::{name}"),
            None => name.to_string(),
        };
        self.scope.path += &format!("{name}::");
        self.scope.function = Some(name);
        self.within(None, within);
    }

    fn within(&mut self, owner: Option<String>, visit: impl FnOnce(&mut Finder)) {
        let outer = std::mem::replace(&mut self.owner, owner);
        visit(self);
        self.owner = outer;
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let Some((braces, _)) = &item.content else { return };
        if self.is_within(&item.attrs, item.mod_token.span, braces.span.close()) {
            self.scope.modules += &format!("{}::", item.ident);
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if self.is_within(&item.attrs, item.impl_token.span, item.brace_token.span.close()) {
            self.within(type_name(&item.self_ty), |this| visit::visit_item_impl(this, item));
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if self.is_within(&item.attrs, item.trait_token.span, item.brace_token.span.close()) {
            self.within(Some(item.ident.to_string()), |this| visit::visit_item_trait(this, item));
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let last = item.block.brace_token.span.close();
        self.within(None, |this| {
            this.function(&item.attrs, &item.sig, last, |this| visit::visit_item_fn(this, item));
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let last = item.block.brace_token.span.close();
        let visit = |this: &mut Finder| visit::visit_impl_item_fn(this, item);
        self.function(&item.attrs, &item.sig, last, visit);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        // A signature alone is no code.
        let Some(block) = &item.default else { return };
        let last = block.brace_token.span.close();
        let visit = |this: &mut Finder| visit::visit_trait_item_fn(this, item);
        self.function(&item.attrs, &item.sig, last, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, around};
    use crate::model::Place;

    #[test]
    fn the_innermost_function_is_named() {
        let file = syn::parse_file(
            "fn free() {\n    fn inner() {\n        x();\n    }\n}\nimpl<T> Bank<T> {\n    \
             fn pay(&self) {\n        let f = || 1;\n    }\n}\n",
        )
        .expect("it is Rust");
        let at = |line| around(&file, &Place { line, ..Place::default() }).function;
        assert_eq!(at(1).as_deref(), Some("free"));
        assert_eq!(at(3).as_deref(), Some("inner"));
        assert_eq!(at(8).as_deref(), Some("Bank::pay"));
        assert_eq!(at(6), None);
    }

    #[test]
    fn the_way_to_a_place_has_modules_and_functions() {
        let file = syn::parse_file(
            "mod tests {\n    fn outer() {\n        fn inner() {\n            x();\n        }\n    \
             }\n    mod other {}\n}\nstatic ONE: u8 = 1;\n",
        )
        .expect("it is Rust");
        let at = |line| around(&file, &Place { line, ..Place::default() });
        let inner = Scope {
            function: Some("inner".to_owned()),
            modules: "tests::".to_owned(),
            path: "outer::inner::".to_owned(),
        };
        assert_eq!(at(4), inner);
        assert_eq!((&*at(7).modules, &*at(7).path), ("tests::other::", ""));
        assert_eq!(at(9), Scope::default());
    }
}
