//! Functions whose answer depends on nothing but what they are given: asked again, they say the same.

use super::functions::{Functions, Of, any, of_traits, of_types};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::types;

/// Functions of the library and of crates for data.
const FIXED: &[Functions] = &[
    of_types(
        &["str", "String"],
        &[
            "parse",
            "from_utf8",
            "from_utf16",
            "strip_prefix",
            "strip_suffix",
            "split_once",
            "rsplit_once",
            "find",
            "rfind",
            "trim",
            "trim_start",
            "trim_end",
            "as_str",
            "as_bytes",
            "as_ref",
            "len",
            "is_empty",
            "contains",
            "starts_with",
            "ends_with",
            "to_lowercase",
            "to_uppercase",
            "to_owned",
            "to_string",
        ],
    ),
    of_types(
        &["slice", "Vec", "HashMap", "BTreeMap", "HashSet", "BTreeSet"],
        &["get", "first", "last", "len", "is_empty", "contains", "contains_key", "as_slice"],
    ),
    of_types(
        &["Option", "Result"],
        &[
            "is_some",
            "is_none",
            "is_ok",
            "is_err",
            "as_ref",
            "as_deref",
            "unwrap",
            "expect",
            "ok",
            "ok_or",
            "copied",
            "cloned",
            "unwrap_or",
        ],
    ),
    of_types(&["char"], &["from_u32", "from_digit", "to_digit"]),
    Functions { of: Of::Anything, names: &["from_str_radix", "parse_str", "parse_from_str"] },
    Functions {
        of: Of::Crates(&["serde_json", "toml", "serde_yaml", "ron"]),
        names: &["from_str", "from_slice"],
    },
    Functions { of: Of::Crates(&["core::fmt", "std::fmt", "alloc::fmt", "core::num"]), names: &[] },
];

/// Methods of traits, where the library has them.
const FIXED_OF_TRAITS: &[Functions] = &[
    of_traits(&["FromStr"], &["from_str"]),
    of_traits(&["TryFrom", "TryInto"], &["try_from", "try_into"]),
    of_traits(
        &[
            "Deref",
            "AsRef",
            "Borrow",
            "Index",
            "Clone",
            "PartialEq",
            "PartialOrd",
            "From",
            "Into",
            "ToString",
            "ToOwned",
            "Try",
            "FromResidual",
        ],
        &[],
    ),
];

/// Whether a function that is not of the program says the same whenever it is given the same.
pub(crate) fn is_fixed(callee: &Callee<'_>) -> bool {
    match callee.trait_name {
        Some(_) => {
            let of = callee.self_ty.map_or("", types::peel);
            let is_plain = types::is_library(of) || !of.contains("::");
            is_plain && !of.starts_with("dyn ") && any(FIXED_OF_TRAITS, callee)
        }
        None => any(FIXED, callee),
    }
}
