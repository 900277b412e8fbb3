//! Source text out of tokens, as a person would write it on one line.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The text of `tokens`.
pub(crate) fn of(tokens: TokenStream) -> String {
    let mut text = String::new();
    let mut before = Before::Nothing;
    for token in tokens {
        let (part, after, apart) = match token {
            TokenTree::Ident(ident) => (ident.to_string(), Before::Word, before != Before::Nothing),
            TokenTree::Literal(literal) => {
                (literal.to_string(), Before::Word, before != Before::Nothing)
            }
            TokenTree::Group(group) => {
                let inner = of(group.stream());
                let (part, apart) = match group.delimiter() {
                    Delimiter::Parenthesis => (format!("({inner})"), before == Before::Sign),
                    Delimiter::Bracket => (format!("[{inner}]"), before == Before::Sign),
                    Delimiter::Brace if inner.is_empty() => ("{}".to_owned(), !text.is_empty()),
                    Delimiter::Brace => (format!("{{ {inner} }}"), !text.is_empty()),
                    Delimiter::None => (inner, before != Before::Nothing),
                };
                (part, Before::Word, apart)
            }
            TokenTree::Punct(sign) => {
                let joined = sign.spacing() == Spacing::Joint;
                match sign.as_char() {
                    '.' | ':' | '\'' | '?' | '!' | '#' => {
                        (sign.to_string(), Before::Nothing, before == Before::Sign)
                    }
                    '&' | '*' if before != Before::Word => {
                        (sign.to_string(), Before::Nothing, before == Before::Sign)
                    }
                    ',' | ';' => (sign.to_string(), Before::Sign, false),
                    other if joined => (other.to_string(), Before::Nothing, before == Before::Word),
                    other => (other.to_string(), Before::Sign, before == Before::Word),
                }
            }
        };
        if apart && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&part);
        before = after;
    }
    text
}

/// What stands before a token, as far as the space between them goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing, or what the token clings to.
    Nothing,
    /// A word, a number or a group.
    Word,
    /// An operator or a comma.
    Sign,
}

#[cfg(test)]
mod tests {
    #[test]
    fn expressions_are_written_as_a_person_would() {
        for text in [
            "self.accounts[from].lock().unwrap()",
            "*guard",
            "&**boxed",
            "bank.account(1, &x)?.write()",
            "Registry::global().read()",
            "map[&(a, b)]",
            "a + b * c",
            "locks[i - 1]",
            "slot.0",
            "{ bank.account(0) }",
            "vec![a, b]",
        ] {
            let tokens = text.parse().expect("valid tokens");
            assert_eq!(super::of(tokens), text);
        }
    }
}
