//! Files that a reader never sees half of.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process;

/// Writes a file beside and gives it its name. What is no file (a pipe, `/dev/stdout`) stays what it is.
///
/// # Errors
/// Those of `write`, and of the system; what was there before is there still.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let write_to = |path: &Path| {
        let mut file = BufWriter::new(File::create(path)?);
        write(&mut file)?;
        file.flush()
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    if path.exists() && !path.is_file() {
        return write_to(path);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", process::id()));
    let beside = Path::new(&beside);
    let written = write_to(beside).and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        // What there is of it is of no use.
        _ = fs::remove_file(beside);
    }
    written
}
