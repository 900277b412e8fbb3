//! Which words of a command line are lockcheck's own, and in which order clap expects them all.

use std::ffi::{OsStr, OsString};
use std::iter::Peekable;

use clap::{ArgAction, Command};

use super::cargo_args::CargoArgs;

/// Puts lockcheck's own options behind the subcommand's name and all others behind a `--`, which is
/// where clap expects them.
pub(super) fn arrange(args: Vec<OsString>, command: &Command) -> Vec<OsString> {
    let own = command.find_subcommand("lockcheck").unwrap_or(command);
    let mut words = args.into_iter().peekable();
    let mut line: Vec<OsString> = words.next().into_iter().collect();
    words.next_if(|word| word == "lockcheck");
    line.push("lockcheck".into());
    let mut ours = Ours::new(own);
    let mut rest = Vec::new();
    let verb: Option<OsString> = loop {
        match words.next() {
            Some(word) if ours.take(&word, &mut words) => {}
            Some(word) if word == "help" => ours.asks.push("--help".into()),
            Some(word) if !is_option(&word) => break Some(word),
            // No subcommand: the source is checked, and what is not ours is cargo's.
            Some(word) => {
                let takes_value = CargoArgs::takes_value(&word);
                rest.push(word);
                if takes_value {
                    rest.extend(words.next());
                }
                break Some("check".into());
            }
            None if !ours.asks.is_empty() => break None,
            None => break Some("check".into()),
        }
    };
    let has_verb = verb.is_some();
    let program_follows = verb.as_ref().is_some_and(|verb| verb == "run" || verb == "r");
    let is_for_cargo = verb.as_ref().is_some_and(|verb| hands_on(own, verb));
    while let Some(word) = words.next() {
        if word == "--" {
            rest.push(word);
            break;
        } else if ours.take(&word, &mut words) {
        } else if program_follows && !is_option(&word) {
            // `cargo run` gives the first free word and all that follow it to the program.
            rest.push(word);
            break;
        } else {
            let takes_value = CargoArgs::takes_value(&word);
            rest.push(word);
            if takes_value {
                rest.extend(words.next());
            }
        }
    }
    rest.extend(words);
    line.extend(verb);
    line.extend(ours.options);
    // A question about the version is answered for the command alone.
    line.extend(ours.asks.into_iter().filter(|ask| !has_verb || is_help(ask)));
    if is_for_cargo {
        line.extend(ours.without_value);
        if !rest.is_empty() {
            line.push("--".into());
        }
        line.extend(rest);
    } else {
        line.extend(rest);
        line.extend(ours.without_value);
    }
    line
}

/// Whether what is left of the line goes to cargo, for a subcommand of this name. So it does where there is
/// none of that name: clap says so.
fn hands_on(own: &Command, verb: &OsStr) -> bool {
    let known = own.find_subcommand(verb);
    known.is_none_or(|known| known.get_arguments().any(|argument| argument.get_id() == "cargo"))
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

fn is_help(word: &OsStr) -> bool {
    word == "-h" || word == "--help"
}

/// What is lockcheck's own of a command line.
struct Ours {
    /// The long options, as clap knows them, and whether the next word is their value.
    known: Vec<(String, bool)>,
    /// Those that were found, each with its value in the same word.
    options: Vec<OsString>,
    /// One whose value is missing, which clap tells best.
    without_value: Option<OsString>,
    /// Questions about this program.
    asks: Vec<OsString>,
}

impl Ours {
    fn new(own: &Command) -> Ours {
        let known = own
            .get_arguments()
            .filter(|arg| !matches!(arg.get_action(), ArgAction::Help | ArgAction::Version))
            .filter_map(|arg| {
                let wants_value = arg.get_action().takes_values() && !arg.is_require_equals_set();
                Some((format!("--{}", arg.get_long()?), wants_value))
            });
        Ours { known: known.collect(), options: Vec::new(), without_value: None, asks: Vec::new() }
    }

    /// Takes `word`, with its value if that is the next word, when it is one of ours.
    fn take(&mut self, word: &OsStr, words: &mut Peekable<impl Iterator<Item = OsString>>) -> bool {
        if is_help(word) || word == "-V" || word == "--version" {
            self.asks.push(word.to_owned());
            return true;
        }
        let name = word.to_str().map(|word| word.split_once('=').map_or(word, |(name, _)| name));
        let Some((long, wants_value)) = self.known.iter().find(|(long, _)| name == Some(long))
        else {
            return false;
        };
        let mut option = word.to_owned();
        if *wants_value && word == long.as_str() {
            // What begins like an option is the next one.
            let Some(value) = words.next_if(|next| !is_option(next)) else {
                self.without_value = Some(option);
                return true;
            };
            option.push("=");
            option.push(value);
        }
        self.options.push(option);
        true
    }
}
