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
fn a_finding_in_an_example_is_where_the_documentation_is_in_every_run() {
    let mut ids = Vec::new();
    for edition in ["2021", "2024"] {
        let project = Project::binaries(&format!("doctests-{edition}"), edition, &[]);
        fs::write(project.root().join("src/lib.rs"), LIBRARY).expect("it can be written");
        for _ in 0..2 {
            let checked = project.check(&["test", "--doc", "-q"]);
            let [finding] = &*checked.report().findings else { panic!("one finding: {checked}") };
            ids.push(finding.id.clone());
            let mut places: Vec<String> = finding
                .edges
                .iter()
                .flat_map(|edge| [edge.from_site.to_string(), edge.to_site.to_string()])
                .collect();
            places.sort();
            let expected = ["src/lib.rs:8", "src/lib.rs:8", "src/lib.rs:9", "src/lib.rs:9"];
            assert_eq!(places, expected, "{checked}");
        }
        let told = project.check(&["report"]).to_string();
        assert!(told.contains("8 | /// { let x = a.lock()"), "{told}");
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}
