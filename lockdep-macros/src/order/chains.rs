//! `a < b < (c, d) < e, f < g`: what comes before what.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitInt, Token, parenthesized};

/// The name of a place, as it is written.
pub(crate) trait Name: Parse {
    /// What tells places apart, and what a message calls this one.
    fn text(&self) -> String;

    /// Where it is written.
    fn span(&self) -> Span;
}

/// One chain: each step comes before the next; the names of a step have no order.
struct Chain<N>(Vec<Vec<N>>);

impl<N: Name> Parse for Chain<N> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut steps = Vec::new();
        loop {
            steps.push(if input.peek(syn::token::Paren) {
                let names;
                let parentheses = parenthesized!(names in input);
                let names: Vec<N> =
                    Punctuated::<N, Token![,]>::parse_terminated(&names)?.into_iter().collect();
                if names.is_empty() {
                    let message =
                        "name a lock between the parentheses, or several: `(first, second)`";
                    return Err(Error::new(parentheses.span.join(), message));
                }
                names
            } else {
                vec![input.parse()?]
            });
            if input.is_empty() || input.peek(Token![,]) {
                break;
            }
            if !input.peek(Token![<]) {
                return Err(input.error("write `<` between a lock and the next: `first < second`"));
            }
            input.parse::<Token![<]>()?;
        }
        if steps.len() == 1 {
            let span = steps[0][0].span();
            return Err(Error::new(span, "say what comes after it: `first < second`"));
        }
        Ok(Chain(steps))
    }
}

/// Several chains.
pub(crate) struct Chains<N>(Vec<Chain<N>>);

impl<N: Name> Parse for Chains<N> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            let message = "say which lock is taken before which: `first < second`";
            return Err(Error::new(input.span(), message));
        }
        let chains = Punctuated::<Chain<N>, Token![,]>::parse_terminated(input)?;
        Ok(Chains(chains.into_iter().collect()))
    }
}

/// Names with the orders between them.
pub(crate) struct Relation<N> {
    pub(crate) names: Vec<N>,
    /// Which comes before which, and where that is written.
    pub(crate) orders: Vec<(usize, usize, Span)>,
    /// The ranks of some of them.
    ranks: Vec<(usize, Rank)>,
}

impl<N: Name> Relation<N> {
    pub(crate) fn new() -> Relation<N> {
        Relation { names: Vec::new(), orders: Vec::new(), ranks: Vec::new() }
    }

    /// The number of a name.
    pub(crate) fn index(&mut self, name: N) -> usize {
        let text = name.text();
        self.names.iter().position(|known| known.text() == text).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }

    /// Adds what the chains say.
    ///
    /// # Errors
    /// It would close a cycle, which the message shows.
    pub(crate) fn add(&mut self, chains: Chains<N>) -> syn::Result<()> {
        for Chain(steps) in chains.0 {
            let mut before: Vec<usize> = Vec::new();
            for step in steps {
                let mut these = Vec::new();
                for name in step {
                    let span = name.span();
                    let then = self.index(name);
                    for &first in &before {
                        if let Some(cycle) = self.way(then, first) {
                            return Err(self.cycle(span, &cycle));
                        }
                        self.orders.push((first, then, span));
                    }
                    these.push(then);
                }
                before = these;
            }
        }
        Ok(())
    }

    /// Adds the rank of a name.
    ///
    /// # Errors
    /// As for [`Relation::add`].
    pub(crate) fn rank(&mut self, name: usize, rank: Rank) -> syn::Result<()> {
        let span = rank.span;
        self.ranks.push((name, rank));
        let next = self.next(name);
        match next.into_iter().find_map(|then| self.way(then, name)) {
            Some(cycle) => Err(self.cycle(span, &cycle)),
            None => Ok(()),
        }
    }

    /// The rank of a name.
    pub(crate) fn rank_of(&self, name: usize) -> Option<&Rank> {
        self.ranks.iter().find(|(ranked, _)| *ranked == name).map(|(_, rank)| rank)
    }

    /// All pairs of which the first comes before the second.
    pub(crate) fn pairs(&self) -> Vec<(usize, usize)> {
        let all = 0..self.names.len();
        let pairs = all.clone().flat_map(|first| all.clone().map(move |then| (first, then)));
        pairs.filter(|&(first, then)| first != then && self.way(first, then).is_some()).collect()
    }

    fn next(&self, at: usize) -> Vec<usize> {
        let rank = self.rank_of(at).map(|rank| rank.value);
        let greater = self.ranks.iter().filter(|(_, other)| rank.is_some_and(|r| r < other.value));
        let orders = self.orders.iter().filter(|(first, ..)| *first == at);
        orders.map(|(_, then, _)| *then).chain(greater.map(|(name, _)| *name)).collect()
    }

    /// The shortest way from one name to another.
    fn way(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let mut came_from = vec![None; self.names.len()];
        let mut open = std::collections::VecDeque::from([from]);
        while let Some(at) = open.pop_front() {
            if at == to {
                let mut way = vec![at];
                while way[way.len() - 1] != from {
                    way.extend(came_from[way[way.len() - 1]]);
                }
                way.reverse();
                return Some(way);
            }
            for then in self.next(at) {
                if came_from[then].is_none() && then != from {
                    came_from[then] = Some(at);
                    open.push_back(then);
                }
            }
        }
        None
    }

    /// The message about a way that leads back to where it begins.
    fn cycle(&self, span: Span, way: &[usize]) -> Error {
        let name = |&at: &usize| {
            let rank = self.rank_of(at).map(|rank| format!(" (rank {})", rank.value));
            format!("`{}`{}", self.names[at].text(), rank.unwrap_or_default())
        };
        let names: Vec<String> = way.iter().chain(way.first()).map(name).collect();
        Error::new(
            span,
            format!(
                "the declared order goes in a circle: {}\nno thread can keep to this; remove one \
                 of these orders",
                names.join(" < ")
            ),
        )
    }
}

/// The number in `lock_rank(10)`.
pub(crate) struct Rank {
    pub(crate) value: i64,
    pub(crate) span: Span,
}

impl Parse for Rank {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let wrong = |span| {
            Error::new(
                span,
                "a rank is a number, `lock_rank(10)`: locks of lesser ranks come first",
            )
        };
        let minus = input.parse::<Option<Token![-]>>()?;
        let number: LitInt = input.parse().map_err(|error: Error| wrong(error.span()))?;
        let sign = if minus.is_some() { "-" } else { "" };
        let value = format!("{sign}{}", number.base10_digits());
        let value = value.parse().map_err(|_| wrong(number.span()))?;
        Ok(Rank { value, span: number.span() })
    }
}
