//! Whether a place is in a test.

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Meta};

use super::creation::start;
use crate::report::model::Place;

/// Whether `place` is in a function that is a test, by its attribute, or in what is there for tests alone.
pub(super) fn is_in_test(file: &syn::File, place: &Place) -> bool {
    let Some(target) = start(place) else { return false };
    let mut finder = Finder { target, found: false };
    finder.visit_file(file);
    finder.found
}

struct Finder {
    target: LineColumn,
    found: bool,
}

impl Finder {
    fn within(&mut self, span: Span, attributes: &[Attribute]) -> bool {
        let is_within = (span.start()..span.end()).contains(&self.target);
        self.found |= is_within && attributes.iter().any(is_of_tests);
        is_within
    }
}

/// `#[test]`, also one of another crate such as `#[tokio::test]`, and `#[cfg(test)]`.
fn is_of_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().segments.last().is_some_and(|last| last.ident == "test"),
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if self.within(item.span(), &item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if self.within(item.span(), &item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_in_test;
    use crate::report::model::Place;

    #[test]
    fn a_test_is_told_by_its_attribute() {
        let source = "fn f() {\n    g();\n}\n#[test]\nfn t() {\n    g(|| {\n        h();\n    });\n}\n\
                      #[cfg(test)]\nmod tests {\n    fn helper() {\n        g();\n    }\n}\n\
                      #[tokio::test]\nasync fn a() {\n    g();\n}\n";
        let file = syn::parse_file(source).expect("it is Rust");
        let tests = |line: u32| is_in_test(&file, &Place { line, column: 5, ..Place::default() });
        let lines: Vec<u32> = (1..=source.lines().count() as u32).filter(|at| tests(*at)).collect();
        assert_eq!(lines, [4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18]);
    }
}
