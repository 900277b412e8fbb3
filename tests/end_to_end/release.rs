//! The workflow that makes a release: its archives are those that `cargo binstall` looks for, on the systems
//! that the documents name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use lockcheck_tests::workspace;
use serde_json::Value;

fn text(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).expect("the file is there")
}

/// The job that makes the archives.
fn archive() -> Value {
    let workflow: Value =
        serde_yaml_ng::from_str(&text(".github/workflows/release.yml")).expect("it is YAML");
    workflow["jobs"]["archive"].clone()
}

/// What each of these stands for in the metadata.
fn filled(pattern: &Value, target: &str) -> String {
    let is_windows = target.contains("-windows-");
    let values = [
        ("repo", "https://github.com/lockdep-rs/lockdep"),
        ("version", "1.2.3"),
        ("name", "cargo-lockcheck"),
        ("bin", "cargo-lockcheck"),
        ("target", target),
        ("archive-suffix", ".tgz"),
        ("binary-ext", if is_windows { ".exe" } else { "" }),
    ];
    let mut text = pattern.as_str().expect("a text").to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{ {name} }}"), value);
    }
    assert!(!text.contains('{'), "something has no value: {text}");
    text
}

/// The files in an archive.
fn listed(archive: &Path) -> BTreeSet<String> {
    let output = Command::new("tar").arg("-tzf").arg(archive).output().expect("tar can be run");
    assert!(output.status.success(), "{} is no archive", archive.display());
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn archives_are_where_cargo_binstall_looks_for_them() {
    let manifest: Value =
        toml::from_str(&text("cargo-lockcheck/Cargo.toml")).expect("it is a manifest");
    let wanted = &manifest["package"]["metadata"]["binstall"];
    assert_eq!(wanted["pkg-fmt"], "tgz");
    let job = archive();
    let steps = job["steps"].as_array().expect("steps");
    let script = |name: &str| {
        let step = steps.iter().find(|step| step["name"] == name);
        step.and_then(|step| step["run"].as_str()).expect("there is such a step").to_owned()
    };
    let uploads = steps.iter().filter_map(|step| step["run"].as_str());
    let upload: String = uploads.filter(|run| run.contains("gh release upload")).collect();
    for system in job["strategy"]["matrix"]["include"].as_array().expect("systems") {
        let target = system["target"].as_str().expect("a name");
        let checkout = tempfile::tempdir().expect("a directory");
        let root = checkout.path();
        let url = filled(&wanted["pkg-url"], target);
        let (tag, name) = url.rsplit_once('/').expect("a path");
        assert!(tag.ends_with("/releases/download/v1.2.3"), "{url}");
        let binary = filled(&wanted["bin-dir"], target);
        let built = root.join(format!("target/{target}/release"));
        fs::create_dir_all(&built).expect("it can be made");
        let file = binary.rsplit('/').next().expect("a name");
        for path in [
            built.join(file),
            root.join("cargo-lockcheck/README.md"),
            root.join("LICENSE-APACHE"),
            root.join("LICENSE-MIT"),
        ] {
            fs::create_dir_all(path.parent().expect("a directory")).expect("it can be made");
            fs::write(path, "").expect("it can be written");
        }
        let status = Command::new("bash")
            .args(["-euc", &script("Archive")])
            .env("TARGET", target)
            .current_dir(root)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{target}");
        let files = listed(&root.join(name));
        assert!(files.contains(&binary), "{binary} is not among {files:?}");
        assert!(upload.replace("$TARGET", target).contains(&format!("\"{name}\"")), "{upload}");
    }
}

#[test]
fn the_document_on_systems_names_those_that_there_are_archives_for() {
    let document = text("docs/platforms.md");
    let (_, section) = document.split_once("## Installing").expect("a section on that");
    let section = section.split("\n## ").next().unwrap_or_default();
    let named: BTreeSet<&str> = section.split('`').skip(1).step_by(2).collect();
    let job = archive();
    let systems = job["strategy"]["matrix"]["include"].as_array().expect("systems").clone();
    for system in systems {
        let target = system["target"].as_str().expect("a name");
        assert!(named.contains(target), "docs/platforms.md does not name {target}");
    }
}
