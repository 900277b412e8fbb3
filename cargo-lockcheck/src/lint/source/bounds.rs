//! Which type parameters of a function are closures, by their bounds: MIR has only their names.

use syn::punctuated::Punctuated;
use syn::{
    GenericParam, Generics, ItemImpl, Signature, Token, Type, TypeParamBound, WherePredicate,
};

/// The type parameters that a function's header bounds by `Fn` or its kin. The header is the last one of
/// that name in a text, as the text ends somewhere in the function.
pub(crate) fn of_function(text: &str, name: &str) -> Vec<String> {
    let header = format!("fn {name}");
    let is_whole = |at: &usize| {
        let after = text[at + header.len()..].chars().next();
        after.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    };
    let Some(begin) = text.rmatch_indices(&header).map(|found| found.0).find(is_whole) else {
        return Vec::new();
    };
    let rest = &text[begin..];
    let end = rest.find(['{', ';']).unwrap_or(rest.len());
    let signature = syn::parse_str::<Signature>(&rest[..end]);
    signature.map(|signature| closures(&signature.generics)).unwrap_or_default()
}

/// The type parameters that the header of an `impl` bounds by `Fn` or its kin.
pub(crate) fn of_impl(header: &str) -> Vec<String> {
    let item = syn::parse_str::<ItemImpl>(&format!("{header} {{}}"));
    item.map(|item| closures(&item.generics)).unwrap_or_default()
}

fn closures(generics: &Generics) -> Vec<String> {
    let mut found = Vec::new();
    for parameter in &generics.params {
        if let GenericParam::Type(parameter) = parameter
            && has_call(&parameter.bounds)
        {
            found.push(parameter.ident.to_string());
        }
    }
    for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        if let WherePredicate::Type(predicate) = predicate
            && let Type::Path(of) = &predicate.bounded_ty
            && let Some(name) = of.path.get_ident()
            && has_call(&predicate.bounds)
        {
            found.push(name.to_string());
        }
    }
    found
}

fn has_call(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|segment| {
            matches!(&*segment.ident.to_string(), "Fn" | "FnMut" | "FnOnce" | "AsyncFn")
        }),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::{of_function, of_impl};

    #[test]
    fn bounds_tell_which_parameters_are_closures() {
        let text =
            "fn each<A: Clone + FnMut(u8) -> u8, F>(a: A, f: F) -> u8\nwhere\n    F: Default,\n{";
        assert_eq!(of_function(text, "each"), ["A"]);
        let text =
            "pub fn each<F>(f: F) where F: std::ops::FnOnce() {} fn each_one<G: Fn()>(g: G) {";
        assert_eq!(of_function(text, "each"), ["F"]);
        assert_eq!(of_function("fn each(f: u8) {", "each"), [""; 0]);
        assert_eq!(of_impl("impl<K, W: Fn(&K)> Work for Pool<K, W>"), ["W"]);
    }
}
