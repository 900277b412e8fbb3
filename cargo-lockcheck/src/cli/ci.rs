//! Where a check runs: in which service, and in which repository.

use std::env;
use std::path::{Path, PathBuf};

use super::destination::{Destination, Output};
use crate::report::render::Format;

/// A service that runs checks, and shows reports in a form of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// GitHub Actions, with the file of the job's summary.
    Github {
        /// To which the summary is added.
        summary: Option<PathBuf>,
    },
    /// GitLab CI.
    Gitlab,
}

impl Service {
    /// The one that this process runs in, by the variables that it sets.
    pub fn here() -> Option<Service> {
        let is_set = |name: &str| {
            env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false")
        };
        if is_set("GITHUB_ACTIONS") {
            let summary = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
            Some(Service::Github { summary: summary.map(PathBuf::from) })
        } else if is_set("GITLAB_CI") {
            Some(Service::Gitlab)
        } else {
            None
        }
    }

    /// What it is told beside the text, unasked; `directory` is lockcheck's own.
    pub fn output(&self, directory: &Path) -> Output {
        match self {
            Service::Github { .. } => {
                Output { format: Format::Github, to: Destination::Printed, was_asked_for: false }
            }
            Service::Gitlab => Output::by_default(Format::Gitlab, directory, false),
        }
    }
}

/// The way from the root of the repository that `workspace` is in to `workspace`: with `/` between parts
/// and at its end, and empty where both are one or there is no repository.
pub fn way_from_repository(workspace: &Path) -> String {
    let root = workspace.ancestors().find(|directory| directory.join(".git").exists());
    let way = root.and_then(|root| workspace.strip_prefix(root).ok());
    let parts = way.into_iter().flat_map(Path::components);
    parts.map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::way_from_repository;

    #[test]
    fn a_workspace_may_be_a_part_of_its_repository() {
        let directory = tempfile::tempdir().expect("a directory");
        let workspace = directory.path().join("services/bank");
        fs::create_dir_all(&workspace).expect("it can be made");
        fs::create_dir(directory.path().join(".git")).expect("it can be made");
        assert_eq!(way_from_repository(&workspace), "services/bank/");
        assert_eq!(way_from_repository(directory.path()), "");
    }
}
