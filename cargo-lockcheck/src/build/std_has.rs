//! What the standard library of a compiler has, of what only some have: the compiler is asked.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use lockdep::std_items::STD_ITEMS;

use crate::cli::toolchain::Toolchain;

/// The `cfg`s that tell the runtime which items this compiler's `std` has, for its command line. Where the
/// compiler cannot be asked there are none, and the runtime lacks those items. `scratch` is a directory that
/// may be written.
pub(super) fn flags(toolchain: &Toolchain, scratch: &Path) -> Vec<String> {
    let has = |probe: &str| compiles(toolchain, scratch, probe).unwrap_or(false);
    let there = STD_ITEMS.iter().filter(|item| has(item.probe));
    there.map(|item| format!("--cfg=lockdep_std={:?}", item.name)).collect()
}

/// Whether the compiler takes this source of a library.
fn compiles(toolchain: &Toolchain, scratch: &Path, source: &str) -> io::Result<bool> {
    let mut compiler = Command::new(&toolchain.rustc)
        .args(["--crate-name", "probe", "--crate-type", "lib", "--emit", "metadata"])
        .args(["--edition", "2021", "--cap-lints", "allow", "--target", &toolchain.host])
        .arg("--out-dir")
        .arg(scratch)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let written =
        compiler.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(source.as_bytes()));
    let status = compiler.wait()?;
    written.map(|()| status.success())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{compiles, flags};
    use crate::cli::cargo_config::CargoConfig;
    use crate::cli::toolchain::Toolchain;

    #[test]
    fn a_compiler_says_what_its_std_has() {
        let toolchain = Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let scratch = tempfile::tempdir().expect("a directory");
        let asked = |source| compiles(&toolchain, scratch.path(), source).expect("it starts");
        assert!(asked("pub fn f(m: &std::sync::Mutex<u8>) -> bool { m.is_poisoned() }"));
        assert!(!asked("pub fn f(m: &std::sync::Mutex<u8>) { m.there_is_no_such_thing() }"));
    }

    #[test]
    fn what_is_there_is_told_to_the_runtime() {
        let mut toolchain =
            Toolchain::find(&CargoConfig::default(), Path::new(".")).expect("rustc");
        let scratch = tempfile::tempdir().expect("a directory");
        // This workspace needs a `std` that has it.
        let once_wait = "--cfg=lockdep_std=\"once_wait\"".to_owned();
        assert!(flags(&toolchain, scratch.path()).contains(&once_wait));
        toolchain.rustc = "there-is-no-such-compiler".into();
        assert_eq!(flags(&toolchain, scratch.path()), Vec::<String>::new());
    }
}
