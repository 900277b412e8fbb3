//! The banker: the book against the textbook's algorithm, the queue over all interleavings, and
//! live threads.

mod book;
mod live;
mod model;
mod naive;
mod outside;
