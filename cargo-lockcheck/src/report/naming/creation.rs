//! What a lock is called by the expression that creates it.

use proc_macro2::{LineColumn, Span, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Member, Pat, Stmt, Token};

use super::paths::short_type;
use crate::report::model::Place;

/// Types whose constructors only wrap what they are given.
const WRAPPERS: &[&str] = &[
    "Arc",
    "Box",
    "CachePadded",
    "Cell",
    "Cow",
    "Lazy",
    "LazyCell",
    "LazyLock",
    "ManuallyDrop",
    "Mutex",
    "OnceCell",
    "OnceLock",
    "Option",
    "Pin",
    "Rc",
    "RefCell",
    "RwLock",
    "UnsafeCell",
    "Vec",
];

/// Functions and variants that only pass on what they are given.
const PASSING: &[&str] = &["Some", "Ok", "Err", "from_fn", "repeat_with", "leak", "pin"];

/// Methods that put what they are given into their receiver.
const STORING: &[&str] = &[
    "push",
    "push_back",
    "push_front",
    "insert",
    "set",
    "extend",
    "get_or_init",
    "get_or_insert_with",
    "or_insert",
    "or_insert_with",
    "resize_with",
    "replace",
    "store",
];

/// What the source says of a lock where it is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Created {
    /// It becomes what has this name.
    As(String),
    /// It becomes one of these fields of a type: one expression makes them all.
    OneOf { owner: String, fields: Vec<String> },
    /// It is the value of the constant of this name, which is another lock wherever it is used.
    Constant(String),
    /// Nothing.
    #[default]
    Unsaid,
}

impl Created {
    /// A name from this alone.
    pub(super) fn name(self) -> Option<String> {
        match self {
            Created::As(name) | Created::Constant(name) => Some(name),
            Created::OneOf { owner, fields } => Some(format!("{owner}.{{{}}}", fields.join(","))),
            Created::Unsaid => None,
        }
    }
}

/// What the source around `place` says of the lock of `kind` around a `ty` that is created there.
pub(super) fn created(file: &syn::File, place: &Place, kind: &str, ty: &str) -> Created {
    let Some(target) = start(place) else { return Created::Unsaid };
    let mut finder =
        Finder { target, kind, ty, owner: None, context: None, constant: None, found: None };
    finder.visit_file(file);
    finder.found.unwrap_or_default()
}

/// A place as the parser has it, whose columns begin with zero.
pub(super) fn start(place: &Place) -> Option<LineColumn> {
    let column = (place.column as usize).checked_sub(1)?;
    Some(LineColumn { line: place.line as usize, column })
}

/// The last part of the path of a type, without its parameters.
pub(super) fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

/// Walks to the expression at `target`, keeping in `context` what that expression's value would
/// be called.
struct Finder<'a> {
    target: LineColumn,
    kind: &'a str,
    ty: &'a str,
    /// The type whose `impl` this is.
    owner: Option<String>,
    context: Option<String>,
    /// The name of the constant whose value this is.
    constant: Option<String>,
    found: Option<Created>,
}

impl Finder<'_> {
    fn contains(&self, span: Span) -> bool {
        (span.start()..span.end()).contains(&self.target)
    }

    /// The lock is what has this name.
    fn is(&mut self, name: Option<String>) {
        self.found = Some(match name {
            Some(name) if self.constant.as_ref() == Some(&name) => Created::Constant(name),
            Some(name) => Created::As(name),
            None => Created::Unsaid,
        });
    }

    /// The value of a constant.
    fn constant(&mut self, name: String, value: &Expr) {
        let outer = self.constant.replace(name.clone());
        self.expr(Some(name), value);
        self.constant = outer;
    }

    /// Visits with another context.
    fn with(&mut self, context: Option<String>, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.context, context);
        visit(self);
        self.context = outer;
    }

    fn expr(&mut self, context: Option<String>, expr: &Expr) {
        self.with(context, |this| this.visit_expr(expr));
    }

    /// `Bank` for `Bank`, `crate::Bank` and for `Self` in an `impl Bank`.
    fn type_of(&self, path: &syn::Path) -> Option<String> {
        let last = path.segments.last()?.ident.to_string();
        if last == "Self" { self.owner.clone() } else { Some(last) }
    }

    /// What a place expression is called.
    fn name_of(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Path(path) => {
                let name = path.path.segments.last()?.ident.to_string();
                if name == "self" { self.owner.clone() } else { Some(name) }
            }
            Expr::Field(field) => {
                let base = self.name_of(&field.base)?;
                Some(format!("{base}.{}", member(&field.member)))
            }
            Expr::MethodCall(call) => self.name_of(&call.receiver),
            Expr::Index(index) => self.name_of(&index.expr),
            Expr::Paren(inner) => self.name_of(&inner.expr),
            Expr::Reference(inner) => self.name_of(&inner.expr),
            Expr::Unary(inner) => self.name_of(&inner.expr),
            Expr::Try(inner) => self.name_of(&inner.expr),
            _ => None,
        }
    }

    fn call(&mut self, call: &syn::ExprCall) {
        let path = match &*call.func {
            Expr::Path(path) => &path.path,
            other => return self.expr(None, other),
        };
        let mut reversed = path.segments.iter().rev().map(|segment| segment.ident.to_string());
        let last = reversed.next().unwrap_or_default();
        let wraps = reversed.next().is_some_and(|ty| WRAPPERS.contains(&ty.as_str()))
            || PASSING.contains(&last.as_str());
        let constructs = last.starts_with(char::is_uppercase);
        for (index, argument) in call.args.iter().enumerate() {
            let context = if wraps {
                self.context.clone()
            } else if constructs {
                self.type_of(path).map(|ty| format!("{ty}.{index}"))
            } else {
                None
            };
            self.expr(context, argument);
        }
    }

    fn method(&mut self, call: &syn::ExprMethodCall) {
        self.visit_expr(&call.receiver);
        let stores = STORING.contains(&call.method.to_string().as_str());
        for argument in &call.args {
            let context = if stores {
                self.name_of(&call.receiver)
            } else if matches!(argument, Expr::Closure(_)) {
                self.context.clone()
            } else {
                None
            };
            self.expr(context, argument);
        }
    }

    /// `let (a, b) = (x, y)` names `x` and `y`; else the whole pattern names the whole value.
    fn bind(&mut self, pattern: &Pat, value: &Expr) {
        match (pattern, value) {
            (Pat::Tuple(patterns), Expr::Tuple(values))
                if patterns.elems.len() == values.elems.len() =>
            {
                for (pattern, value) in patterns.elems.iter().zip(&values.elems) {
                    self.bind(pattern, value);
                }
            }
            (Pat::Type(typed), _) => self.bind(&typed.pat, value),
            (Pat::Ident(ident), _) => self.expr(Some(ident.ident.to_string()), value),
            (Pat::Tuple(ends), _) if self.kind == "channel" => {
                let end = |end: &Pat| match end {
                    Pat::Ident(ident) => ident.ident.to_string(),
                    _ => "_".to_owned(),
                };
                let ends: Vec<String> = ends.elems.iter().map(end).collect();
                self.expr(Some(format!("({})", ends.join(", "))), value);
            }
            // `let (banker, [a, b]) = Banker::new(..)` creates the resources.
            (Pat::Tuple(parts), _) if self.kind == "resource" => match parts.elems.first() {
                Some(banker) => self.bind(banker, value),
                None => self.expr(None, value),
            },
            _ => self.expr(None, value),
        }
    }

    /// `#[derive(Default)]` creates the fields at the attribute's own place.
    fn derived(&mut self, item: &syn::ItemStruct) {
        let locks: Vec<(String, String)> = item
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| (field_name(index, field), spell(&field.ty)))
            .filter(|(_, ty)| is_of_kind(ty, self.kind))
            .collect();
        let exact = locks.iter().filter(|(_, ty)| is_exactly(ty, self.kind, self.ty));
        let exact: Vec<String> = exact.map(|(name, _)| name.clone()).collect();
        let mut fields = match (exact.as_slice(), locks.as_slice()) {
            ([], [(name, _)]) => vec![name.clone()],
            _ => exact,
        };
        let owner = item.ident.to_string();
        self.found = Some(match fields.len() {
            0 => Created::Unsaid,
            1 => Created::As(format!("{owner}.{}", fields.remove(0))),
            _ => Created::OneOf { owner, fields },
        });
    }

    /// Looks for `static NAME`, `const NAME` or `let NAME` before the target in a macro's tokens.
    fn tokens(&mut self, tokens: TokenStream, last: &mut Option<String>) {
        let mut introduces = false;
        for token in tokens {
            if self.found.is_some() {
                return;
            }
            if token.span().start() == self.target {
                self.is(last.clone());
                return;
            }
            match token {
                TokenTree::Ident(ident) => {
                    let word = ident.to_string();
                    match word.as_str() {
                        "static" | "const" | "let" => introduces = true,
                        "ref" | "mut" => {}
                        _ if introduces => {
                            *last = Some(word);
                            introduces = false;
                        }
                        _ => {}
                    }
                }
                TokenTree::Group(group) => self.tokens(group.stream(), last),
                _ => {}
            }
        }
    }
}

pub(super) fn member(member: &Member) -> String {
    match member {
        Member::Named(ident) => ident.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// The name of a field, or its number.
pub(super) fn field_name(index: usize, field: &syn::Field) -> String {
    field.ident.as_ref().map_or(index.to_string(), syn::Ident::to_string)
}

/// Whether a type as it is written has a lock of this kind in it.
pub(super) fn is_of_kind(written: &str, kind: &str) -> bool {
    written.contains(&format!("{kind}<")) || written == kind
}

/// Whether that lock is written as one around a `ty`.
pub(super) fn is_exactly(written: &str, kind: &str, ty: &str) -> bool {
    written.contains(&format!("{kind}<{}>", short_type(ty)).replace(' ', ""))
}

/// A type as it is written, without modules and spaces.
pub(super) fn spell(ty: &syn::Type) -> String {
    let text = ty.span().source_text().unwrap_or_default();
    short_type(&text.split_whitespace().collect::<String>())
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if self.found.is_none() && self.contains(item.span()) {
            self.with(None, |this| visit::visit_item(this, item));
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = std::mem::replace(&mut self.owner, type_name(&item.self_ty));
        visit::visit_item_impl(self, item);
        self.owner = outer;
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if item.attrs.iter().any(|attribute| self.contains(attribute.span())) {
            self.derived(item);
        }
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.expr(Some(item.ident.to_string()), &item.expr);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(item.ident.to_string(), &item.expr);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        let name = match &self.owner {
            Some(owner) => format!("{owner}::{}", item.ident),
            None => item.ident.to_string(),
        };
        self.constant(name, &item.expr);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.bind(&local.pat, &init.expr);
            if let Some((_, otherwise)) = &init.diverge {
                self.expr(None, otherwise);
            }
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        for statement in &block.stmts {
            match statement {
                // The last expression is the block's value and is called what the block is.
                Stmt::Expr(expr, None) => self.visit_expr(expr),
                other => self.with(None, |this| this.visit_stmt(other)),
            }
        }
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        if self.found.is_some() || !self.contains(expr.span()) {
            return;
        }
        let begins = match expr {
            Expr::MethodCall(call) => call.method.span().start() == self.target,
            Expr::Call(call) => call.span().start() == self.target,
            Expr::Path(path) => path.span().start() == self.target,
            _ => false,
        };
        if begins {
            self.is(self.context.clone());
            return;
        }
        match expr {
            Expr::Struct(literal) => {
                let ty = self.type_of(&literal.path);
                for field in &literal.fields {
                    let member = member(&field.member);
                    self.expr(ty.as_ref().map(|ty| format!("{ty}.{member}")), &field.expr);
                }
                if let Some(rest) = &literal.rest {
                    self.expr(None, rest);
                }
            }
            Expr::Assign(assign) => self.expr(self.name_of(&assign.left), &assign.right),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method(call),
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let list = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone());
        let repeat = |input: syn::parse::ParseStream<'_>| {
            let value: Expr = input.parse()?;
            input.parse::<Token![;]>()?;
            let _count: Expr = input.parse()?;
            Ok(value)
        };
        if let Ok(list) = list {
            list.iter().for_each(|expr| Visit::visit_expr(self, expr));
        } else if let Ok(value) = repeat.parse2(mac.tokens.clone()) {
            Visit::visit_expr(self, &value);
        } else {
            self.tokens(mac.tokens.clone(), &mut None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Created, created};
    use crate::report::model::Place;

    /// The name of the lock that is created where `source` has a `¶`.
    fn named(source: &str) -> Option<String> {
        named_as(source, "Mutex", "i32")
    }

    fn named_as(source: &str, kind: &str, ty: &str) -> Option<String> {
        said(source, kind, ty).name()
    }

    fn said(source: &str, kind: &str, ty: &str) -> Created {
        let before = &source[..source.find('¶').expect("a mark")];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
        let file = syn::parse_file(&source.replace('¶', "")).expect("it is Rust");
        created(&file, &Place { file: String::new(), line, column }, kind, ty)
    }

    #[test]
    fn a_lock_is_called_by_what_it_is_created_in() {
        for (source, expected) in [
            ("fn f() -> B { Bank { accounts: ¶Mutex::new(0) } }", "Bank.accounts"),
            ("fn f() -> B { a::Bank { accounts: Arc::new(¶Mutex::new(0)) } }", "Bank.accounts"),
            ("impl Bank { fn new() -> Self { Self { a: ¶Mutex::new(0) } } }", "Bank.a"),
            ("impl<T> Bank<T> { fn new() -> Self { Self(1, ¶Mutex::new(0)) } }", "Bank.1"),
            ("impl Bank { fn reset(&mut self) { self.a = ¶Mutex::new(0); } }", "Bank.a"),
            ("impl Bank { const LIMIT: Mutex<i32> = ¶Mutex::new(0); }", "Bank::LIMIT"),
            ("fn f() { let account = Account(Box::new(¶Mutex::new(0))); }", "Account.0"),
            ("static REGISTRY: Mutex<i32> = ¶Mutex::new(0);", "REGISTRY"),
            ("const ONE: Mutex<i32> = ¶Mutex::new(0);", "ONE"),
            ("static R: LazyLock<Mutex<i32>> = LazyLock::new(|| ¶Mutex::new(0));", "R"),
            ("static R: LazyLock<M> = LazyLock::new(|| { g(); ¶Mutex::new(0) });", "R"),
            ("fn f() -> &'static M { R.get_or_init(|| ¶Mutex::new(0)) }", "R"),
            ("fn f() { let queue = Arc::new(¶Mutex::new(0)); }", "queue"),
            ("fn f() { let mut queue: Mutex<i32> = ¶Mutex::default(); }", "queue"),
            ("fn f() { let (a, b) = (¶Mutex::new(0), Mutex::new(1)); }", "a"),
            ("fn f() { let (a, b) = (Mutex::new(0), Arc::new(¶Mutex::new(1))); }", "b"),
            ("fn f() { let forks: Vec<_> = (0..5).map(|_| ¶Mutex::new(())).collect(); }", "forks"),
            ("fn f() { let forks = [¶Mutex::new(0), Mutex::new(1)]; }", "forks"),
            ("fn f() { let forks = vec![Mutex::new(0), ¶Mutex::new(1)]; }", "forks"),
            ("fn f() { let forks = vec![¶Mutex::new(0); 1]; }", "forks"),
            ("fn f() { let forks = std::array::from_fn(|_| ¶Mutex::new(0)); }", "forks"),
            ("fn f() { forks.push(Arc::new(¶Mutex::new(0))); }", "forks"),
            (
                "impl R { fn f(&self) { self.m.entry(1).or_insert_with(|| ¶Mutex::new(0)); } }",
                "R.m",
            ),
            ("fn f() { static S: Mutex<i32> = ¶Mutex::new(0); }", "S"),
            ("thread_local! { static T: Mutex<i32> = const { ¶Mutex::new(0) }; }", "T"),
            ("lazy_static! { pub static ref T: Mutex<i32> = ¶Mutex::new(0); }", "T"),
            ("fn f() { let ö = \"ß\"; let queue = ¶Mutex::new(0); }", "queue"),
            ("mod m { fn f() { let q = if x { ¶Mutex::new(0) } else { g() }; } }", "q"),
        ] {
            assert_eq!(named(source).as_deref(), Some(expected), "{source}");
        }
    }

    #[test]
    fn a_resource_is_called_by_its_banker() {
        let source =
            "fn f() { let (banker, [db, gpu]) = ¶Banker::new([(\"db\", 4), (\"gpu\", 1)]); }";
        assert_eq!(named_as(source, "resource", "()").as_deref(), Some("banker"));
        assert_eq!(named_as(source, "Mutex", "()"), None);
    }

    #[test]
    fn a_constant_is_no_lock_but_makes_some() {
        for (source, expected) in [
            ("const ONE: Mutex<i32> = ¶Mutex::new(0);", Created::Constant("ONE".to_owned())),
            (
                "impl Bank { const LIMIT: Mutex<i32> = ¶Mutex::new(0); }",
                Created::Constant("Bank::LIMIT".to_owned()),
            ),
            ("const B: Bank = Bank { a: ¶Mutex::new(0) };", Created::As("Bank.a".to_owned())),
        ] {
            assert_eq!(said(source, "Mutex", "i32"), expected, "{source}");
        }
    }

    #[test]
    fn an_argument_has_no_name() {
        for source in [
            "fn f() { let thread = spawn(¶Mutex::new(0)); }",
            "fn f() -> Mutex<i32> { ¶Mutex::new(0) }",
            "fn f() { let x = { ¶Mutex::new(0); 1 }; }",
        ] {
            assert_eq!(named(source), None, "{source}");
        }
    }

    #[test]
    fn a_derived_default_names_the_field_by_its_type() {
        let source = "#[derive(Debug, ¶Default)]\npub struct Bank<T> {\n    n: u32,\n    \
                      accounts: Arc<Mutex<std::vec::Vec<i32>>>,\n    audit: Mutex<u8>,\n    \
                      a: Mutex<bool>,\n    b: Mutex<bool>,\n    names: RwLock<T>,\n}";
        let named = |kind, ty| named_as(source, kind, ty);
        assert_eq!(named("Mutex", "alloc::vec::Vec<i32>").as_deref(), Some("Bank.accounts"));
        assert_eq!(named("Mutex", "u8").as_deref(), Some("Bank.audit"));
        assert_eq!(named("Mutex", "bool").as_deref(), Some("Bank.{a,b}"));
        assert_eq!(named("RwLock", "u64").as_deref(), Some("Bank.names"));
        assert_eq!(named("Mutex", "u64"), None);
    }
}
