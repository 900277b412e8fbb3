//! Types and functions without the modules that they are in.

/// `Vec<Account>` for `alloc::vec::Vec<bank::Account>`.
pub fn short_type(ty: &str) -> String {
    let mut short = String::new();
    for part in ty.split("::") {
        // Before the `::` stands a module: the last word goes.
        let kept = short.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        short.truncate(kept);
        short.push_str(part);
    }
    short
}

/// `` `Bank::pay` `` for `bank::core::Bank::pay::h0123456789abcdef`, and in words for a closure.
pub fn short_function(function: &str) -> String {
    // As the lint calls it.
    if let Some(around) = function.strip_prefix("closure in ") {
        return format!("a closure in {}", short_function(around));
    }
    let is_hash = |last: &str| last.len() == 17 && last.starts_with('h');
    let function = match function.rsplit_once("::") {
        Some((path, last)) if is_hash(last) => path,
        _ => function,
    };
    let around = without_closures(function);
    let named = without_arguments(&around);
    let (path, name) = named.rsplit_once("::").unwrap_or(("", named));
    let of_type = path.strip_prefix('<').and_then(|path| path.strip_suffix('>'));
    let owner = match of_type {
        // A function of the type itself, as newer compilers write it.
        Some(ty) if !ty.contains(" as ") => short_type(ty),
        Some(_) => short_type(path),
        None => path.rsplit("::").next().unwrap_or_default().to_owned(),
    };
    let is_type = owner.starts_with(|c: char| c.is_uppercase() || c == '<');
    let short = if is_type { format!("{owner}::{name}") } else { name.to_owned() };
    if around == function { format!("`{short}`") } else { format!("a closure in `{short}`") }
}

/// The function around a closure, `::{{closure}}` or, as newer compilers write it, `::{closure#0}`.
fn without_closures(function: &str) -> String {
    let mut around = function.replace("::{{closure}}", "");
    while let Some(start) = around.find("::{closure#") {
        let Some(length) = around[start..].find('}') else { break };
        around.replace_range(start..=start + length, "");
    }
    around
}

/// `bank::pay` for `bank::pay::<bank::Euro>`.
fn without_arguments(function: &str) -> &str {
    let mut depth = 0_usize;
    if !function.ends_with('>') {
        return function;
    }
    for (at, char) in function.char_indices().rev() {
        match char {
            '>' if !function[..at].ends_with('-') => depth += 1,
            '<' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return function[..at].strip_suffix("::").unwrap_or(function);
        }
    }
    function
}

#[cfg(test)]
mod tests {
    use super::{short_function, short_type};

    #[test]
    fn a_short_type_has_no_modules() {
        for (long, short) in [
            ("i32", "i32"),
            ("alloc::vec::Vec<bank::Account>", "Vec<Account>"),
            ("(a::B, [c::D; 2])", "(B, [D; 2])"),
            ("dyn core::ops::Fn(a::B) -> c::D", "dyn Fn(B) -> D"),
            ("", ""),
        ] {
            assert_eq!(short_type(long), short);
        }
    }

    #[test]
    fn a_short_function_has_its_type() {
        for (long, short) in [
            ("main", "`main`"),
            ("bank::main", "`main`"),
            ("bank::core::Bank::pay", "`Bank::pay`"),
            ("bank::Bank::pay::h0123456789abcdef", "`Bank::pay`"),
            ("bank::main::{{closure}}::{{closure}}", "a closure in `main`"),
            ("bank::main::{closure#0}::{closure#12}", "a closure in `main`"),
            ("bank::pay::<bank::Euro<u8>>", "`pay`"),
            ("bank::pay::<fn() -> u8>::{closure#0}", "a closure in `pay`"),
            ("<bank::Bank>::pay", "`Bank::pay`"),
            ("<bank::Pool<a::B>>::get::<u8>", "`Pool<B>::get`"),
            ("closure in bank::Bank::pay", "a closure in `Bank::pay`"),
            ("<bank::Request as core::fmt::Display>::fmt", "`<Request as Display>::fmt`"),
            ("<bank::Pool<a::B> as Drop>::drop", "`<Pool<B> as Drop>::drop`"),
            ("", "``"),
        ] {
            assert_eq!(short_function(long), short);
        }
    }
}
