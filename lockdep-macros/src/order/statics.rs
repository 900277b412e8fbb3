//! `lock_order!` and `#[lock_rank]`: the order of statics, and of locks of several structs.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Error, ItemStatic, Member, Path, Token, Type};

use super::chains::{Chains, Name, Rank, Relation};
use crate::text;

/// `REGISTRY`, `module::REGISTRY`, `Bank.accounts` or `<Bank<u8>>.accounts`.
enum Operand {
    Static(Path),
    Field(Box<Type>, Member),
}

impl Parse for Operand {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let owner: Type = if input.peek(Token![<]) {
            input.parse::<Token![<]>()?;
            let owner = input.parse()?;
            input.parse::<Token![>]>()?;
            owner
        } else {
            // A path in a type would take what follows `<` for its arguments.
            let path = input.call(Path::parse_mod_style)?;
            if !input.peek(Token![.]) {
                return Ok(Operand::Static(path));
            }
            syn::parse_quote!(#path)
        };
        input.parse::<Token![.]>()?;
        Ok(Operand::Field(Box::new(owner), input.parse()?))
    }
}

impl Name for Operand {
    fn text(&self) -> String {
        match self {
            Operand::Static(path) => text::of(path.to_token_stream()),
            Operand::Field(owner, member) => {
                format!("{}.{}", text::of(owner.to_token_stream()), member_text(member))
            }
        }
    }

    fn span(&self) -> Span {
        match self {
            Operand::Static(path) => path.segments.last().map_or_else(|| path.span(), |s| s.span()),
            Operand::Field(_, member) => member.span(),
        }
    }
}

fn member_text(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

impl Operand {
    /// The place as a constant.
    fn place(&self, lockdep: &TokenStream) -> TokenStream {
        let span = self.span();
        match self {
            Operand::Static(path) => {
                let name = path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
                quote_spanned!(span=> #lockdep::order::Lock::of_static(#name, &#path))
            }
            Operand::Field(owner, member) => {
                let name = member_text(member);
                quote_spanned!(span=>
                    #lockdep::order::Lock::of_order(
                        <#owner as #lockdep::order::LockOrder>::ORDER,
                        #name,
                    )
                )
            }
        }
    }
}

/// Expands `lock_order!`, whose input begins with the path of `lockdep` and a semicolon.
pub(crate) fn order(input: TokenStream) -> TokenStream {
    let parse = |input: ParseStream<'_>| {
        let lockdep = crate::path_of_lockdep(input)?;
        let mut relation = Relation::new();
        relation.add(input.parse::<Chains<Operand>>()?)?;
        Ok((lockdep, relation))
    };
    match Parser::parse2(parse, input) {
        Ok((lockdep, relation)) => declare(&lockdep, &relation),
        Err(error) => error.into_compile_error(),
    }
}

fn declare(lockdep: &TokenStream, relation: &Relation<Operand>) -> TokenStream {
    let count = relation.names.len();
    let places = relation.names.iter().map(|operand| operand.place(lockdep));
    let orders = relation.orders.iter().map(|(first, then, span)| {
        quote_spanned!(*span=> (#first, #then, ::core::panic::Location::caller()))
    });
    // The names of items are visible to what the user has written.
    quote! {
        const _: () = {
            static __LOCKDEP_LOCKS: [#lockdep::order::Lock; #count] = [#(#places),*];
            const __LOCKDEP_ORDERS: &[(usize, usize, &'static ::core::panic::Location<'static>)] =
                &[#(#orders),*];
            static __LOCKDEP_ORDER: #lockdep::order::Order =
                #lockdep::order::Order::new(&__LOCKDEP_LOCKS, __LOCKDEP_ORDERS);
            #lockdep::__declare!(__LOCKDEP_ORDER);
        };
    }
}

/// Expands `#[lock_rank(N)]` on a static.
pub(crate) fn rank(rank: TokenStream, item: TokenStream) -> TokenStream {
    let parse = |input: ParseStream<'_>| {
        let lockdep = crate::crate_argument(input)?.unwrap_or_else(crate::lockdep);
        Ok((lockdep, input.parse::<Rank>()?))
    };
    let expanded = parse.parse2(rank).and_then(|(lockdep, rank)| {
        let wrong = |error: Error| {
            let message = "`#[lock_rank]` is for a static, or for a field of a struct with \
                           `#[derive(LockOrder)]`";
            Error::new(error.span(), message)
        };
        let lock: ItemStatic = syn::parse2(item.clone()).map_err(wrong)?;
        Ok((lockdep, rank, lock))
    });
    let (lockdep, rank, lock) = match expanded {
        Ok(parsed) => parsed,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    let (name, value) = (&lock.ident, rank.value);
    let text = name.to_string();
    let place = quote_spanned!(name.span()=> #lockdep::order::Lock::of_static(#text, &#name));
    let ranked = quote_spanned!(rank.span=> .with_rank(#value));
    quote! {
        #lock
        const _: () = {
            static __LOCKDEP_LOCKS: [#lockdep::order::Lock; 1] = [#place #ranked];
            static __LOCKDEP_ORDER: #lockdep::order::Order =
                #lockdep::order::Order::new(&__LOCKDEP_LOCKS, &[]);
            #lockdep::__declare!(__LOCKDEP_ORDER);
        };
    }
}
