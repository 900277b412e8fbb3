//! Traces made from one line of text.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use cargo_lockcheck::report::sources::Sources;
use cargo_lockcheck::traces::trace::Trace;

/// Sources of which nothing is there.
pub(crate) fn no_sources() -> Sources {
    Sources::new(Path::new("/nowhere"), None)
}

/// The trace of process `pid`, as text. `program` is a list of threads, `name: LOCKS; ...`, each
/// with the locks that it takes one in the other. A lock `r/A` is read, `t/A` tried; `A*` tells that
/// there are several locks of that class. Each use of a class has a place of its own, by thread.
pub(crate) fn text(pid: u32, program: &str) -> String {
    let mut lines = format!(
        "{{\"t\":\"trace\",\"version\":1,\"tool\":\"test\",\"pid\":{pid},\
         \"exe\":\"/x/app-0123456789abcdef\",\"args\":[],\"time\":7}}\n"
    );
    let mut classes: HashMap<String, usize> = HashMap::new();
    let mut sites = 0;
    let mut site = |lines: &mut String, file: &str, line: usize| {
        sites += 1;
        let _ = writeln!(
            lines,
            "{{\"t\":\"site\",\"id\":{sites},\"file\":\"{file}\",\"line\":{line},\"column\":1}}"
        );
        sites
    };
    for (thread, part) in program.split(';').enumerate() {
        let Some((name, locks)) = part.trim().split_once(": ") else { continue };
        let _ = writeln!(lines, "{{\"t\":\"thread\",\"id\":{thread},\"name\":\"{name}\"}}");
        let mut held: Vec<String> = Vec::new();
        for (at, lock) in locks.split_whitespace().enumerate() {
            let (how, name) = lock.split_once('/').unwrap_or(("", lock));
            let many = name.ends_with('*');
            let name = name.trim_end_matches('*');
            let class = match classes.get(name) {
                Some(class) => *class,
                None => {
                    let created = site(&mut lines, &format!("src/{name}.rs"), 1);
                    let class = classes.len() + 1;
                    let _ = writeln!(
                        lines,
                        "{{\"t\":\"class\",\"id\":{class},\"kind\":\"RwLock\",\"type\":\"u8\",\
                         \"site\":{created}}}"
                    );
                    classes.insert(name.to_owned(), class);
                    class
                }
            };
            if many {
                let _ = writeln!(lines, "{{\"t\":\"many\",\"class\":{class}}}");
            }
            let used = site(&mut lines, &format!("src/{}.rs", thread_file(part)), at + 1);
            let mode = if how == "r" { "read" } else { "write" };
            let hold = format!("{{\"class\":{class},\"mode\":\"{mode}\",\"site\":{used}}}");
            if !held.is_empty() {
                let _ = writeln!(
                    lines,
                    "{{\"t\":\"order\",\"thread\":{thread},\"lock\":{hold},\"held\":[{}]}}",
                    held.join(","),
                );
            }
            held.push(hold);
        }
    }
    lines
        + "{\"t\":\"counts\",\"threads\":2,\"locks\":2,\"edges\":1,\"acquisitions\":4}\n{\"t\":\"end\"}\n"
}

fn thread_file(part: &str) -> String {
    part.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The same, read.
pub(crate) fn trace(pid: u32, program: &str) -> Trace {
    let text = text(pid, program);
    let (trace, warnings) = Trace::parse(&mut text.as_bytes(), "test", &no_sources());
    assert_eq!(warnings, [], "{text}");
    trace.expect("it is a trace")
}
