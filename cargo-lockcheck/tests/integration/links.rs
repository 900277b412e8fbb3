//! The links of all documents lead somewhere: to a file that is there, and to a heading that is in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where files of the repository are read, and where its directories are.
const REPOSITORY_FILES: &str = "https://github.com/lockdep-rs/lockdep/blob/main/";
const REPOSITORY_DIRECTORIES: &str = "https://github.com/lockdep-rs/lockdep/tree/main/";

/// All Markdown documents of the repository that are for readers.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![root()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("it is there") {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                // Neither what is hidden, nor what cargo or npm has made.
                let is_ours = !name.starts_with('.') && name != "node_modules";
                if is_ours && !path.join("CACHEDIR.TAG").exists() {
                    directories.push(path);
                }
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "only {} documents were found", found.len());
    found
}

/// What a document links to, and the anchors of its headings.
fn read(text: &str) -> (Vec<String>, BTreeSet<String>) {
    let (mut links, mut anchors) = (Vec::new(), BTreeSet::new());
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                anchors.extend(heading.take().map(|heading| anchor(&heading)));
            }
            _ => {}
        }
    }
    (links, anchors)
}

/// The anchor that GitHub and mdBook give to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("it can be read");
        for link in read(&text).0 {
            // What is outside of the guide is linked to where the repository is read.
            let inside = [REPOSITORY_FILES, REPOSITORY_DIRECTORIES]
                .into_iter()
                .find_map(|prefix| link.strip_prefix(prefix));
            if let Some(path) = inside {
                let path = path.split_once('#').map_or(path, |(path, _)| path);
                if !root().join(path).exists() {
                    wrong.push(format!("{}: {link}", document.display()));
                }
                continue;
            }
            if link.starts_with("http://") || link.starts_with("https://") {
                continue;
            }
            let is_guide = document.parent().is_some_and(|parent| parent.ends_with("docs"));
            if is_guide && link.starts_with("../") {
                wrong.push(format!("{}: {link} is not in the guide", document.display()));
            }
            let (path, anchor) = link.split_once('#').map_or((&*link, None), |(p, a)| (p, Some(a)));
            let target = match path {
                "" => document.clone(),
                path => document.with_file_name("").join(path),
            };
            let is_there = match anchor {
                None => target.exists(),
                Some(anchor) => {
                    fs::read_to_string(&target).is_ok_and(|text| read(&text).1.contains(anchor))
                }
            };
            if !is_there {
                wrong.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_guide_lists_every_document_of_its_directory() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("it is there");
    let listed: BTreeSet<String> = read(&summary).0.into_iter().collect();
    let there = fs::read_dir(&docs).expect("it is there").map(|entry| {
        let name = entry.expect("it can be read").file_name();
        name.into_string().expect("UTF-8")
    });
    let there: BTreeSet<String> =
        there.filter(|name| name.ends_with(".md") && name != "SUMMARY.md").collect();
    assert_eq!(listed, there);
}

#[test]
fn an_anchor_is_that_of_github() {
    assert_eq!(anchor("What it `does` not see: A, b!"), "what-it-does-not-see-a-b");
}
