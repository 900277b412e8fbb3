//! The files that are mapped into the process as code, as Linux tells them.

use super::unwind::Module;

/// The files that are mapped as code now; none where the system does not tell.
pub(crate) fn modules() -> Vec<Module> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().filter_map(module).map(Module::identified).collect()
}

/// A line of `/proc/self/maps`: `start-end perms offset device inode path` (proc_pid_maps(5)).
fn module(line: &str) -> Option<Module> {
    let mut fields = line.splitn(6, ' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let is_code = fields.next()?.as_bytes().get(2) == Some(&b'x');
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    let path = fields.nth(2)?.trim_start();
    (is_code && path.starts_with('/')).then_some(())?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let (start, end) = (number(start)?, number(end)?);
    Some(Module { path: path.to_owned(), start, end, offset, size: 0, modified: 0 })
}

#[cfg(test)]
mod tests {
    use super::{Module, module};

    #[test]
    fn a_line_of_maps_is_read() {
        let line = "55d0a1c2b000-55d0a1d00000 r-xp 0002a000 fe:00 1234567    /usr/bin/with space";
        let path = "/usr/bin/with space".to_owned();
        let (start, end) = (0x55d0_a1c2_b000, 0x55d0_a1d0_0000);
        let expected = Module { path, start, end, offset: 0x2a000, size: 0, modified: 0 };
        assert_eq!(module(line), Some(expected));
        assert_eq!(module("7ffd1-7ffd2 r-xp 00000000 00:00 0    [vdso]"), None);
        assert_eq!(module("7ffd1-7ffd2 rw-p 00000000 fe:00 7    /usr/bin/data"), None);
        assert_eq!(module("no such thing"), None);
    }
}
