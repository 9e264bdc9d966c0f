//! Tests of published.yml and its script, with stubs of npm and of the package managers (`tests/managers`).

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;

use crate::workflow_run::Run;

/// A run for the publication of version 1.2.3.
fn published(tag: &str) -> Option<Run> {
    if node_targets::host().unwrap().platform != "linux-x64-gnu" {
        println!("skipped: the stubs of the package managers have the names of linux-x64-gnu");
        return None;
    }
    let mut run = Run::new("published.yml", "release", ("tag", tag))?;
    run.programs = crate::folder().join("tests/managers");
    run.environment.extend([("ATTEMPTS", "3".to_owned()), ("PAUSE", "0".to_owned())]);
    run.expressions.0.insert("inputs.version || github.event.release.tag_name".to_owned(), tag.to_owned());
    fs::write(run.file("registry/version"), "1.2.3").unwrap();
    Some(run)
}

/// Runs the workflow with a switch of the stubs. Returns the result of the aggregate job.
fn with(switch: (&str, &str)) -> Option<(Run, &'static str)> {
    let mut run = published("v1.2.3")?;
    fs::write(run.file("registry").join(switch.0), switch.1).unwrap();
    let result = run.all()["published"];
    Some((run, result))
}

#[test]
fn every_manager_installs_the_published_version_and_runs_the_example() {
    let Some(mut run) = published("v1.2.3") else { return };
    let result = run.all()["published"];
    assert_eq!(result, "success", "{}", run.said);
    let log = run.logged("registry/log", "");
    let systems = 3;
    for (manager, line) in [
        ("npm", "npm install --ignore-scripts --no-audit --no-fund --prefer-online strongroom@1.2.3"),
        ("pnpm", "@pnpm add --ignore-scripts strongroom@1.2.3"),
        ("Yarn 1", "yarn add --ignore-scripts --non-interactive strongroom@1.2.3"),
        ("Bun", "@oven add --ignore-scripts strongroom@1.2.3"),
        ("Deno", "@deno add --minimum-dependency-age=0 npm:strongroom@1.2.3"),
        ("Plug'n'Play", "@yarnpkg node example.mjs"),
        ("signatures", "npm audit signatures"),
    ] {
        assert_eq!(log.iter().filter(|logged| *logged == line).count(), systems, "{manager}: {log:?}");
    }
    let yarn4 = log.iter().filter(|line| *line == "@yarnpkg add strongroom@1.2.3").count();
    assert_eq!(yarn4, 2 * systems, "with node_modules, and with Plug'n'Play");
}

#[test]
fn a_late_registry_is_asked_again() {
    let Some((run, result)) = with(("late", "2")) else { return };
    assert_eq!(result, "success", "{}", run.said);
    let Some((run, result)) = with(("late", "3")) else { return };
    assert_eq!(result, "failure");
    assert!(run.said.contains("error: strongroom 1.2.3 does not work as published"), "{}", run.said);
    // The registry answers the fourth request, so only the first manager fails.
    let problems: Vec<&str> = run.said.lines().filter(|line| line.starts_with("  - ")).collect();
    assert!(problems.len() == 1 && problems[0].starts_with("  - npm of Node "), "{}", run.said);
}

#[test]
fn a_failure_names_the_manager() {
    for (broken, problem) in
        [("@oven install", "- Bun "), ("yarn", "- Yarn 1 "), ("signatures", "- npm of Node ")]
    {
        let Some((run, result)) = with(("broken", broken)) else { return };
        assert_eq!(result, "failure", "{broken}");
        let problems: Vec<&str> = run.said.lines().filter(|line| line.starts_with("  - ")).collect();
        assert!(problems.iter().all(|line| line.contains(problem)) && problems.len() == 3, "{}", run.said);
    }
}

#[test]
fn a_version_that_is_none_is_refused() {
    for version in ["", "latest", "1.2", "v1.2.3; ls"] {
        let Some(mut run) = published(version) else { return };
        let result = run.all()["published"];
        assert_eq!(result, "failure", "{version}");
        assert!(run.said.contains("usage: node published.mjs VERSION"), "{}", run.said);
    }
}
