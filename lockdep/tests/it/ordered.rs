//! Several locks at once: what can be written, what is promised, and many threads.

mod held;
mod promises;
mod threads;
mod written;
