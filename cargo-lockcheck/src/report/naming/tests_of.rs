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

/// The test that `place` is in: the innermost function around it that is one, with the modules of its file.
pub(super) fn test_around(file: &syn::File, place: &Place) -> Option<String> {
    let mut finder = TestFinder { target: start(place)?, modules: Vec::new(), found: None };
    finder.visit_file(file);
    finder.found
}

struct TestFinder {
    target: LineColumn,
    modules: Vec<String>,
    found: Option<String>,
}

impl TestFinder {
    fn is_in(&self, span: Span) -> bool {
        (span.start()..span.end()).contains(&self.target)
    }
}

impl<'ast> Visit<'ast> for TestFinder {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if self.is_in(item.span()) {
            self.modules.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if self.is_in(item.span()) {
            if item.attrs.iter().any(|attribute| is_test(&attribute.meta)) {
                let path = self.modules.iter().cloned().chain([item.sig.ident.to_string()]);
                self.found = Some(path.collect::<Vec<_>>().join("::"));
            }
            visit::visit_item_fn(self, item);
        }
    }
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
        meta => is_test(meta),
    }
}

/// `#[test]`, also one of another crate such as `#[tokio::test]`.
fn is_test(attribute: &Meta) -> bool {
    !matches!(attribute, Meta::List(list) if list.path.is_ident("cfg"))
        && attribute.path().segments.last().is_some_and(|last| last.ident == "test")
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
    use super::{is_in_test, test_around};
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

    #[test]
    fn a_place_in_a_test_has_its_name() {
        let source = "fn f() {\n    g();\n}\n#[cfg(test)]\nmod tests {\n    fn helper() {\n        g();\n    }\n    \
                      #[test]\n    fn t() {\n        g(|| {\n            h();\n        });\n    }\n}\n";
        let file = syn::parse_file(source).expect("it is Rust");
        let test = |line| test_around(&file, &Place { line, column: 9, ..Place::default() });
        assert_eq!(test(12).as_deref(), Some("tests::t"));
        assert_eq!((test(2), test(7)), (None, None));
    }
}
