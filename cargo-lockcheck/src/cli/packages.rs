//! The packages that a program consists of, as cargo resolves them for this host.
//!
//! What only build scripts and procedural macros need is left out: it is no part of the program.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

/// Packages by which a build script compiles C code, or finds a library of it.
const OF_C: &[&str] = &["cc", "cmake", "pkg-config", "vcpkg", "autotools"];

/// A package that is compiled into the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The features that it is compiled with.
    pub features: Vec<String>,
    /// Whether it brings code that is not Rust.
    pub has_foreign_code: bool,
}

/// The packages in the output of `cargo metadata`, without the members of the workspace.
pub(super) fn of_metadata(json: &[u8]) -> Vec<Package> {
    serde_json::from_slice::<Metadata>(json).map(|metadata| metadata.linked()).unwrap_or_default()
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Described>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Described {
    id: String,
    name: String,
    version: String,
    links: Option<String>,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Metadata {
    fn linked(self) -> Vec<Package> {
        let nodes: HashMap<&str, &Node> =
            self.resolve.nodes.iter().map(|node| (&*node.id, node)).collect();
        let described: HashMap<&str, &Described> =
            self.packages.iter().map(|package| (&*package.id, package)).collect();
        let mut seen: HashSet<&str> = self.workspace_members.iter().map(String::as_str).collect();
        let mut left: Vec<&str> = seen.iter().copied().collect();
        let mut linked = Vec::new();
        while let Some(id) = left.pop() {
            let Some(node) = nodes.get(id) else { continue };
            for edge in &node.deps {
                let is_built =
                    edge.dep_kinds.iter().all(|kind| kind.kind.as_deref() == Some("build"));
                let Some(package) = described.get(&*edge.pkg).filter(|_| !is_built) else {
                    continue;
                };
                if package.is_macro() || !seen.insert(&edge.pkg) {
                    continue;
                }
                left.push(&edge.pkg);
                linked.push(Package {
                    name: package.name.clone(),
                    version: package.version.clone(),
                    features: nodes.get(&*edge.pkg).map(|n| n.features.clone()).unwrap_or_default(),
                    has_foreign_code: package.has_foreign_code(),
                });
            }
        }
        linked.sort_by(|a, b| a.name.cmp(&b.name));
        linked
    }
}

impl Described {
    fn is_macro(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
    }

    fn has_foreign_code(&self) -> bool {
        let finds_c = |dependency: &Dependency| {
            dependency.kind.as_deref() == Some("build") && OF_C.contains(&&*dependency.name)
        };
        self.links.is_some() && self.dependencies.iter().any(finds_c)
    }
}

#[cfg(test)]
mod tests {
    use super::of_metadata;

    #[test]
    fn what_the_program_is_made_of_is_found_and_nothing_else() {
        let package = |id: &str, links: &str, kind: &str, build: &str| {
            format!(
                r#"{{"id":"{id}","name":"{id}","version":"1.0.0","links":{links},"targets":[{{"kind":["{kind}"]}}],
                    "dependencies":[{{"name":"{build}","kind":"build"}}]}}"#
            )
        };
        let node = |id: &str, deps: &[(&str, &str)]| {
            let deps: Vec<String> = deps
                .iter()
                .map(|(to, kind)| format!(r#"{{"pkg":"{to}","dep_kinds":[{{"kind":{kind}}}]}}"#))
                .collect();
            format!(r#"{{"id":"{id}","features":["sync"],"deps":[{}]}}"#, deps.join(","))
        };
        let packages = [
            package("app", "null", "bin", "x"),
            package("tokio", "null", "lib", "x"),
            package("z-sys", "\"z\"", "lib", "cc"),
            package("rayon-core", "\"rayon-core\"", "lib", "x"),
            package("derive", "null", "proc-macro", "x"),
            package("cc", "null", "lib", "x"),
        ];
        let nodes = [
            node(
                "app",
                &[
                    ("tokio", "null"),
                    ("derive", "null"),
                    ("cc", "\"build\""),
                    ("rayon-core", "\"dev\""),
                ],
            ),
            node("tokio", &[("z-sys", "null")]),
        ];
        let json = format!(
            r#"{{"packages":[{}],"workspace_members":["app"],"resolve":{{"nodes":[{}]}}}}"#,
            packages.join(","),
            nodes.join(",")
        );
        let found = of_metadata(json.as_bytes());
        let names: Vec<(&str, bool)> =
            found.iter().map(|package| (&*package.name, package.has_foreign_code)).collect();
        assert_eq!(names, [("rayon-core", false), ("tokio", false), ("z-sys", true)]);
        assert_eq!(found[1].features, ["sync"]);
        assert!(of_metadata(b"no JSON").is_empty());
    }
}
