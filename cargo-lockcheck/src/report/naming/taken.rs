//! From which field or static a lock is taken, by the expression that takes it.
//!
//! `self.orders.lock()` says which of several locks that one expression makes this is; so does a variable
//! that was bound to `&self.orders` before. What came in as an argument says nothing.

use proc_macro2::{LineColumn, Span};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Token};

use super::creation::{member, start, type_name};
use crate::report::model::Place;

/// Methods and functions whose result is what they are called on, or a part of that.
const PASSING: &[&str] = &[
    "as_mut", "as_ref", "borrow", "by_ref", "clone", "deref", "expect", "first", "get", "iter",
    "last", "to_owned", "unwrap",
];

/// What a lock is taken from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Taken {
    /// A field: its name, and the type whose `self` has it, if it is taken from that.
    Field { owner: Option<String>, name: String },
    /// A static of this name.
    Static(String),
}

/// What the lock is taken from that is acquired, or waited for, at `place`.
pub(super) fn taken(file: &syn::File, place: &Place) -> Option<Taken> {
    let target = start(place)?;
    let mut finder = Finder { target, owner: None, variables: Vec::new(), found: None };
    finder.visit_file(file);
    finder.found.flatten()
}

struct Finder {
    target: LineColumn,
    /// The type whose `impl` this is.
    owner: Option<String>,
    /// The variables, innermost last, with what they are bound to.
    variables: Vec<(String, Option<Taken>)>,
    found: Option<Option<Taken>>,
}

impl Finder {
    fn contains(&self, span: Span) -> bool {
        (span.start()..span.end()).contains(&self.target)
    }

    /// What an expression is, or a part of.
    fn of(&self, expr: &Expr) -> Option<Taken> {
        match expr {
            Expr::Field(field) => {
                let is_own = matches!(&*field.base, Expr::Path(path) if path.path.is_ident("self"));
                let owner = self.owner.clone().filter(|_| is_own);
                Some(Taken::Field { owner, name: member(&field.member) })
            }
            Expr::Path(path) => {
                let name = path.path.segments.last()?.ident.to_string();
                let known = self.variables.iter().rev().find(|(known, _)| *known == name);
                match known.filter(|_| path.path.segments.len() == 1) {
                    Some((_, bound)) => bound.clone(),
                    None => is_static(&name).then_some(Taken::Static(name)),
                }
            }
            Expr::MethodCall(call) => {
                let passes = PASSING.contains(&call.method.to_string().as_str());
                if passes { self.of(&call.receiver) } else { None }
            }
            Expr::Call(call) => {
                let Expr::Path(path) = &*call.func else { return None };
                let function = path.path.segments.last()?.ident.to_string();
                let passes = PASSING.contains(&function.as_str());
                if passes { self.of(call.args.first()?) } else { None }
            }
            Expr::Index(index) => self.of(&index.expr),
            Expr::Paren(inner) => self.of(&inner.expr),
            Expr::Reference(inner) => self.of(&inner.expr),
            Expr::Unary(inner) => self.of(&inner.expr),
            Expr::Try(inner) => self.of(&inner.expr),
            _ => None,
        }
    }

    fn bind(&mut self, pattern: &Pat, value: Option<&Expr>) {
        match (pattern, value) {
            (Pat::Ident(ident), Some(value)) => {
                let bound = self.of(value);
                self.variables.push((ident.ident.to_string(), bound));
            }
            (Pat::Type(typed), _) => self.bind(&typed.pat, value),
            (Pat::Reference(inner), _) => self.bind(&inner.pat, value),
            (Pat::Tuple(patterns), Some(Expr::Tuple(values)))
                if patterns.elems.len() == values.elems.len() =>
            {
                for (pattern, value) in patterns.elems.iter().zip(&values.elems) {
                    self.bind(pattern, Some(value));
                }
            }
            _ => self.visit_pat(pattern),
        }
    }

    /// Visits what has variables of its own.
    fn within(&mut self, visit: impl FnOnce(&mut Self)) {
        let outer = self.variables.len();
        visit(self);
        self.variables.truncate(outer);
    }
}

/// By the convention for names.
fn is_static(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && !name.contains(char::is_lowercase)
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if self.found.is_none() && self.contains(item.span()) {
            let variables = std::mem::take(&mut self.variables);
            visit::visit_item(self, item);
            self.variables = variables;
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = std::mem::replace(&mut self.owner, type_name(&item.self_ty));
        visit::visit_item_impl(self, item);
        self.owner = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if self.contains(item.span()) {
            self.within(|this| visit::visit_impl_item_fn(this, item));
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        if self.contains(block.span()) {
            self.within(|this| visit::visit_block(this, block));
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, otherwise)) = &init.diverge {
                self.visit_expr(otherwise);
            }
        }
        self.bind(&local.pat, local.init.as_ref().map(|init| &*init.expr));
    }

    fn visit_pat_ident(&mut self, ident: &'ast syn::PatIdent) {
        self.variables.push((ident.ident.to_string(), None));
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.within(|this| visit::visit_arm(this, arm));
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.within(|this| visit::visit_expr_closure(this, closure));
    }

    fn visit_expr_for_loop(&mut self, each: &'ast syn::ExprForLoop) {
        self.visit_expr(&each.expr);
        self.within(|this| {
            this.bind(&each.pat, Some(&each.expr));
            this.visit_block(&each.body);
        });
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        if self.found.is_some() || !self.contains(expr.span()) {
            return;
        }
        self.found = match expr {
            Expr::MethodCall(call) if call.method.span().start() == self.target => {
                Some(self.of(&call.receiver))
            }
            Expr::Call(call) if call.span().start() == self.target => {
                Some(call.args.first().and_then(|lock| self.of(lock)))
            }
            _ => return visit::visit_expr(self, expr),
        };
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let list = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone());
        for expr in list.into_iter().flatten() {
            // It does not outlive this, and nothing is kept of it.
            Finder::visit_expr(self, &expr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Taken, taken};
    use crate::report::model::Place;

    /// What the lock is taken from that is acquired where `source` has a `¶`.
    fn from(source: &str) -> Option<Taken> {
        let before = &source[..source.find('¶').expect("a mark")];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
        let file = syn::parse_file(&source.replace('¶', "")).expect("it is Rust");
        taken(&file, &Place { file: String::new(), line, column })
    }

    fn field(owner: Option<&str>, name: &str) -> Option<Taken> {
        Some(Taken::Field { owner: owner.map(str::to_owned), name: name.to_owned() })
    }

    #[test]
    fn the_expression_that_takes_a_lock_says_which_field_it_is() {
        for (source, expected) in [
            ("impl Shop { fn f(&self) { self.a.¶lock(); } }", field(Some("Shop"), "a")),
            ("impl<T> Shop<T> { fn f(&self) { self.0.¶lock(); } }", field(Some("Shop"), "0")),
            ("impl Shop { fn f(&self) { self.a[1].¶lock(); } }", field(Some("Shop"), "a")),
            ("impl Shop { fn f(&self) { ¶Mutex::lock(&self.a); } }", field(Some("Shop"), "a")),
            ("impl Shop { fn f(&self) { self.inner.a.¶lock(); } }", field(None, "a")),
            ("impl S { fn f(&self) { self.a.get(1).unwrap().¶lock(); } }", field(Some("S"), "a")),
            ("impl S { fn f(&self) { self.a().¶lock(); } }", None),
            ("fn f(shop: &Shop) { shop.a.¶lock(); }", field(None, "a")),
            ("fn f(shop: &Shop) { (*shop).a.¶lock(); }", field(None, "a")),
            ("fn f(s: &Shop) { println!(\"{}\", s.a.¶lock().unwrap()); }", field(None, "a")),
            ("fn f(shop: &Shop) { let a = &shop.a; a.¶lock(); }", field(None, "a")),
            (
                "fn f(s: &S) { let a = Arc::clone(&s.a); spawn(move || a.¶lock()); }",
                field(None, "a"),
            ),
            ("fn f(s: &S) { for a in &s.rows { a.¶lock(); } }", field(None, "rows")),
            ("fn f(s: &S) { let a = &s.a; let a = g(a); a.¶lock(); }", None),
            ("fn f(s: &S) { { let a = &s.b; } let a = &s.a; a.¶lock(); }", field(None, "a")),
            ("fn f(s: &S) { let a = &s.a; s.each(|a| a.¶lock()); }", None),
            ("fn f(a: &Mutex<u8>) { a.¶lock(); }", None),
            ("fn f() { REGISTRY.¶lock(); }", Some(Taken::Static("REGISTRY".to_owned()))),
            ("fn f() { m::POOL[0].¶lock(); }", Some(Taken::Static("POOL".to_owned()))),
            ("fn f() { Self::a().¶lock(); }", None),
        ] {
            assert_eq!(from(source), expected, "{source}");
        }
    }
}
