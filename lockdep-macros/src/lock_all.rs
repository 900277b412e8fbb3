//! `lock_all!` and its forms: what is written for each lock becomes a request, evaluated once and
//! in the order it is written; a function of `lockdep::ordered` takes the requests together.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Token};

use crate::text;

/// The most locks that `lockdep::ordered` takes as a tuple.
const MOST: usize = 12;

/// The method that asks for a mutex.
const LOCK_REQUEST: &str = "lock_request";

/// Which macro it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    All,
    Unique,
    Try,
    For,
    Backoff,
}

impl Form {
    fn function(self) -> &'static str {
        match self {
            Form::All => "lock_all",
            Form::Unique => "lock_all_unique",
            Form::Try => "try_lock_all",
            Form::For => "lock_all_for",
            Form::Backoff => "lock_all_backoff",
        }
    }
}

/// What is written for one lock, taken apart.
struct Wanted<'a> {
    written: &'a Expr,
    /// The lock itself.
    lock: &'a Expr,
    /// The method that makes the request.
    request: &'static str,
    /// What is done with the outcome: `.unwrap()` and the like, outermost last.
    adapters: Vec<Adapter<'a>>,
}

enum Adapter<'a> {
    Call(&'a Ident, &'a Punctuated<Expr, Token![,]>),
    Question(&'a Token![?]),
}

impl<'a> Wanted<'a> {
    fn new(written: &'a Expr) -> Wanted<'a> {
        let mut adapters = Vec::new();
        let mut inner = written;
        loop {
            match inner {
                Expr::Try(question) => {
                    adapters.push(Adapter::Question(&question.question_token));
                    inner = &question.expr;
                }
                Expr::MethodCall(call) => match request(&call.method.to_string()) {
                    Some(request) if call.args.is_empty() && call.turbofish.is_none() => {
                        adapters.reverse();
                        return Wanted { written, lock: &call.receiver, request, adapters };
                    }
                    _ if is_adapter(&call.method) => {
                        adapters.push(Adapter::Call(&call.method, &call.args));
                        inner = &call.receiver;
                    }
                    _ => break,
                },
                _ => break,
            }
        }
        Wanted { written, lock: written, request: LOCK_REQUEST, adapters: vec![] }
    }
}

fn request(method: &str) -> Option<&'static str> {
    match method {
        "lock" => Some(LOCK_REQUEST),
        "read" => Some("read_request"),
        "write" => Some("write_request"),
        _ => None,
    }
}

fn is_adapter(method: &Ident) -> bool {
    ["unwrap", "expect", "unwrap_or_else"].iter().any(|adapter| method == adapter)
}

impl Wanted<'_> {
    fn request(&self, lockdep: &TokenStream) -> TokenStream {
        let (lock, span) = (&self.lock, self.lock.span());
        let request = Ident::new(self.request, span);
        let request = quote_spanned!(span=> (#lock).#request());
        if self.adapters.is_empty() || !self.at_once() {
            return request;
        }
        let taken = Ident::new("__lockdep_taken", Span::mixed_site());
        let adapted = self.adapt(quote!(#taken));
        quote!(#lockdep::ordered::mapped(#request, |#taken| #adapted))
    }

    /// Whether it makes no difference that the outcome is adapted before all locks are taken: no code of
    /// the user's runs there, nothing is moved into it, and nothing leaves the function.
    fn at_once(&self) -> bool {
        let names_an_item = |arg: &Expr| match arg {
            Expr::Lit(_) => true,
            Expr::Path(path) => path.path.segments.len() > 1,
            _ => false,
        };
        self.adapters.iter().all(|adapter| match adapter {
            Adapter::Call(_, args) => args.iter().all(names_an_item),
            Adapter::Question(_) => false,
        })
    }

    /// `outcome` with what is written after the acquisition.
    fn adapt(&self, outcome: TokenStream) -> TokenStream {
        self.adapters.iter().fold(outcome, |outcome, adapter| match adapter {
            Adapter::Call(method, args) => quote!(#outcome.#method(#args)),
            Adapter::Question(question) => quote!(#outcome #question),
        })
    }
}

struct Input {
    /// The path of `lockdep`.
    lockdep: TokenStream,
    timeout: Option<Expr>,
    locks: Vec<Expr>,
}

impl Input {
    fn parse(form: Form, input: ParseStream<'_>) -> syn::Result<Input> {
        let lockdep = crate::path_of_lockdep(input)?;
        let mut timeout = None;
        if form == Form::For {
            if input.is_empty() {
                let message = "say how long to wait, and for which locks: \
                               `lock_all_for!(timeout, first, second)`";
                return Err(Error::new(Span::call_site(), message));
            }
            timeout = Some(input.parse()?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let locks: Vec<Expr> =
            Punctuated::<Expr, Token![,]>::parse_terminated(input)?.into_iter().collect();
        if locks.is_empty() {
            let message = format!(
                "name at least one lock: `{}!({}first, second)`",
                form.function(),
                if form == Form::For { "timeout, " } else { "" },
            );
            return Err(Error::new(Span::call_site(), message));
        }
        if let Some(excess) = locks.get(MOST) {
            let message =
                format!("at most {MOST} locks in one call: use `lock_slice` for more of one type");
            return Err(Error::new(excess.span(), message));
        }
        Ok(Input { lockdep, timeout, locks })
    }
}

/// Expands `input`, which is the path of `lockdep`, a semicolon, and what the user has written.
pub(crate) fn expand(form: Form, input: TokenStream) -> TokenStream {
    match Parser::parse2(|input: ParseStream<'_>| Input::parse(form, input), input) {
        Ok(input) => input.expand(form),
        Err(error) => error.into_compile_error(),
    }
}

impl Input {
    fn expand(&self, form: Form) -> TokenStream {
        let lockdep = &self.lockdep;
        // What the user has written cannot see the name; a constant of the user's could be meant by it.
        let requests_name = Ident::new("__lockdep_requests", Span::mixed_site());
        let function = format_ident!("{}", form.function());
        let wanted: Vec<Wanted<'_>> = self.locks.iter().map(Wanted::new).collect();
        let requests = wanted.iter().map(|wanted| wanted.request(lockdep));
        let names = wanted.iter().map(|wanted| text::of(wanted.written.to_token_stream()));
        let (first, timeout) = match &self.timeout {
            Some(timeout) => {
                let name = Ident::new("__lockdep_timeout", Span::mixed_site());
                (Some(quote!(#timeout,)), Some(quote!(#name,)))
            }
            None => (None, None),
        };
        let taken = quote! {
            #lockdep::ordered::#function(
                #requests_name,
                #lockdep::ordered::Names::Written(&[#(#names),*]),
                #timeout
            )
        };
        let adapted = adapt(form, &wanted, taken);
        let (mutexes, others): (Vec<_>, Vec<_>) =
            wanted.iter().partition(|wanted| wanted.request == LOCK_REQUEST);
        let traits = [(mutexes, quote!(RequestLock)), (others, quote!(RequestRwLock))];
        let traits = traits.iter().filter(|(users, _)| !users.is_empty()).map(|(_, name)| name);
        quote! {{
            use #lockdep::ordered::{#(#traits as _),*};
            match (#first (#(#requests,)*),) {
                (#timeout #requests_name,) => #adapted,
            }
        }}
    }
}

/// `taken` with what is written after the acquisitions and must wait until all are taken.
fn adapt(form: Form, wanted: &[Wanted<'_>], taken: TokenStream) -> TokenStream {
    if wanted.iter().all(Wanted::at_once) {
        return taken;
    }
    let name = |place| Ident::new(&format!("__lockdep_taken_{place}"), Span::mixed_site());
    let names: Vec<Ident> = (0..wanted.len()).map(name).collect();
    let outcomes = wanted.iter().zip(&names).map(|(wanted, name)| match form {
        _ if wanted.at_once() => quote!(#name),
        Form::Unique => {
            let adapted = wanted.adapt(quote!(#name));
            quote! {
                match #name {
                    ::core::option::Option::Some(#name) => ::core::option::Option::Some(#adapted),
                    ::core::option::Option::None => ::core::option::Option::None,
                }
            }
        }
        _ => wanted.adapt(quote!(#name)),
    });
    let outcomes = quote!((#(#outcomes,)*));
    match form {
        Form::Try | Form::For => {
            let error = Ident::new("__lockdep_error", Span::mixed_site());
            quote! {
                match #taken {
                    ::core::result::Result::Ok((#(#names,)*)) => {
                        ::core::result::Result::Ok(#outcomes)
                    }
                    ::core::result::Result::Err(#error) => ::core::result::Result::Err(#error),
                }
            }
        }
        Form::All | Form::Unique | Form::Backoff => quote! {{
            let (#(#names,)*) = #taken;
            #outcomes
        }},
    }
}
