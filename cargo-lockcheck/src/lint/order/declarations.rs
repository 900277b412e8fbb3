//! The order of locks that the source declares, and `lockcheck.toml`: the declarations of
//! `lockdep::order`, read as they are written.
//!
//! A place is told by the name that the lint gives its locks, `Bank.accounts` or `REGISTRY`; a field
//! also by the file of its struct. A name that means several structs means none.

use std::collections::HashMap;

use lockdep::declared_order::{DeclaredOrder, PlaceId, Reason, Step};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::visit::{self, Visit};
use syn::{Attribute, Member, Token, Type};

use crate::lint::program::Program;
use crate::report::model::{Place, Site};

/// What is declared.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    order: DeclaredOrder<u64>,
    /// The places of one name, each with the file of its struct; a static has none.
    places: HashMap<String, Vec<(Option<String>, PlaceId)>>,
    names: Vec<String>,
    /// Where things are declared, by number from one; zero is `lockcheck.toml`.
    sites: Vec<Place>,
    /// The structs that declare an order of their locks, and where.
    pub(super) structs: Vec<(String, Place)>,
    /// The steps of which the last contradicts the others.
    pub(crate) contradictions: Vec<Vec<Step<u64>>>,
}

/// Something that is written in a file.
struct Found {
    file: String,
    chains: Vec<Vec<Vec<(String, Span)>>>,
    ranks: Vec<(String, i64, Span)>,
    /// Where the names are of one struct: what it is called, and where that is.
    of_struct: Option<(String, Span)>,
}

impl Declared {
    /// Reads the sources of the program. Each list of `lists` is in the order of locks too.
    pub(crate) fn of(program: &Program<'_>, lists: &[Vec<String>]) -> Declared {
        let mut found: Vec<Found> = Vec::new();
        let mut read: Vec<String> = Vec::new();
        for unit in &program.units {
            for (name, file) in unit.sources.texts() {
                let text = file.text();
                let declares = ["lock_order", "lock_rank"].iter().any(|word| text.contains(word));
                if !declares || read.contains(&name) {
                    continue;
                }
                if let Ok(parsed) = syn::parse_file(text) {
                    let mut reader = Reader { file: &name, found: &mut found };
                    reader.visit_file(&parsed);
                }
                read.push(name);
            }
        }
        // A struct's own declaration says which places there are.
        found.sort_by_key(|found| found.of_struct.is_none());
        let mut declared = Declared::default();
        for found in &found {
            declared.add(found);
        }
        for list in lists {
            let places: Vec<_> = list.iter().map(|name| declared.named(name)).collect();
            for pair in places.windows(2) {
                if let [Some(first), Some(then)] = *pair {
                    declared.before(first, then, 0);
                }
            }
        }
        declared
    }

    /// The place of the locks of this name; `file` tells where the field's struct is declared.
    pub(crate) fn place(&self, name: &str, file: Option<&str>) -> Option<PlaceId> {
        let places = self.places.get(name)?;
        places.iter().find(|(of, _)| of.is_none() || of.as_deref() == file).map(|(_, place)| *place)
    }

    /// Whether there is an order by which `first` comes before `then`, and by which steps.
    pub(crate) fn steps(&self, first: PlaceId, then: PlaceId) -> Option<Vec<Step<u64>>> {
        self.order.steps(first, then)
    }

    /// What a place is called.
    pub(crate) fn name(&self, place: PlaceId) -> &str {
        &self.names[place as usize]
    }

    /// Where these steps are declared, each place once.
    pub(crate) fn sites(&self, steps: &[Step<u64>]) -> Vec<Site> {
        let mut sites: Vec<Site> = Vec::new();
        for step in steps {
            let at = match step.reason {
                Reason::Order(site) => vec![(site, "this order is declared here".to_owned())],
                Reason::Ranks { ranks: [first, then], sites: [at, other] } => vec![
                    (at, format!("rank {first} is declared here")),
                    (other, format!("rank {then} is declared here")),
                ],
            };
            for (site, label) in at {
                let place = (site as usize).checked_sub(1).and_then(|at| self.sites.get(at));
                if let Some(place) = place
                    && sites.iter().all(|known| known.place != *place)
                {
                    sites.push(Site { place: place.clone(), label });
                }
            }
        }
        sites
    }

    fn add(&mut self, found: &Found) {
        if let Some((name, span)) = &found.of_struct {
            self.structs.push((name.clone(), place(&found.file, *span)));
        }
        for (name, rank, span) in &found.ranks {
            let Some(place) = self.found(name, found) else { continue };
            let site = self.site(&found.file, *span);
            if let Err(steps) = self.order.rank(place, *rank, site) {
                self.contradictions.push(steps);
            }
        }
        for chain in &found.chains {
            for pair in chain.windows(2) {
                for first in &pair[0] {
                    for then in &pair[1] {
                        let places = (self.found(&first.0, found), self.found(&then.0, found));
                        if let (Some(first), Some(second)) = places {
                            let site = self.site(&found.file, then.1);
                            self.before(first, second, site);
                        }
                    }
                }
            }
        }
    }

    fn before(&mut self, first: PlaceId, then: PlaceId, site: u64) {
        if let Err(mut steps) = self.order.declare(first, then, site) {
            steps.push(Step { first, then, reason: Reason::Order(site) });
            self.contradictions.push(steps);
        }
    }

    fn site(&mut self, file: &str, span: Span) -> u64 {
        self.sites.push(place(file, span));
        self.sites.len() as u64
    }

    /// The place that a declaration means.
    fn found(&mut self, name: &str, found: &Found) -> Option<PlaceId> {
        if found.of_struct.is_some() {
            let file = Some(found.file.clone());
            let known = self.places.get(name).and_then(|places| {
                places.iter().find(|(of, _)| *of == file).map(|(_, place)| *place)
            });
            return Some(known.unwrap_or_else(|| self.new_place(name, file)));
        }
        self.named(name)
    }

    /// The only place of a name, which is new if nothing is declared of it yet.
    fn named(&mut self, name: &str) -> Option<PlaceId> {
        match self.places.get(name).map(Vec::as_slice) {
            None => Some(self.new_place(name, None)),
            Some([(_, place)]) => Some(*place),
            Some(_) => None,
        }
    }

    fn new_place(&mut self, name: &str, file: Option<String>) -> PlaceId {
        let place = self.order.place();
        self.places.entry(name.to_owned()).or_default().push((file, place));
        self.names.push(name.to_owned());
        place
    }
}

fn place(file: &str, span: Span) -> Place {
    let at = span.start();
    Place { file: file.to_owned(), line: at.line as u32, column: at.column as u32 + 1 }
}

/// Finds the declarations of one file.
struct Reader<'a> {
    file: &'a str,
    found: &'a mut Vec<Found>,
}

impl Reader<'_> {
    fn add(
        &mut self,
        chains: Vec<Vec<Vec<(String, Span)>>>,
        ranks: Vec<(String, i64, Span)>,
        of_struct: Option<(String, Span)>,
    ) {
        if !chains.is_empty() || !ranks.is_empty() {
            let file = self.file.to_owned();
            self.found.push(Found { file, chains, ranks, of_struct });
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        let derives = |attribute: &Attribute| {
            is_called(attribute.path(), "derive")
                && attribute.to_token_stream().to_string().contains("LockOrder")
        };
        if !item.attrs.iter().any(derives) {
            return;
        }
        let name = |member: &Member| format!("{}.{}", item.ident, member.to_token_stream());
        let orders = item.attrs.iter().filter(|a| is_called(a.path(), "lock_order"));
        let parse = |input: ParseStream<'_>| {
            skip_crate(input)?;
            chains(input, &|input| {
                let member: Member = input.parse()?;
                Ok((name(&member), syn::spanned::Spanned::span(&member)))
            })
        };
        let chains = orders.filter_map(|order| order.parse_args_with(parse).ok()).flatten();
        let chains: Vec<_> = chains.collect();
        let fields = item.fields.iter().zip(item.fields.members());
        let ranks = fields.filter_map(|(field, member)| {
            let (rank, span) = field.attrs.iter().find_map(rank)?;
            Some((name(&member), rank, span))
        });
        let ranks = ranks.collect();
        self.add(chains, ranks, Some((item.ident.to_string(), item.ident.span())));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        if let Some((rank, span)) = item.attrs.iter().find_map(rank) {
            self.add(Vec::new(), vec![(item.ident.to_string(), rank, span)], None);
        }
        visit::visit_item_static(self, item);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if is_called(&call.path, "lock_order") {
            let parse = |input: ParseStream<'_>| chains(input, &operand);
            if let Ok(chains) = parse.parse2(call.tokens.clone()) {
                self.add(chains, Vec::new(), None);
            }
        }
    }
}

fn is_called(path: &syn::Path, name: &str) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == name)
}

/// The number of `#[lock_rank(N)]`.
fn rank(attribute: &Attribute) -> Option<(i64, Span)> {
    if !is_called(attribute.path(), "lock_rank") {
        return None;
    }
    let parse = |input: ParseStream<'_>| {
        skip_crate(input)?;
        input.parse()
    };
    let tokens: TokenStream = attribute.parse_args_with(parse).ok()?;
    let span = tokens.clone().into_iter().next()?.span();
    let text = tokens.to_string().replace([' ', '_'], "");
    Some((text.parse().ok()?, span))
}

/// `crate = path`, which says only where the macros find `lockdep`.
fn skip_crate(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![crate]) && input.peek2(Token![=]) {
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        input.call(syn::Path::parse_mod_style)?;
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(())
}

type Name = (String, Span);

/// `a < (b, c) < d, e < f`: for each chain its steps.
fn chains(
    input: ParseStream<'_>,
    name: &dyn Fn(ParseStream<'_>) -> syn::Result<Name>,
) -> syn::Result<Vec<Vec<Vec<Name>>>> {
    let mut chains = Vec::new();
    while !input.is_empty() {
        let mut steps = Vec::new();
        loop {
            steps.push(if input.peek(syn::token::Paren) {
                let names;
                syn::parenthesized!(names in input);
                let mut step = Vec::new();
                while !names.is_empty() {
                    step.push(name(&names)?);
                    names.parse::<Option<Token![,]>>()?;
                }
                step
            } else {
                vec![name(input)?]
            });
            if input.parse::<Option<Token![<]>>()?.is_none() {
                break;
            }
        }
        chains.push(steps);
        input.parse::<Option<Token![,]>>()?;
    }
    Ok(chains)
}

/// A static's path, or `Struct.field`, by the last names.
fn operand(input: ParseStream<'_>) -> syn::Result<Name> {
    let owner = if input.peek(Token![<]) {
        input.parse::<Token![<]>()?;
        let owner: Type = input.parse()?;
        input.parse::<Token![>]>()?;
        match owner {
            Type::Path(path) => path.path,
            _ => return Err(input.error("a struct")),
        }
    } else {
        input.call(syn::Path::parse_mod_style)?
    };
    let last = owner.segments.last().map(|segment| segment.ident.clone());
    let last = last.ok_or_else(|| input.error("a name"))?;
    if input.parse::<Option<Token![.]>>()?.is_none() {
        return Ok((last.to_string(), last.span()));
    }
    let member: Member = input.parse()?;
    let span = syn::spanned::Spanned::span(&member);
    Ok((format!("{last}.{}", member.to_token_stream()), span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_as_they_are_written() {
        let text = "
            #[derive(Default, LockOrder)]
            #[lock_order(crate = ::inner::lockdep)]
            #[lock_order(crate = ld, a < (b, 0) < c, c < d)]
            struct Bank { a: Mutex<u8>, #[lock_rank(-1_0)] b: Mutex<u8> }
            #[lock_order(x < y)]
            struct NoDerive;
            mod inner {
                #[lockdep::lock_rank(crate = ld, 20)]
                static A: Mutex<u8> = Mutex::new(0);
                fn f() { lock_order! { super::B < A < <Bank<u8>>.c, Bank.d < C } }
            }
            lock_order! { broken <";
        let text = text.rsplit_once("lock_order!").unwrap().0;
        let mut found = Vec::new();
        Reader { file: "lib.rs", found: &mut found }.visit_file(&syn::parse_file(text).unwrap());
        let shown: Vec<String> = found
            .iter()
            .map(|found| {
                let chains = found.chains.iter().map(|chain| {
                    let steps = chain.iter().map(|step| {
                        step.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("|")
                    });
                    steps.collect::<Vec<_>>().join(" < ")
                });
                let ranks = found.ranks.iter().map(|(name, rank, _)| format!("{name}={rank}"));
                chains.chain(ranks).collect::<Vec<_>>().join(", ")
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Bank.a < Bank.b|Bank.0 < Bank.c, Bank.c < Bank.d, Bank.b=-10",
                "A=20",
                "B < A < Bank.c, Bank.d < C",
            ]
        );
    }

    #[test]
    fn a_name_of_two_structs_means_neither() {
        let mut declared = Declared::default();
        let of = |file: &str, chain: &str, of_struct: bool| Found {
            file: file.to_owned(),
            chains: vec![
                chain.split(" < ").map(|n| vec![(n.to_owned(), Span::call_site())]).collect(),
            ],
            ranks: Vec::new(),
            of_struct: of_struct.then(|| ("Bank".to_owned(), Span::call_site())),
        };
        declared.add(&of("a.rs", "Bank.x < Bank.y", true));
        declared.add(&of("b.rs", "Bank.y < Bank.x", true));
        declared.add(&of("c.rs", "Bank.x < LOG", false));
        let place = |name, file| declared.place(name, file);
        let [x, y] = ["Bank.x", "Bank.y"].map(|name| place(name, Some("a.rs")).unwrap());
        assert!(declared.steps(x, y).is_some() && declared.steps(y, x).is_none());
        assert_eq!(place("Bank.x", Some("c.rs")), None);
        let log = place("LOG", None);
        assert!(log.is_none_or(|log| declared.steps(x, log).is_none()));
        assert!(declared.contradictions.is_empty());
    }
}
