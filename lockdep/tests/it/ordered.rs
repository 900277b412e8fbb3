//! Several locks at once: what can be written, what is promised, and many threads.

mod promises;
mod threads;
mod written;
