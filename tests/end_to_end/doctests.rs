//! Examples in documentation, which rustdoc puts together as one program since edition 2024.

use std::fs;

use lockcheck_tests::Project;

const LIBRARY: &str = "//! Two locks in both orders.\n\n\
    /// Uses a sum.\n///\n/// ```\n/// use std::sync::Mutex;\n\
    /// let (a, b) = (Mutex::new(1), Mutex::new(2));\n\
    /// { let x = a.lock().unwrap(); let y = b.lock().unwrap(); probe::used(*x + *y); }\n\
    /// { let y = b.lock().unwrap(); let x = a.lock().unwrap(); probe::used(*x + *y); }\n\
    /// ```\npub fn used(_: i32) {}\n\n\
    /// Another.\n///\n/// ```\n/// probe::other();\n/// ```\npub fn other() {}\n";

#[test]
fn a_finding_in_an_example_has_the_same_id_in_every_run() {
    let project = Project::binaries("doctests", "2024", &[]);
    fs::write(project.root().join("src/lib.rs"), LIBRARY).expect("it can be written");
    let found: Vec<(String, String)> = (0..2)
        .map(|_| {
            let checked = project.check(&["test", "--doc", "-q"]);
            let [finding] = &*checked.report().findings else { panic!("one finding: {checked}") };
            (finding.id.clone(), finding.edges[0].to_site.file.clone())
        })
        .collect();
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0].1, "doctest_bundle_2024.rs");
}
