//! One pattern may come about at several places of the source, and each is a mistake of its own: the parts
//! of a pattern in which each thread is at one place.

use std::collections::BTreeMap;

use super::dependencies::{Dependency, held_at};
use super::history::History;
use super::patterns::Pattern;
use super::recording::{EventId, SiteId};

/// Parts of one pattern.
const PARTS: usize = 16;

/// For each part, the requests of each link. Where there are too many parts, each place is in one at least,
/// and the last part has all requests.
pub(super) fn parts(
    history: &History<'_>,
    all: &[Dependency],
    pattern: &Pattern,
) -> Vec<Vec<Vec<EventId>>> {
    let count = pattern.links.len();
    let by_place: Vec<Vec<Vec<EventId>>> = (0..count)
        .map(|at| {
            let held = all[pattern.links[(at + count - 1) % count]].asked;
            let site = |event: EventId| history.recording.event(event).site;
            let mut places: BTreeMap<(SiteId, SiteId), Vec<EventId>> = BTreeMap::new();
            for &request in &all[pattern.links[at]].requests {
                let place = (site(held_at(history, held, request)), site(request));
                places.entry(place).or_default().push(request);
            }
            places.into_values().collect()
        })
        .collect();
    let product = by_place.iter().map(Vec::len).fold(1_usize, usize::saturating_mul);
    if product <= PARTS {
        let part = |number: usize| {
            let mut rest = number;
            let choose = |places: &Vec<Vec<EventId>>| {
                let place = rest % places.len();
                rest /= places.len();
                places[place].clone()
            };
            by_place.iter().map(choose).collect()
        };
        return (0..product).map(part).collect();
    }
    let most = by_place.iter().map(Vec::len).max().unwrap_or(0).min(PARTS - 1);
    let part = |number: usize| {
        by_place.iter().map(|places| places[number % places.len()].clone()).collect()
    };
    let whole = pattern.links.iter().map(|link| all[*link].requests.clone()).collect();
    (0..most).map(part).chain([whole]).collect()
}
