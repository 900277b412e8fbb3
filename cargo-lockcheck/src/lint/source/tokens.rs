//! What the tokens of a file tell: in which module a type is declared.

use std::collections::HashMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The modules and functions around each declaration of a type, outermost first, by the offset of
/// its `struct`, `enum` or `union`.
pub(crate) fn modules(text: &str) -> HashMap<usize, Vec<String>> {
    let mut found = HashMap::new();
    collect_modules(text.parse().unwrap_or_default(), &mut Vec::new(), &mut found);
    found
}

fn collect_modules(
    tokens: TokenStream,
    around: &mut Vec<String>,
    found: &mut HashMap<usize, Vec<String>>,
) {
    // The word before a name, and the name of the module or function whose body comes next.
    let (mut keyword, mut name) = (None, None);
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                let word = ident.to_string();
                match keyword.as_deref() {
                    Some("mod" | "fn") => name = Some(word.clone()),
                    _ if matches!(&*word, "struct" | "enum" | "union") => {
                        found.insert(ident.span().byte_range().start, around.clone());
                    }
                    _ => {}
                }
                keyword = Some(word);
            }
            TokenTree::Group(group) => {
                let inner = match group.delimiter() {
                    Delimiter::Brace => name.take(),
                    _ => None,
                };
                let depth = around.len();
                around.extend(inner);
                collect_modules(group.stream(), around, found);
                around.truncate(depth);
                keyword = None;
            }
            TokenTree::Punct(punct) => {
                keyword = None;
                if punct.as_char() == ';' {
                    name = None;
                }
            }
            TokenTree::Literal(_) => keyword = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_know_their_modules() {
        let text = "struct A; mod é { pub mod inner; pub mod b { struct A { x: u8 } } enum B {} }\n\
                    fn f(x: [u8; 2]) -> u8 { struct C; 1 }\nunion D { x: u8 }";
        let modules = modules(text);
        let mut found: Vec<(usize, String)> =
            modules.into_iter().map(|(at, around)| (at, around.join("::"))).collect();
        found.sort();
        let seen: Vec<(&str, &str)> =
            found.iter().map(|(at, around)| (&text[*at..*at + 6], &**around)).collect();
        let expected =
            [("struct", ""), ("struct", "é::b"), ("enum B", "é"), ("struct", "f"), ("union ", "")];
        assert_eq!(seen, expected);
    }
}
