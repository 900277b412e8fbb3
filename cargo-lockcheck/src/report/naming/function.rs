//! The function around a place.
//!
//! Only items are looked for, in the file's tokens: to parse all expressions would take longer than
//! the search, and would not look into what is given to a macro.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree, token_stream};

use super::creation::type_name;
use crate::report::model::Place;

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

/// The modules and functions around `place`, in a file of these tokens.
pub(super) fn around(file: TokenStream, place: &Place) -> Scope {
    let mut finder = Finder { line: place.line as usize, scope: Scope::default() };
    finder.within(file, None);
    finder.scope
}

struct Finder {
    line: usize,
    scope: Scope,
}

impl Finder {
    /// Follows the items that the line is in; `owner` is the type or trait whose functions these are.
    fn within(&mut self, tokens: TokenStream, owner: Option<&str>) {
        let mut tokens = tokens.into_iter().peekable();
        // The attributes of an item belong to it.
        let mut first = None;
        while let Some(token) = tokens.next() {
            let line = token.span().start().line;
            if line > self.line && first.is_none() {
                return;
            }
            let first_line = *first.get_or_insert(line);
            match &token {
                TokenTree::Group(group) => {
                    if self.is_in(group.span_open().start().line, group) {
                        self.within(group.stream(), None);
                    }
                    if group.delimiter() == Delimiter::Brace {
                        first = None;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => first = None,
                // An example in the documentation of an item is no part of that.
                TokenTree::Punct(punct)
                    if punct.as_char() == '#' && self.is_in_documentation(tokens.peek()) =>
                {
                    return;
                }
                TokenTree::Ident(word) if is_item(word) => {
                    if let Some((header, body)) = item(&mut tokens)
                        && self.is_in(first_line, &body)
                    {
                        self.item(word, header, &body, owner);
                    }
                    first = None;
                }
                _ => {}
            }
        }
    }

    /// Whether the line is in this attribute, and it is documentation: `doc = "…"`, which a comment is read as.
    fn is_in_documentation(&self, attribute: Option<&TokenTree>) -> bool {
        let Some(TokenTree::Group(group)) = attribute else { return false };
        let first = group.stream().into_iter().next();
        let is_doc = matches!(first, Some(TokenTree::Ident(word)) if word == "doc");
        is_doc && self.is_in(group.span_open().start().line, group)
    }

    fn is_in(&self, first: usize, body: &Group) -> bool {
        (first..=body.span_close().end().line).contains(&self.line)
    }

    fn item(&mut self, word: &Ident, header: Vec<TokenTree>, body: &Group, owner: Option<&str>) {
        let name = match header.first() {
            Some(TokenTree::Ident(name)) => Some(name.to_string()),
            _ => None,
        };
        match name {
            _ if word == "impl" => {
                let tokens = [TokenTree::Ident(word.clone())].into_iter().chain(header);
                let empty = Group::new(Delimiter::Brace, TokenStream::new());
                let tokens = tokens.chain([TokenTree::Group(empty)]).collect();
                let parsed: Option<syn::ItemImpl> = syn::parse2(tokens).ok();
                let owner = parsed.and_then(|parsed| type_name(&parsed.self_ty));
                self.within(body.stream(), owner.as_deref());
            }
            Some(name) if word == "mod" => {
                self.scope.modules += &format!("{name}::");
                self.within(body.stream(), None);
            }
            Some(name) if word == "trait" => self.within(body.stream(), Some(&name)),
            Some(name) => {
                let name = owner.map_or(name.clone(), |owner| format!("{owner}::{name}"));
                self.scope.path += &format!("{name}::");
                self.scope.function = Some(name);
                self.within(body.stream(), None);
            }
            // `fn(u8)` is a type.
            None => self.within(body.stream(), None),
        }
    }
}

/// Whether an item begins with this word.
fn is_item(word: &Ident) -> bool {
    ["fn", "impl", "mod", "trait"].iter().any(|item| word == item)
}

/// The rest of an item: what is before its body, and the body, if it has one.
fn item(tokens: &mut Peekable<token_stream::IntoIter>) -> Option<(Vec<TokenTree>, Group)> {
    let mut header = Vec::new();
    loop {
        match tokens.next()? {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                return Some((header, body));
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => return None,
            other => header.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::{Scope, around};
    use crate::report::model::Place;

    #[test]
    fn the_innermost_function_is_named() {
        let file: TokenStream =
            "fn free() {\n    fn inner() {\n        x();\n    }\n}\nimpl<T> Bank<T> {\n    \
             fn pay(&self) {\n        let f = || 1;\n    }\n}\n"
                .parse()
                .expect("it is Rust");
        let at = |line| around(file.clone(), &Place { line, ..Place::default() }).function;
        assert_eq!(at(1).as_deref(), Some("free"));
        assert_eq!(at(3).as_deref(), Some("inner"));
        assert_eq!(at(8).as_deref(), Some("Bank::pay"));
        assert_eq!(at(6), None);
    }

    #[test]
    fn an_example_in_the_documentation_of_a_function_is_not_in_it() {
        let file: TokenStream =
            "impl Bank {\n    /// ```\n    /// pay();\n    /// ```\n    #[inline]\n    fn pay() {\n        x();\n    \
             }\n}\n/** a\n b\n*/\nfn free() {\n}\n"
                .parse()
                .expect("it is Rust");
        let at = |line| around(file.clone(), &Place { line, ..Place::default() }).function;
        assert_eq!((at(3), at(11)), (None, None));
        assert_eq!(at(5).as_deref(), Some("Bank::pay"));
        assert_eq!(at(7).as_deref(), Some("Bank::pay"));
        assert_eq!(at(13).as_deref(), Some("free"));
    }

    #[test]
    fn the_way_to_a_place_has_modules_and_functions() {
        let file: TokenStream =
            "mod tests {\n    fn outer() {\n        fn inner() {\n            x();\n        }\n    \
             }\n    mod other {}\n}\nstatic ONE: u8 = 1;\n"
                .parse()
                .expect("it is Rust");
        let at = |line| around(file.clone(), &Place { line, ..Place::default() });
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
