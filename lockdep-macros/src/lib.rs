//! The macros of `lockdep`, to be used through that crate: each takes the path of `lockdep` first,
//! which the macros there pass on, so that a renamed dependency works.
//!
//! Each macro parses into a value that says what is wanted, and expands that.

use proc_macro::TokenStream;

mod lock_all;
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
