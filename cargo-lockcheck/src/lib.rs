//! The stages of `cargo lockcheck`, in the order data flows through them.

pub mod model;
