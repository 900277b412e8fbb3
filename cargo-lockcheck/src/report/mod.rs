//! The report: what it is made of ([`model`]), what its findings mean ([`rules`], [`classify`]), what
//! they are called ([`naming`], [`sources`]), what to change ([`advice`]) and how they are said ([`wording`], [`render`]).
//!
//! Nothing in here finds anything: recorded runs and the lint use it alike, and it knows of neither.

pub mod advice;
pub mod classify;
pub mod model;
pub mod naming;
pub mod render;
pub mod rules;
pub mod sources;
pub mod wording;
