//! The macros of `lockdep`, to be used through that crate: each function-like macro takes the path of
//! `lockdep` first, which the macros there pass on, so that a renamed dependency works. Attributes
//! and derives get no such path, and mean `::lockdep` unless they say `crate = path`.
//!
//! Each macro parses into a value that says what is wanted, and expands that.

use proc_macro::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{Error, Path, Token};

mod lock_all;
mod order;
mod text;

use crate::lock_all::Form;

/// See `lockdep::lock_all!`.
#[proc_macro]
pub fn lock_all(input: TokenStream) -> TokenStream {
    lock_all::expand(Form::All, input.into()).into()
}

/// See `lockdep::lock_all_unique!`.
#[proc_macro]
pub fn lock_all_unique(input: TokenStream) -> TokenStream {
    lock_all::expand(Form::Unique, input.into()).into()
}

/// See `lockdep::try_lock_all!`.
#[proc_macro]
pub fn try_lock_all(input: TokenStream) -> TokenStream {
    lock_all::expand(Form::Try, input.into()).into()
}

/// See `lockdep::lock_all_for!`.
#[proc_macro]
pub fn lock_all_for(input: TokenStream) -> TokenStream {
    lock_all::expand(Form::For, input.into()).into()
}

/// See `lockdep::lock_all_backoff!`.
#[proc_macro]
pub fn lock_all_backoff(input: TokenStream) -> TokenStream {
    lock_all::expand(Form::Backoff, input.into()).into()
}

/// See `lockdep::lock_order!`.
#[proc_macro]
pub fn lock_order(input: TokenStream) -> TokenStream {
    order::order(input.into()).into()
}

/// See `lockdep::lock_rank`.
#[proc_macro_attribute]
pub fn lock_rank(rank: TokenStream, item: TokenStream) -> TokenStream {
    order::rank(rank.into(), item.into()).into()
}

/// See `lockdep::locks`.
#[proc_macro_attribute]
pub fn locks(arguments: TokenStream, item: TokenStream) -> TokenStream {
    order::locks(arguments.into(), item.into()).into()
}

/// See `lockdep::order::LockOrder`.
#[proc_macro_derive(LockOrder, attributes(lock_order, lock_rank, lock_key, lock_levels))]
pub fn derive_lock_order(input: TokenStream) -> TokenStream {
    order::derive(input.into()).into()
}

/// The path of `lockdep`, and the semicolon after it, with which the input of a macro begins.
fn path_of_lockdep(input: ParseStream<'_>) -> syn::Result<proc_macro2::TokenStream> {
    let mut lockdep = proc_macro2::TokenStream::new();
    while !input.peek(Token![;]) {
        lockdep.extend([input.parse::<proc_macro2::TokenTree>()?]);
    }
    input.parse::<Token![;]>()?;
    Ok(lockdep)
}

/// `crate = path` and a comma, with which the arguments of an attribute can begin: where `lockdep` is.
fn crate_argument(input: ParseStream<'_>) -> syn::Result<Option<proc_macro2::TokenStream>> {
    if !(input.peek(Token![crate]) && input.peek2(Token![=])) {
        return Ok(None);
    }
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style).map_err(|error| {
        Error::new(error.span(), "say where `lockdep` is: `crate = path::to::lockdep`")
    })?;
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(Some(path.into_token_stream()))
}

/// Where `lockdep` is if nothing else is said.
fn lockdep() -> proc_macro2::TokenStream {
    quote!(::lockdep)
}
