//! What is known of functions that are not in the program: the standard library's and those of crates
//! that bring locks, channels and threads. Here alone stands what a name means.
//!
//! # To add a function
//!
//! Find the file by what the function does, and add a row to its table, or a name to a row that says the
//! same of others:
//!
//! | the function | file |
//! |---|---|
//! | takes a lock, or its type is a lock or a guard | [`locks`] |
//! | takes a lock inside of a map or other value that has some | [`containers`] |
//! | makes its thread wait for something else | [`waits`] |
//! | starts a thread or task, or lets others run | [`threads`] |
//! | makes a channel, or takes all messages out of one | [`channels`] |
//! | reads or changes an atomic value | [`atomics`] |
//! | returns its first argument, or a part of it, in another form | [`aliases`] |
//! | makes a value when it is first used | [`lazy`] |
//! | moves a value out from behind a reference, wraps or unwraps it | [`moves`] |
//! | runs a closure that it is given | [`closures`] |
//! | gives the same answer whenever it is given the same | [`fixed`] |
//! | polls futures that go on living when it ends, or keeps some that it has begun | [`futures`] |
//! | leads to code of the program by a trait: formatting, comparing | [`through_traits`] |
//!
//! A row names functions as the compiler prints them, see [`functions`]: `std::sync::Mutex::<u8>::lock`
//! belongs to the type `Mutex` in `std::sync`, and `<T as Iterator>::next` to the trait `Iterator`.
//! Then add a program to `tests/corpus/silent` or `tests/corpus/loud` that says what the row is for.
//!
//! A function that no row names does nothing: a guard that it is given is gone, a closure is kept and
//! not run, its result is an object of its own. So what is missing costs findings, and makes none.

pub(crate) mod aliases;
pub(crate) mod atomics;
pub(crate) mod channels;
pub(crate) mod closures;
pub(crate) mod containers;
pub(crate) mod fixed;
pub(crate) mod functions;
pub(crate) mod futures;
pub(crate) mod lazy;
pub(crate) mod locks;
pub(crate) mod moves;
pub(crate) mod threads;
pub(crate) mod through_traits;
pub(crate) mod waits;
