//! The report: what it is made of ([`model`], [`place`], [`graph`], [`times`]), what its findings mean
//! ([`rules`], [`tiers`], [`classify`]), what they are called ([`naming`], [`sources`]), where they belong
//! ([`belonging`]) and what they have in common ([`pattern`]), what to change ([`advice`]), how they come
//! about ([`schedule`], [`witness`]) and how they are said ([`wording`], [`render`]).
//!
//! Nothing in here finds anything: recorded runs and the lint use it alike, and it knows of neither.

pub mod advice;
pub mod belonging;
pub mod classify;
pub mod graph;
pub mod model;
pub mod naming;
pub mod pattern;
pub mod place;
pub mod render;
pub mod rules;
pub mod schedule;
pub mod sources;
pub mod tiers;
pub mod times;
pub mod witness;
pub mod wording;
