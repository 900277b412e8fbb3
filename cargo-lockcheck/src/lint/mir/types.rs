//! Types as the compiler prints them: how to take one apart without a type checker.

use super::cursor::rfind;

/// The type without references and raw pointers around it.
pub(crate) fn peel(mut ty: &str) -> &str {
    loop {
        let rest = if let Some(rest) = ty.strip_prefix('&') {
            let rest = match rest.strip_prefix('\'') {
                Some(lifetime) => lifetime.split_once(' ').map_or("", |split| split.1),
                None => rest,
            };
            rest.strip_prefix("mut ").unwrap_or(rest)
        } else if let Some(rest) = ty.strip_prefix("*const ") {
            rest
        } else if let Some(rest) = ty.strip_prefix("*mut ") {
            rest
        } else {
            return ty;
        };
        ty = rest.trim_start();
    }
}

/// The type that a reference or raw pointer leads to.
pub(crate) fn behind(ty: &str) -> &str {
    let Some(rest) = ty.strip_prefix('&') else {
        let rest = ty.strip_prefix("*const ").or_else(|| ty.strip_prefix("*mut "));
        return rest.unwrap_or(ty);
    };
    let rest = match rest.strip_prefix('\'') {
        Some(lifetime) => lifetime.split_once(' ').map_or("", |split| split.1),
        None => rest,
    };
    rest.strip_prefix("mut ").unwrap_or(rest)
}

/// Whether the type is a reference or raw pointer.
pub(crate) fn is_reference(ty: &str) -> bool {
    ty.starts_with(['&', '*'])
}

/// Whether a reference type is a mutable one.
pub(crate) fn is_mutable(ty: &str) -> bool {
    let Some(rest) = ty.strip_prefix('&') else { return false };
    let rest = match rest.strip_prefix('\'') {
        Some(lifetime) => lifetime.split_once(' ').map_or("", |split| split.1),
        None => rest,
    };
    rest.starts_with("mut ")
}

/// The path of the type behind references, without generic arguments.
pub(crate) fn head(ty: &str) -> &str {
    let ty = peel(ty);
    if ty.starts_with(['{', '(', '[']) {
        return ty;
    }
    ty.find('<').map_or(ty, |at| ty[..at].trim_end_matches("::"))
}

/// Whether a path leads into the standard library.
pub(crate) fn is_library(path: &str) -> bool {
    path.starts_with("std::") || path.starts_with("core::") || path.starts_with("alloc::")
}

/// The last segment of a path.
pub(crate) fn last(path: &str) -> &str {
    rfind(path, b"::").map_or(path, |at| &path[at + 2..])
}

/// The last segment of the type's path.
pub(crate) fn short(ty: &str) -> &str {
    last(head(ty))
}

/// Whether a type, or the path of a function, as text, has a name in it.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    !name.is_empty()
        && text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

/// The parts of a text between `separator`s outside brackets.
pub(crate) fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let bytes = text.as_bytes();
        let mut depth = 0i32;
        for at in 0..bytes.len() {
            match bytes[at] {
                b'<' | b'(' | b'[' | b'{' => depth += 1,
                b'>' if at > 0 && bytes[at - 1] == b'-' => {}
                b'>' | b')' | b']' | b'}' => depth -= 1,
                byte if byte == separator && depth == 0 => {
                    rest = Some(text[at + 1..].trim_start());
                    return Some(text[..at].trim());
                }
                _ => {}
            }
        }
        rest = None;
        Some(text.trim())
    })
}

/// The generic arguments of the type behind references, or the parts of a tuple, array or slice.
pub(crate) fn arguments(ty: &str) -> Vec<&str> {
    let ty = peel(ty);
    let inner = if ty.starts_with('{') {
        return Vec::new();
    } else if let Some(inner) = ty.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        inner
    } else if let Some(inner) = ty.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return vec![inner.rsplit_once("; ").map_or(inner, |split| split.0)];
    } else if let Some(inner) = ty.find('<').and_then(|at| ty[at + 1..].strip_suffix('>')) {
        inner
    } else {
        return Vec::new();
    };
    split(inner, b',').filter(|part| !part.is_empty() && !part.starts_with('\'')).collect()
}

/// Whether the type owns, not merely refers to, a value whose type's path satisfies `is`.
pub(crate) fn owns(ty: &str, is: &dyn Fn(&str) -> bool) -> bool {
    owns_within(ty, is, 12)
}

fn owns_within(ty: &str, is: &dyn Fn(&str) -> bool, depth: u32) -> bool {
    if depth == 0 || is_reference(ty) {
        return false;
    }
    if is(head(ty)) {
        return true;
    }
    // A function pointer's or closure's type mentions types that it does not own.
    if ty.starts_with("fn(") || ty.starts_with("for<") || ty.starts_with("unsafe fn(") {
        return false;
    }
    arguments(ty).into_iter().any(|argument| owns_within(argument, is, depth - 1))
}

/// All closure and coroutine types that a text mentions.
pub(crate) fn closures(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('{') {
        let rest = &text[at..];
        if !(rest.starts_with("{closure@")
            || rest.starts_with("{async ")
            || rest.starts_with("{coroutine"))
        {
            continue;
        }
        let mut depth = 0i32;
        let end = rest.bytes().position(|byte| {
            depth += i32::from(byte == b'{') - i32::from(byte == b'}');
            depth == 0
        });
        found.extend(end.map(|end| &rest[..=end]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_taken_apart() {
        assert_eq!(head("&'a mut std::sync::Mutex<Vec<u8>>"), "std::sync::Mutex");
        assert_eq!(short("&std::sync::Arc<T>"), "Arc");
        assert_eq!(
            arguments("Result<(u8, fn(u8) -> u8), Foo<'_, Vec<u8>>>"),
            ["(u8, fn(u8) -> u8)", "Foo<'_, Vec<u8>>"]
        );
        assert_eq!(arguments("[Mutex<u8>; 4]"), ["Mutex<u8>"]);
    }

    #[test]
    fn a_reference_does_not_own() {
        let is_guard = |path: &str| path.ends_with("Guard");
        assert!(owns("Option<std::sync::MutexGuard<'_, u8>>", &is_guard));
        assert!(!owns("Option<&std::sync::MutexGuard<'_, u8>>", &is_guard));
    }

    #[test]
    fn closures_are_found_inside_generics() {
        assert_eq!(
            closures("Map<Iter<u8>, {closure@src/a.rs:1:2: 3:4}>"),
            ["{closure@src/a.rs:1:2: 3:4}"]
        );
    }
}
