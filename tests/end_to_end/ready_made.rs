//! What is ready made for services: the commands in each file are run, in order, as the service would.
//!
//! `cargo install` and GitHub's `gh` are stood in for, since both need the network; what they were called
//! with is looked at.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockcheck_tests::{Project, command_path, workspace};
use serde_json::Value;

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(workspace().join(path)).expect("the file is there");
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The machine of a service.
struct Machine<'p> {
    project: &'p Project,
    /// Programs that stand in for others.
    programs: tempfile::TempDir,
    /// What stands for `${{ … }}`.
    values: BTreeMap<String, String>,
    /// What the service sets.
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    said: String,
}

impl<'p> Machine<'p> {
    fn new(project: &'p Project, variables: &[(&str, &str)]) -> Machine<'p> {
        let programs = tempfile::tempdir().expect("a directory");
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let calls = programs.path().join("calls");
        let calls = calls.display();
        let program = |name: &str, text: String| {
            let path = programs.path().join(name);
            fs::write(&path, text).expect("it can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is mine");
        };
        program(
            "cargo",
            format!(
                "#!/bin/sh\nif [ \"$1\" = install ]; then echo \"cargo $*\" >> {calls}; exit 0; fi\n\
                 exec {cargo} \"$@\"\n"
            ),
        );
        program("gh", format!("#!/bin/sh\necho \"gh $*\" >> {calls}\n"));
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Machine { project, programs, values: BTreeMap::new(), variables: variables.collect() }
    }

    /// What the programs that stand in for others were called with.
    fn calls(&self) -> String {
        fs::read_to_string(self.programs.path().join("calls")).unwrap_or_default()
    }

    /// `text` with values for what the service fills in.
    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.values {
            filled = filled.replace(&format!("${{{{ {name} }}}}"), value);
        }
        assert!(!filled.contains("${{"), "no value for something in {filled}");
        filled
    }

    /// Runs a command as the service does.
    fn run(&self, script: &str, environment: &Value) -> Ended {
        // It has the variables of a call of the command, and none of this test run.
        let command = self.project.lockcheck(&[]);
        let mut shell = Command::new("bash");
        shell.args(["-e", "-o", "pipefail", "-c", &self.fill(script)]);
        shell.current_dir(self.project.root());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let own = command_path().parent().expect("it is in a directory").to_owned();
        let path = env::var_os("PATH").unwrap_or_default();
        let paths: Vec<PathBuf> = [self.programs.path().to_owned(), own]
            .into_iter()
            .chain(env::split_paths(&path))
            .collect();
        shell.env("PATH", env::join_paths(paths).expect("they can be joined"));
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        for (name, value) in environment.as_object().into_iter().flatten() {
            shell.env(name, self.fill(value.as_str().expect("a text")));
        }
        let output = shell.output().expect("bash starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            code: output.status.code().unwrap_or(-1),
            said: text(&output.stdout) + &text(&output.stderr),
        }
    }

    /// Runs the steps of a job of GitHub Actions that are commands; the code of each.
    fn steps(&self, steps: &Value) -> Vec<Ended> {
        let steps = steps.as_array().expect("a list of steps");
        let commands = steps.iter().filter(|step| step["run"].is_string());
        let run = |step: &Value| self.run(step["run"].as_str().expect("a text"), &step["env"]);
        commands.map(run).collect()
    }

    /// Sees that each file that a later step takes up is there.
    fn has_files(&self, steps: &Value) {
        for step in steps.as_array().expect("a list of steps") {
            let takes = step["uses"].as_str().is_some_and(|uses| uses.contains("upload"));
            for key in ["path", "sarif_file"] {
                let Some(path) = step["with"][key].as_str().filter(|_| takes) else { continue };
                let path = self.project.root().join(self.fill(path));
                assert!(path.exists(), "{} is not there", path.display());
            }
        }
    }
}

/// A copy of the first example, as a clean clone has it.
fn clone() -> Project {
    let project = Project::example("01-abba");
    let target = project.root().join("target");
    for name in ["lockcheck.sarif", "lockcheck.md", "lockcheck.html", "lockcheck/report.html"] {
        let _ = fs::remove_file(target.join(name));
    }
    let _ = fs::remove_file(target.join("lockcheck/report.sarif"));
    project
}

fn codes(ended: &[Ended]) -> Vec<i32> {
    ended.iter().map(|ended| ended.code).collect()
}

#[test]
fn github_in_one_job() {
    let project = clone();
    let machine = Machine::new(&project, &[("GITHUB_ACTIONS", "true")]);
    let steps = &yaml("docs/ci/github-one-job.yml")["jobs"]["deadlocks"]["steps"];
    let ended = machine.steps(steps);
    assert_eq!(codes(&ended), [0, 100], "{ended:?}");
    assert!(ended[1].said.contains("::error file="), "{ended:?}");
    assert!(machine.calls().contains("cargo install --locked --git "), "{}", machine.calls());
    machine.has_files(steps);
}

#[test]
fn github_on_several_machines() {
    let version = Command::new("cargo").args(["nextest", "--version"]).output();
    if !version.is_ok_and(|output| output.status.success()) {
        // Nothing else of these tests needs more than a Rust toolchain.
        return;
    }
    let project = clone();
    let mut machine = Machine::new(&project, &[]);
    let jobs = &yaml("docs/ci/github-shards.yml")["jobs"];
    // The example has one test, which the first machine gets.
    machine.values.insert("matrix.shard".to_owned(), "1".to_owned());
    let steps = &jobs["test"]["steps"];
    let ended = machine.steps(steps);
    assert_eq!(codes(&ended), [0, 0], "{ended:?}");
    machine.has_files(steps);
    let shards = project.root().join("shards");
    let _ = fs::remove_dir_all(&shards);
    fs::create_dir_all(&shards).expect("it can be made");
    let last = fs::read_dir(project.root().join("target/lockcheck/runs")).expect("there are runs");
    let last = last.map(|run| run.expect("it can be read").path()).max().expect("there is one");
    copy(&last.join("traces"), &shards.join("lockcheck-1"));
    let steps = &jobs["deadlocks"]["steps"];
    let ended = machine.steps(steps);
    assert_eq!(codes(&ended), [0, 100], "{ended:?}");
    machine.has_files(steps);
    fs::remove_dir_all(&shards).expect("it is there");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("a name");
        fs::copy(&path, to.join(name)).expect("it can be copied");
    }
}

#[test]
fn the_action() {
    let project = clone();
    let output = project.root().join("target/output");
    let _ = fs::remove_file(&output);
    let root = fs::canonicalize(workspace()).expect("it is there");
    let mut machine = Machine::new(
        &project,
        &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTION_PATH", root.to_str().expect("UTF-8")),
            ("GITHUB_OUTPUT", output.to_str().expect("UTF-8")),
            ("GITHUB_REPOSITORY", "owner/name"),
        ],
    );
    let action = yaml("action.yml");
    for (name, input) in action["inputs"].as_object().expect("it has inputs") {
        let default = input["default"].as_str().expect("each has a default");
        machine.values.insert(format!("inputs.{name}"), default.to_owned());
    }
    for (name, value) in [
        ("github.token", "none"),
        ("github.event.pull_request.number", "7"),
        ("github.job", "job"),
        ("strategy.job-index", "0"),
    ] {
        machine.values.insert(name.to_owned(), value.to_owned());
    }
    let steps = &action["runs"]["steps"];
    let ended = machine.steps(steps);
    assert_eq!(codes(&ended), [0, 100, 0], "{ended:?}");
    assert_eq!(fs::read_to_string(&output).expect("it is written"), "code=100\n");
    machine.has_files(steps);
    let calls = machine.calls();
    assert!(
        calls
            .contains(&format!("cargo install --locked --path {}/cargo-lockcheck", root.display()))
    );
    assert!(root.join("cargo-lockcheck/Cargo.toml").exists());
    assert!(calls.contains("gh pr comment 7 --body-file target/lockcheck.md"), "{calls}");

    // The workflow that uses it asks for what it has.
    let workflow = yaml("docs/ci/github-action.yml");
    let uses = &workflow["jobs"]["deadlocks"]["steps"][1];
    assert!(uses["uses"].as_str().is_some_and(|uses| uses.starts_with("lockdep-rs/lockdep@")));
    for (name, value) in uses["with"].as_object().expect("it has inputs") {
        assert!(!action["inputs"][name].is_null(), "the action has no input `{name}`");
        machine.values.insert(format!("inputs.{name}"), value.as_str().expect("a text").to_owned());
    }
    machine.values.insert("inputs.fail".to_owned(), "false".to_owned());
    let ended = machine.steps(steps);
    assert_eq!(codes(&ended), [0, 0, 0], "{ended:?}");
}

#[test]
fn gitlab() {
    let project = clone();
    let machine = Machine::new(&project, &[("GITLAB_CI", "true")]);
    let job = &yaml("docs/ci/gitlab-ci.yml")["lockcheck"];
    let script = job["script"].as_array().expect("a list").iter();
    let ended: Vec<Ended> = script
        .map(|command| machine.run(command.as_str().expect("a text"), &Value::Null))
        .collect();
    assert_eq!(codes(&ended), [0, 100], "{ended:?}");
    let artifacts = &job["artifacts"];
    let reports = artifacts["reports"].as_object().expect("it has reports").values();
    for path in artifacts["paths"].as_array().expect("a list").iter().chain(reports) {
        let path = project.root().join(path.as_str().expect("a text"));
        assert!(path.exists(), "{} is not there", path.display());
    }
}

#[test]
fn before_a_commit() {
    let project = clone();
    let machine = Machine::new(&project, &[]);
    let hook = &yaml(".pre-commit-hooks.yaml")[0];
    let words = hook["args"].as_array().expect("a list").iter();
    let mut command = hook["entry"].as_str().expect("a text").to_owned();
    for word in words {
        command += &format!(" {}", word.as_str().expect("a text"));
    }
    let ended = machine.run(&command, &Value::Null);
    assert_eq!(ended.code, 100, "{ended:?}");
    assert!(ended.said.contains("lock-order"), "{ended:?}");
}

/// The commands of the guide's first page, in order, with what each is said to end with.
#[test]
fn the_first_run_of_the_guide() {
    let project = clone();
    let baseline = project.root().join("lockcheck-baseline.toml");
    let _ = fs::remove_file(&baseline);
    let machine = Machine::new(&project, &[]);
    let page = fs::read_to_string(workspace().join("docs/first-run.md")).expect("it is there");
    let commands = page.lines().filter_map(|line| line.strip_prefix("$ "));
    let ended: Vec<(&str, i32, String)> = commands
        .map(|command| {
            let Ended { code, said } = machine.run(command, &Value::Null);
            (command, code, said)
        })
        .collect();
    let codes: Vec<i32> = ended.iter().map(|(_, code, _)| *code).collect();
    assert_eq!(codes, [100, 100, 0, 0, 100, 0, 0, 0, 0], "{ended:#?}");
    assert!(ended[3].2.contains("tier reachable"), "{ended:#?}");
    // The test passes with what the source shows accepted: both call it by one id.
    assert!(ended[7].2.contains("known when we began"), "{ended:#?}");
    fs::remove_file(&baseline).expect("it was written");
}
