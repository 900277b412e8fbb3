//! The report: what it is made of ([`model`], [`graph`], [`times`]), what its findings mean ([`rules`],
//! [`tiers`], [`classify`]), what they are called ([`naming`], [`sources`]) and where they belong ([`belonging`]), what
//! to change ([`advice`]), how they come about ([`schedule`]) and how they are said ([`wording`], [`render`]).
//!
//! Nothing in here finds anything: recorded runs and the lint use it alike, and it knows of neither.

pub mod advice;
pub mod belonging;
pub mod classify;
pub mod graph;
pub mod model;
pub mod naming;
pub mod render;
pub mod rules;
pub mod schedule;
pub mod sources;
pub mod tiers;
pub mod times;
pub mod wording;
