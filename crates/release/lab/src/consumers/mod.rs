//! Tests the packages as users get them: published to a registry, installed by each package manager, used by each runtime.
//!
//! Electron is absent, because its program is not in a package registry.

mod example;
mod home;
mod manager;
mod manager_project;
mod registry;
mod release;
mod replacement;
mod tools;

use anyhow::{Context, Result};
use build::Product;
use machine::report::{self, Tally};
use machine::{StepFailed, Workspace, one_line, prerequisites};

use self::example::Example;
use self::manager::MANAGERS;
use self::manager_project::ManagerProject;
use self::registry::Registry;
use self::release::Release;
pub use self::tools::Tools;
use crate::loadable_package::LoadablePackage;

/// Publishes, installs and runs the packages. A failure of one manager does not stop the tests of the others.
pub fn test(workspace: &Workspace) -> Result<Tally> {
    if let Some(why) = Tools::unavailable()? {
        return Ok(Tally::skipped(why));
    }
    let Some(tools) = Tools::find(workspace)? else {
        return Ok(Tally::skipped(
            "the registry and the package managers are not installed: run cargo xtask setup",
        ));
    };
    LoadablePackage::built(workspace, &Product::own(node_targets::host()?))?;
    let example = Example::read(workspace)?;
    let folder = tempfile::tempdir().context("cannot create a temporary folder for a registry")?;
    let registry = Registry::start(workspace, &tools, &folder.path().join("registry"))?;
    let mut release = Release::pack(workspace, &registry, &folder.path().join("release"))?;
    let mut results = Results::default();
    let refused = release.script_refuses_new_names();
    release.publish()?;
    let published = refused.and_then(|()| release.script_finds_all_published());
    results.script = results.record(published.and_then(|()| release.script_refuses_different_content()));
    replacement::publish_client(&release, folder.path())?;
    for manager in &MANAGERS {
        let project = ManagerProject::new(workspace, &tools, manager, folder.path())?;
        if !results.record(project.install(&registry.url())) {
            continue;
        }
        if results.record(project.run_by_node(&example)) {
            results.managers.push(project.name.clone());
        }
        if results.record(project.run_program()) {
            results.programs += 1;
        }
        let replacing = ManagerProject::new(workspace, &tools, manager, &folder.path().join("replacing"))?;
        if results.record(replacement::test(&replacing, &registry.url())) {
            results.replacing += 1;
        }
        if manager.run.is_some_and(|arguments| results.record(project.run_by_itself(&example, arguments))) {
            results.runtimes.push(project.name.clone());
        }
    }
    Ok(results.tally(&prerequisites::node_version()?))
}

/// The successes by name, and the failures.
#[derive(Default)]
struct Results {
    /// `true` if publish.mjs works.
    script: bool,
    managers: Vec<String>,
    /// The runtimes other than Node.
    runtimes: Vec<String>,
    /// The number of managers that give Strongroom to a dependency that requires better-sqlite3.
    replacing: u32,
    /// The number of managers that run the program `strongroom`.
    programs: u32,
    failures: Vec<String>,
}

impl Results {
    /// Prints and records the failure, if any. Returns whether `result` is a success.
    fn record(&mut self, result: Result<()>) -> bool {
        let Err(error) = result else { return true };
        eprintln!("error: {error:#}");
        self.failures.push(match error.downcast_ref::<StepFailed>() {
            Some(failure) => format!("{} {}", failure.step(), failure.summary()),
            None => one_line(&error),
        });
        false
    }

    fn tally(self, node: &str) -> Tally {
        let Self { script, managers, runtimes, replacing, programs, failures } = self;
        let mut tally =
            Tally { failed: report::count(&failures), note: failures.join("; "), ..Tally::default() };
        let mut add = |passed, note| {
            if passed > 0 {
                tally.merge(Tally { passed, note, ..Tally::default() });
            }
        };
        add(report::count(&managers), format!("{} with Node {node}", managers.join(", ")));
        add(report::count(&runtimes), format!("run by {}", runtimes.join(", ")));
        add(replacing, format!("{replacing} in better-sqlite3's place"));
        add(programs, format!("the program strongroom by {programs}"));
        add(u32::from(script), "publish.mjs".to_owned());
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_names_failures_before_successes() {
        let mut results = Results { script: true, ..Results::default() };
        assert!(results.record(Ok(())));
        results.managers = vec!["npm 1.0.0".to_owned(), "Bun 2.0.0".to_owned()];
        results.runtimes = vec!["Bun 2.0.0".to_owned()];
        assert!(!results.record(Err(anyhow::anyhow!("pnpm 3.0.0 did nothing\nat all"))));
        results.replacing = 2;
        results.programs = 1;
        let tally = results.tally("20.0.0");
        assert_eq!((tally.passed, tally.failed), (7, 1));
        let note = "pnpm 3.0.0 did nothing; npm 1.0.0, Bun 2.0.0 with Node 20.0.0; run by Bun 2.0.0; \
             2 in better-sqlite3's place; the program strongroom by 1; publish.mjs";
        assert_eq!(tally.note, note);
    }
}
