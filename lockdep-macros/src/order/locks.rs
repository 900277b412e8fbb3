//! `#[locks(accounts, audit)]`: the order of the acquisitions in one function, as it is written.
//!
//! A lock is known by its name alone: the field, static, variable or argumentless method that
//! `lock`, `read` or `write` is called on. A guard that is bound by `let` is held to the end of its
//! block, to `drop`, or until it is handed on; any other to the end of its statement. What may have
//! been released on one of several ways counts as released, and a `try_` acquisition is held where it is
//! known to have succeeded. Closures and async blocks run at another time, so nothing is held when they
//! begin. The arguments of macros are not looked at.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Error, Expr, FnArg, GenericArgument, Ident, ItemFn, Pat, Path, PathArguments, Stmt,
    Token, Type,
};

/// Expands the attribute on a function.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = Order::of(arguments).and_then(|order| {
        let mut function: ItemFn = syn::parse2(item.clone()).map_err(|error| {
            Error::new(error.span(), "`#[locks]` is for a function with a body")
        })?;
        order.check(&function.block)?;
        order.ask_for_level(&mut function);
        Ok(function.into_token_stream())
    });
    expanded.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#error #item)
    })
}

/// The locks in the order in which they are taken.
struct Order {
    locks: Vec<Path>,
    /// Where `lockdep` is.
    lockdep: TokenStream,
}

impl Order {
    fn of(arguments: TokenStream) -> syn::Result<Order> {
        let parse = |input: ParseStream<'_>| {
            let lockdep = crate::crate_argument(input)?.unwrap_or_else(crate::lockdep);
            Ok((lockdep, Punctuated::<Path, Token![,]>::parse_terminated_with(input, lock)?))
        };
        let (lockdep, paths) = parse.parse2(arguments)?;
        let locks: Vec<Path> = paths.into_iter().collect();
        if locks.is_empty() {
            let message = "name the locks that the function takes, in their order: \
                           `#[locks(first, second)]`";
            return Err(Error::new(Span::call_site(), message));
        }
        let order = Order { locks, lockdep };
        for (at, path) in order.locks.iter().enumerate() {
            let name = name_of(path);
            if order.position(&name.to_string()) != Some(at) {
                return Err(Error::new(
                    name.span(),
                    format!("`{name}` is named twice: keep one of them"),
                ));
            }
        }
        Ok(order)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.locks.iter().position(|path| *name_of(path) == *name)
    }

    fn check(&self, body: &Block) -> syn::Result<()> {
        let mut checker = Checker { order: self, held: Vec::new(), error: None };
        checker.visit_block(body);
        checker.error.map_or(Ok(()), Err)
    }

    /// `level: &mut Level<'_, _>` becomes a level that comes before the first of the locks.
    fn ask_for_level(&self, function: &mut ItemFn) {
        let lockdep = &self.lockdep;
        let mut asking = AskForLevel { first: &self.locks[0], lockdep, asks: false };
        for input in &mut function.sig.inputs {
            if let FnArg::Typed(input) = input {
                asking.visit_type_mut(&mut input.ty);
            }
        }
        if asking.asks && self.locks.len() > 1 {
            let (first, then) = (&self.locks[..self.locks.len() - 1], &self.locks[1..]);
            function.block.stmts.insert(
                0,
                syn::parse_quote! {
                    const _: () = {
                        const fn in_order<First: #lockdep::order::Before<Then>, Then>() {}
                        #(in_order::<#first, #then>();)*
                    };
                },
            );
        }
    }
}

/// The name of a lock, or the path of its level.
fn lock(input: ParseStream<'_>) -> syn::Result<Path> {
    let path = input.call(Path::parse_mod_style);
    if input.is_empty() || input.peek(Token![,]) {
        return path;
    }
    let message =
        "name the lock alone, as in `#[locks(accounts, audit)]`, or by the path of its level";
    Err(path.map_or_else(|error| Error::new(error.span(), message), |_| input.error(message)))
}

fn name_of(path: &Path) -> &Ident {
    &path.segments[path.segments.len() - 1].ident
}

/// Puts a bound in the place of the `_` of a `Level`.
struct AskForLevel<'a> {
    first: &'a Path,
    lockdep: &'a TokenStream,
    asks: bool,
}

impl VisitMut for AskForLevel<'_> {
    fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
        let is_level = segment.ident == "Level";
        if let (true, PathArguments::AngleBracketed(arguments)) = (is_level, &mut segment.arguments)
        {
            for argument in &mut arguments.args {
                if let GenericArgument::Type(level @ Type::Infer(_)) = argument {
                    let (first, lockdep) = (self.first, self.lockdep);
                    *level = syn::parse_quote!(impl #lockdep::order::Before<#first>);
                    self.asks = true;
                }
            }
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }
}

/// A guard that lives here.
#[derive(Clone)]
struct Held {
    lock: usize,
    /// Where it is acquired.
    span: Span,
    /// The variable that it is bound to; `None` for a temporary.
    guard: Option<Ident>,
    /// Not a `try_` acquisition.
    waited: bool,
}

struct Checker<'a> {
    order: &'a Order,
    held: Vec<Held>,
    error: Option<Error>,
}

impl Checker<'_> {
    /// Code that runs at another time.
    fn elsewhere(&mut self, visit: impl FnOnce(&mut Self)) {
        let held = std::mem::take(&mut self.held);
        visit(self);
        self.held = held;
    }

    /// One of several ways; what is held after it goes to `after`.
    fn way(&mut self, after: &mut Option<Vec<Held>>, visit: impl FnOnce(&mut Self)) {
        let before = self.held.clone();
        visit(self);
        let now = std::mem::replace(&mut self.held, before);
        let is_held = |held: &Held, all: &[Held]| {
            all.iter().any(|other| other.lock == held.lock && other.guard == held.guard)
        };
        *after = Some(match after.take() {
            Some(others) => others.into_iter().filter(|held| is_held(held, &now)).collect(),
            None => now,
        });
    }

    /// Ends the temporaries that were made since there were `count` guards.
    fn end_temporaries(&mut self, count: usize) {
        let mut at = 0;
        self.held.retain(|held| {
            at += 1;
            at <= count || held.guard.is_some()
        });
    }

    /// The variable is no guard of this function any more.
    fn hand_on(&mut self, value: &Expr) {
        let Expr::Path(path) = value else { return };
        if let Some(name) = path.path.get_ident() {
            self.held.retain(|held| held.guard.as_ref() != Some(name));
        }
    }

    fn acquire(&mut self, call: &syn::ExprMethodCall, waits: bool) {
        let Some(name) = name_of_lock(&call.receiver) else { return };
        let Some(lock) = self.order.position(&name) else { return };
        let span = call.receiver.span();
        let is_first_error = waits && self.error.is_none();
        let later = self.held.iter().find(|held| is_first_error && held.lock > lock);
        if let Some(later) = later {
            let held = name_of(&self.order.locks[later.lock]);
            let message = format!(
                "`{name}` is locked while `{held}` is held; `#[locks]` has `{name}` before `{held}`"
            );
            let mut error = Error::new(span, message);
            let message = format!(
                "`{held}` is locked here, and still held: lock it after `{name}`, or drop its \
                 guard before"
            );
            error.combine(Error::new(later.span, message));
            self.error = Some(error);
        }
        self.held.push(Held { lock, span, guard: None, waited: waits });
    }

    /// Binds the guard that `value` is to `guard`, if it is one.
    fn bind(&mut self, value: &Expr, guard: Option<&Ident>) {
        // The result of an attempt is no guard yet.
        let is_attempt = matches!(value, Expr::MethodCall(call) if acquires(call) == Some(false));
        let call = guard_of(value).filter(|_| !is_attempt);
        let name = call.and_then(|call| name_of_lock(&call.receiver));
        let Some(lock) = name.and_then(|name| self.order.position(&name)) else { return };
        if let Some(held) = self.held.iter_mut().rev().find(|held| held.lock == lock) {
            held.guard = guard.cloned();
        }
    }
}

impl<'ast> Visit<'ast> for Checker<'_> {
    fn visit_block(&mut self, block: &'ast Block) {
        let outside: Vec<Option<Ident>> = self.held.iter().map(|h| h.guard.clone()).collect();
        let count = self.held.len();
        visit::visit_block(self, block);
        // What was bound in the block ends with it; what was bound outside may have ended.
        if self.held.len() >= count && self.held.iter().zip(&outside).all(|(h, o)| h.guard == *o) {
            self.held.truncate(count);
        } else {
            self.held.retain(|held| outside.contains(&held.guard));
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let count = self.held.len();
        visit::visit_stmt(self, statement);
        let init = match statement {
            Stmt::Local(local) => local.init.as_ref().map(|init| (local, init)),
            _ => None,
        };
        if let Some((local, init)) = init {
            self.hand_on(&init.expr);
            match (&local.pat, &*init.expr) {
                // `let Ok(guard) = lock.try_lock() else { … }`
                (Pat::TupleStruct(pattern), Expr::MethodCall(call)) if acquires(call).is_some() => {
                    let unwrapped = syn::parse_quote!(#call.unwrap());
                    self.bind(&unwrapped, pattern.elems.first().and_then(variable));
                }
                (pattern, value) => self.bind(value, variable(pattern)),
            }
        }
        self.end_temporaries(count.min(self.held.len()));
    }

    fn visit_expr_assign(&mut self, assign: &'ast syn::ExprAssign) {
        visit::visit_expr_assign(self, assign);
        self.hand_on(&assign.left);
        self.hand_on(&assign.right);
        if let Expr::Path(path) = &*assign.left {
            self.bind(&assign.right, path.path.get_ident());
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        call.args.iter().for_each(|argument| self.hand_on(argument));
        if let Some(waits) = acquires(call) {
            self.acquire(call, waits);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        visit::visit_expr_call(self, call);
        call.args.iter().for_each(|argument| self.hand_on(argument));
    }

    fn visit_expr_struct(&mut self, value: &'ast syn::ExprStruct) {
        visit::visit_expr_struct(self, value);
        value.fields.iter().for_each(|field| self.hand_on(&field.expr));
    }

    fn visit_expr_tuple(&mut self, value: &'ast syn::ExprTuple) {
        visit::visit_expr_tuple(self, value);
        value.elems.iter().for_each(|element| self.hand_on(element));
    }

    fn visit_expr_return(&mut self, value: &'ast syn::ExprReturn) {
        visit::visit_expr_return(self, value);
        if let Some(value) = &value.expr {
            self.hand_on(value);
        }
    }

    fn visit_expr_if(&mut self, branch: &'ast syn::ExprIf) {
        let count = self.held.len();
        self.visit_expr(&branch.cond);
        if !matches!(&*branch.cond, Expr::Let(_)) {
            self.end_temporaries(count.min(self.held.len()));
        }
        let mut after = None;
        self.way(&mut after, |this| this.visit_block(&branch.then_branch));
        self.end_temporaries(count.min(self.held.len()));
        self.way(&mut after, |this| {
            if let Some((_, other)) = &branch.else_branch {
                this.visit_expr(other);
            }
        });
        self.held = after.unwrap_or_default();
    }

    fn visit_expr_match(&mut self, choice: &'ast syn::ExprMatch) {
        let count = self.held.len();
        self.visit_expr(&choice.expr);
        let mut at = 0;
        self.held.retain(|held| {
            at += 1;
            at <= count || held.waited
        });
        let mut after = None;
        for arm in &choice.arms {
            self.way(&mut after, |this| this.visit_arm(arm));
        }
        self.held = after.unwrap_or_default();
    }

    fn visit_expr_while(&mut self, round: &'ast syn::ExprWhile) {
        let count = self.held.len();
        let mut after = None;
        self.way(&mut after, |_| {});
        self.way(&mut after, |this| {
            this.visit_expr(&round.cond);
            if !matches!(&*round.cond, Expr::Let(_)) {
                this.end_temporaries(count.min(this.held.len()));
            }
            this.visit_block(&round.body);
        });
        self.held = after.unwrap_or_default();
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.elsewhere(|this| visit::visit_expr_closure(this, closure));
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.elsewhere(|this| visit::visit_expr_async(this, block));
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Whether the call acquires its receiver, and then whether it waits for it.
fn acquires(call: &syn::ExprMethodCall) -> Option<bool> {
    let method = call.method.to_string();
    match (method.as_str(), call.args.len()) {
        ("lock" | "read" | "write" | "upgradable_read", 0)
        | ("lock_nested" | "read_nested" | "write_nested" | "upgradable_read_nested", 1) => {
            Some(true)
        }
        ("try_lock" | "try_read" | "try_write" | "try_upgradable_read", 0) => Some(false),
        _ => None,
    }
}

/// The acquisition whose guard the value is.
fn guard_of(value: &Expr) -> Option<&syn::ExprMethodCall> {
    match value {
        Expr::MethodCall(call) if acquires(call).is_some() => Some(call),
        Expr::MethodCall(call)
            if ["unwrap", "expect", "unwrap_or_else", "map_err"]
                .iter()
                .any(|m| call.method == m) =>
        {
            guard_of(&call.receiver)
        }
        Expr::Try(inner) => guard_of(&inner.expr),
        Expr::Await(inner) => guard_of(&inner.base),
        Expr::Paren(inner) => guard_of(&inner.expr),
        Expr::Group(inner) => guard_of(&inner.expr),
        _ => None,
    }
}

/// What the lock is called that an expression leads to.
fn name_of_lock(lock: &Expr) -> Option<String> {
    match lock {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.to_string()),
            syn::Member::Unnamed(index) => Some(index.index.to_string()),
        },
        Expr::Index(index) => name_of_lock(&index.expr),
        Expr::Unary(unary) => name_of_lock(&unary.expr),
        Expr::Reference(reference) => name_of_lock(&reference.expr),
        Expr::Paren(inner) => name_of_lock(&inner.expr),
        Expr::Group(inner) => name_of_lock(&inner.expr),
        Expr::MethodCall(call) if call.args.is_empty() => match call.method.to_string().as_str() {
            "as_ref" | "clone" | "deref" | "borrow" | "unwrap" => name_of_lock(&call.receiver),
            name => Some(name.to_owned()),
        },
        _ => None,
    }
}

/// The variable that a pattern binds a guard to.
fn variable(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(variable) => Some(&variable.ident),
        Pat::Type(typed) => variable(&typed.pat),
        Pat::Paren(inner) => variable(&inner.pat),
        _ => None,
    }
}
