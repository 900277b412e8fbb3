//! The name of a called function, taken apart.

use std::borrow::Cow;

use super::cursor::rfind;
use super::types;
use crate::cli::user_config::CallEffect;

/// A called function's path.
#[derive(Clone, Debug)]
pub(crate) struct Callee<'a> {
    /// The path as printed.
    pub(crate) text: &'a str,
    /// The type of `<Type as Trait>::name`.
    pub(crate) self_ty: Option<&'a str>,
    /// The last segment of the trait of `<Type as Trait>::name`.
    pub(crate) trait_name: Option<&'a str>,
    /// The path without generic arguments; of `<Type as Trait>::name`, what follows the bracket.
    pub(crate) path: Cow<'a, str>,
    /// What the settings say that it does.
    pub(crate) told: Option<CallEffect>,
}

impl<'a> Callee<'a> {
    pub(crate) fn new(text: &'a str) -> Callee<'a> {
        if let Some(rest) = text.strip_prefix('<')
            && let Some(close) = closing(rest)
        {
            let inner = &rest[..close];
            let (self_ty, trait_) = match at_top_level(inner, " as ") {
                Some(at) => (&inner[..at], Some(&inner[at + 4..])),
                None => (inner, None),
            };
            return Callee {
                text,
                self_ty: Some(self_ty),
                trait_name: trait_.map(types::short),
                path: without_generics(rest[close + 1..].trim_start_matches(':')),
                told: None,
            };
        }
        let path = without_generics(text);
        Callee { text, self_ty: None, trait_name: None, path, told: None }
    }

    /// The function's own name.
    pub(crate) fn name(&self) -> &str {
        types::last(&self.path)
    }

    /// Whether it is what a path means, or the end of one: the function's, or that of its method.
    pub(crate) fn is_named(&self, path: &str) -> bool {
        let ends = |long: &str, end: &str| {
            long.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
        };
        let is_it = |owner: &str| {
            let own = match owner {
                "" => self.name().to_owned(),
                owner => format!("{owner}::{}", self.name()),
            };
            // A path in the crate itself is printed without the crate's name.
            ends(&own, path) || ends(path, &own) && own.contains("::")
        };
        is_it(self.owner()) || self.trait_name.is_some_and(is_it)
    }

    /// The path of the type or module that the function is in; of `<Type as Trait>::name`, the
    /// type's.
    pub(crate) fn owner(&self) -> &str {
        match self.self_ty {
            Some(ty) => types::head(ty),
            None => rfind(&self.path, b"::").map_or("", |at| &self.path[..at]),
        }
    }
}

/// The index of the `>` that closes the bracket before the text.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 1i32;
    (0..bytes.len()).find(|&at| {
        match bytes[at] {
            b'<' => depth += 1,
            b'>' if at == 0 || bytes[at - 1] != b'-' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

/// Where a word stands outside brackets.
pub(crate) fn at_top_level(text: &str, word: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0i32;
    (0..bytes.len()).find(|&at| {
        match bytes[at] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' | b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        depth == 0 && bytes[at..].starts_with(word.as_bytes())
    })
}

/// A path without its generic arguments.
pub(crate) fn without_generics(path: &str) -> Cow<'_, str> {
    if !path.contains('<') {
        return Cow::Borrowed(path.trim_end_matches("::"));
    }
    let bytes = path.as_bytes();
    let mut result = String::with_capacity(path.len());
    let mut depth = 0i32;
    let mut from = 0;
    for at in 0..bytes.len() {
        match bytes[at] {
            b'<' => {
                if depth == 0 {
                    result.push_str(&path[from..at]);
                }
                depth += 1;
            }
            b'>' if at == 0 || bytes[at - 1] != b'-' => {
                depth -= 1;
                if depth == 0 {
                    from = at + 1;
                }
            }
            _ => {}
        }
    }
    if depth == 0 {
        result.push_str(&path[from.min(path.len())..]);
    }
    while result.contains("::::") {
        result = result.replace("::::", "::");
    }
    result.truncate(result.trim_end_matches("::").len());
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_function_is_named_by_the_end_of_its_path() {
        let is = |text: &str, path: &str| super::Callee::new(text).is_named(path);
        assert!(is("kernel::Queue::<u8>::drain", "kernel::Queue::drain"));
        assert!(is("kernel::Queue::<u8>::drain", "Queue::drain"));
        assert!(is("Queue::<u8>::drain", "kernel::Queue::drain"));
        assert!(is("<kernel::Queue<u8> as kernel::Drain>::drain", "Drain::drain"));
        assert!(is("drain", "drain"));
        assert!(!is("kernel::Queue::<u8>::drain", "ueue::drain"));
        assert!(!is("drain", "kernel::Queue::drain"));
    }

    use super::*;

    #[test]
    fn paths_lose_their_generics() {
        let callee = Callee::new("std::sync::Mutex::<Vec<fn(u8) -> u8>>::lock");
        assert_eq!(callee.path, "std::sync::Mutex::lock");
        assert_eq!((callee.owner(), callee.name()), ("std::sync::Mutex", "lock"));
        assert_eq!(Callee::new("core::slice::<impl [T]>::iter").path, "core::slice::iter");
    }

    #[test]
    fn trait_calls_have_a_type() {
        let callee = Callee::new("<std::sync::Arc<Bank<T>> as std::ops::Deref>::deref");
        assert_eq!(callee.self_ty, Some("std::sync::Arc<Bank<T>>"));
        assert_eq!((callee.trait_name, callee.name()), (Some("Deref"), "deref"));
        let call = Callee::new("<F as std::ops::Fn<(u8,)>>::call");
        assert_eq!((call.self_ty, call.trait_name), (Some("F"), Some("Fn")));
    }
}
