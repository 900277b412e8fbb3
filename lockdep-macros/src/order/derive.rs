//! `#[derive(LockOrder)]`: the places of a struct's fields, and the orders between them.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, Member, Meta};

use super::chains::{Chains, Name, Relation};

/// A field, by its name or number.
struct Field(Member);

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse().map(Field)
    }
}

impl Name for Field {
    fn text(&self) -> String {
        match &self.0 {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }

    fn span(&self) -> Span {
        match &self.0 {
            Member::Named(name) => name.span(),
            Member::Unnamed(index) => index.span,
        }
    }
}

/// What `lock_order` is given: `crate = path, a < b`, of which one can be missing.
struct Arguments {
    lockdep: Option<TokenStream>,
    chains: Option<Chains<Field>>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let lockdep = crate::crate_argument(input)?;
        let is_over = lockdep.is_some() && input.is_empty();
        Ok(Arguments { lockdep, chains: if is_over { None } else { Some(input.parse()?) } })
    }
}

/// What is declared on a struct.
struct Declared {
    /// Where `lockdep` is.
    lockdep: TokenStream,
    relation: Relation<Field>,
    key: Option<Member>,
    /// The name of the module of level types.
    levels: Option<Ident>,
}

/// Expands the derive.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2(input).and_then(|input: DeriveInput| {
        let declared = Declared::of(&input)?;
        Ok(declared.expand(&input))
    });
    expanded.unwrap_or_else(Error::into_compile_error)
}

impl Declared {
    fn of(input: &DeriveInput) -> syn::Result<Declared> {
        let Data::Struct(data) = &input.data else {
            let message = "only the locks of a struct have an order: put them in one";
            return Err(Error::new(input.ident.span(), message));
        };
        let mut declared = Declared {
            lockdep: crate::lockdep(),
            relation: Relation::new(),
            key: None,
            levels: None,
        };
        for attribute in &input.attrs {
            if attribute.path().is_ident("lock_order") {
                let arguments: Arguments = arguments(attribute, "first < second")?;
                if let Some(lockdep) = arguments.lockdep {
                    declared.lockdep = lockdep;
                }
                if let Some(chains) = arguments.chains {
                    declared.relation.add(chains)?;
                }
            } else if attribute.path().is_ident("lock_key") {
                let field = arguments(attribute, "id")?;
                let key = known(field, &data.fields)?;
                once(declared.key.replace(key).is_none(), attribute)?;
            } else if attribute.path().is_ident("lock_levels") {
                let module = arguments(attribute, "levels")?;
                once(declared.levels.replace(module).is_none(), attribute)?;
            } else if attribute.path().is_ident("lock_rank") {
                let message = "a rank is of one lock: write it on the field";
                return Err(Error::new(attribute.path().span(), message));
            }
        }
        for field in &declared.relation.names {
            known(Field(field.0.clone()), &data.fields)?;
        }
        for (field, member) in data.fields.iter().zip(data.fields.members()) {
            let mut ranks = field.attrs.iter().filter(|a| a.path().is_ident("lock_rank"));
            if let Some(attribute) = ranks.next() {
                let rank = arguments(attribute, "10")?;
                let index = declared.relation.index(Field(member));
                declared.relation.rank(index, rank)?;
            }
            if let Some(second) = ranks.next() {
                return Err(Error::new(
                    second.path().span(),
                    "the field has a rank already: keep one of them",
                ));
            }
        }
        if declared.relation.names.is_empty() {
            let message = "nothing is declared: add `#[lock_order(first < second)]` to the struct, \
                           or `#[lock_rank(10)]` to its fields";
            return Err(Error::new(input.ident.span(), message));
        }
        Ok(declared)
    }

    fn expand(&self, input: &DeriveInput) -> TokenStream {
        let (name, lockdep) = (&input.ident, &self.lockdep);
        let (generics, arguments, bounds) = input.generics.split_for_impl();
        let relation = &self.relation;
        let places = relation.names.iter().enumerate().map(|(index, field)| {
            let text = format!("{name}.{}", field.text());
            // The place is that of the field's declaration, or of its first mention.
            let (_, span) = declared(input, field);
            let rank = relation.rank_of(index).map(|rank| {
                let value = rank.value;
                quote_spanned!(rank.span=> .with_rank(#value))
            });
            quote_spanned!(span=> #lockdep::order::Lock::field(__LOCKDEP_PATH, #text) #rank)
        });
        let orders = relation.orders.iter().map(|(first, then, span)| {
            quote_spanned!(*span=> (#first, #then, ::core::panic::Location::caller()))
        });
        let count = relation.names.len();
        let indices = 0..count;
        let key_name = Ident::new("__lockdep_key", Span::mixed_site());
        let key = self.key.as_ref().map(|key| {
            let span = key.span().resolved_at(Span::call_site());
            quote_spanned!(span=> let #key_name = #lockdep::order::Key::number(self.#key);)
        });
        let puts = relation.names.iter().enumerate().map(|(index, field)| {
            let (member, span) = declared(input, field);
            // Where the field is, with the `self` of what is written here.
            let span = span.resolved_at(Span::call_site());
            match &key {
                Some(_) => quote_spanned!(span=>
                    __LOCKDEP_PLACES[#index].put_with_key(&self.#member, #key_name);
                ),
                None => quote_spanned!(span=> __LOCKDEP_PLACES[#index].put(&self.#member);),
            }
        });
        let levels = self.levels.as_ref().map(|module| self.levels(input, module));
        quote! {
            const _: () = {
                const __LOCKDEP_PATH: &str =
                    ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name));
                const __LOCKDEP_LOCKS: &[#lockdep::order::Lock] = &[#(#places),*];
                const __LOCKDEP_ORDERS: &[(usize, usize, &'static ::core::panic::Location<'static>)] = &[#(#orders),*];
                static __LOCKDEP_ORDER: #lockdep::order::Order = #lockdep::order::Order::new(__LOCKDEP_LOCKS, __LOCKDEP_ORDERS);
                #lockdep::__declare!(__LOCKDEP_ORDER);

                #[automatically_derived]
                impl #generics #lockdep::order::LockOrder for #name #arguments #bounds {
                    const ORDER: &'static #lockdep::order::Order = &__LOCKDEP_ORDER;

                    fn place_locks(&self) {
                        static __LOCKDEP_PLACES: [#lockdep::order::Place; #count] =
                            [#(#lockdep::order::Place::new(&__LOCKDEP_ORDER, #indices)),*];
                        #key
                        #(#puts)*
                    }
                }
            };
            #levels
        }
    }

    /// A type for each place, and which comes before which.
    fn levels(&self, input: &DeriveInput, module: &Ident) -> TokenStream {
        // What is called as a field is written here: it does not offend against the user's style.
        let level = |at: usize| match &self.relation.names[at].0 {
            Member::Named(name) => {
                let mut name = name.clone();
                name.set_span(Span::call_site().located_at(name.span()));
                name
            }
            Member::Unnamed(index) => format_ident!("field_{}", index.index),
        };
        let names = (0..self.relation.names.len()).map(level);
        let texts = self.relation.names.iter().map(|f| format!("`{}.{}`.", input.ident, f.text()));
        let (first, then): (Vec<Ident>, Vec<Ident>) =
            self.relation.pairs().into_iter().map(|(a, b)| (level(a), level(b))).unzip();
        let doc = format!("The levels of the locks of [`{}`].", input.ident);
        let (visibility, lockdep) = (&input.vis, &self.lockdep);
        quote! {
            #[doc = #doc]
            #visibility mod #module {
                #(#[doc = #texts] #[derive(Clone, Copy, Debug)] pub struct #names;)*
                #(impl #lockdep::order::Before<#then> for #first {})*
            }
        }
    }
}

/// What stands in the parentheses of an attribute, which is to be something like `example`.
fn arguments<T: Parse>(attribute: &Attribute, example: &str) -> syn::Result<T> {
    if let Meta::List(list) = &attribute.meta {
        return list.parse_args();
    }
    let name = attribute.path().require_ident()?;
    Err(Error::new(name.span(), format!("say what is declared: `#[{name}({example})]`")))
}

/// An attribute that a struct can have only one of.
fn once(is_first: bool, attribute: &Attribute) -> syn::Result<()> {
    if is_first {
        return Ok(());
    }
    let name = attribute.path().require_ident()?;
    Err(Error::new(name.span(), format!("the struct has a `{name}` already: keep one of them")))
}

/// The field, if the struct has it.
fn known(field: Field, fields: &Fields) -> syn::Result<Member> {
    if fields.members().any(|member| member == field.0) {
        return Ok(field.0);
    }
    let names: Vec<String> =
        fields.members().map(|member| format!("`{}`", Field(member).text())).collect();
    let message = format!("there is no field `{}`; there are {}", field.text(), names.join(", "));
    Err(Error::new(field.span(), message))
}

/// The field as it is declared, and where.
fn declared(input: &DeriveInput, field: &Field) -> (Member, Span) {
    let Data::Struct(data) = &input.data else { return (field.0.clone(), field.span()) };
    let mut all = data.fields.iter().zip(data.fields.members());
    match all.find(|(_, member)| *member == field.0) {
        Some((_, Member::Named(name))) => (Member::Named(name.clone()), name.span()),
        Some((declared, member)) => (member, declared.ty.span()),
        None => (field.0.clone(), field.span()),
    }
}
