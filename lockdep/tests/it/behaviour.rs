//! What the types do: the same tests run on `std` and on `lockdep`, and then what the engine sees
//! of it.

mod observed;

#[path = "behaviour"]
mod of_std {
    use std::{sync, thread};

    #[path = "channels.rs"]
    mod channels;
    #[path = "initialisation.rs"]
    mod initialisation;
    #[path = "locks.rs"]
    mod locks;
    #[path = "threads.rs"]
    mod threads;
}

#[path = "behaviour"]
mod of_lockdep {
    use lockdep::{sync, thread};

    #[path = "channels.rs"]
    mod channels;
    #[path = "initialisation.rs"]
    mod initialisation;
    #[path = "locks.rs"]
    mod locks;
    #[path = "threads.rs"]
    mod threads;
}
