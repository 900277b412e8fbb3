//! What goes with an installed command: completions for shells, and the pages of its manual.

use std::fs;
use std::path::Path;

use clap_complete::Shell;

use super::args::program;
use super::failure::Failure;

/// The script by which `shell` completes the arguments.
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program(), "cargo-lockcheck", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a page for the command and for each of its subcommands into `directory`.
///
/// # Errors
/// When it cannot be written to.
pub fn write(directory: &Path) -> Result<(), Failure> {
    let write = || {
        fs::create_dir_all(directory)?;
        clap_mangen::generate_to(program(), directory)
    };
    write().map_err(|error| {
        Failure::new(
            format!("the manual cannot be written to `{}`: {error}", directory.display()),
            "Name a directory that you may write, for example `~/.local/share/man/man1`.",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap_complete::Shell;

    use super::{completions, write};

    #[test]
    fn every_shell_completes_options_and_subcommands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let script = completions(shell);
            for word in ["baseline", "nextest", "output"] {
                assert!(script.contains(word), "{shell} does not complete {word}");
            }
            // The others complete no values.
            let has_values = matches!(shell, Shell::Bash | Shell::Zsh | Shell::Fish);
            for word in ["lock-order", "sarif"].into_iter().filter(|_| has_values) {
                assert!(script.contains(word), "{shell} does not complete {word}");
            }
        }
    }

    #[test]
    fn the_manual_has_a_page_for_each_subcommand() {
        let directory = tempfile::tempdir().expect("a directory");
        write(directory.path()).expect("it can be written");
        for name in ["", "-test", "-check", "-report", "-baseline", "-explain", "-diff"] {
            let path = directory.path().join(format!("cargo-lockcheck{name}.1"));
            let page =
                fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()));
            assert!(page.contains(".SH OPTIONS"), "{page}");
        }
        let file = directory.path().join("cargo-lockcheck.1");
        assert!(write(&file).expect_err("it is no directory").next().contains("man1"));
    }
}
