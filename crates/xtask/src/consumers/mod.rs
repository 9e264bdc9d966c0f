//! The packages as their users get them: published to a registry, installed from it by each package manager into an
//! empty project, and used there by each runtime.
//!
//! Electron is not among them: no registry has its program.

mod example;
mod home;
mod manager;
mod project;
mod registry;
mod release;
mod tools;

use anyhow::{Context, Result};

use self::example::Example;
use self::project::Project;
use self::registry::Registry;
use self::release::Release;
pub(crate) use self::tools::Tools;
use crate::load::Package;
use crate::paths::Workspace;
use crate::prerequisites;
use crate::process::{self, StepFailed};
use crate::report::{self, Tally};

/// Publishes, installs and runs. A manager that fails does not stop the next.
pub(crate) fn test(workspace: &Workspace) -> Result<Tally> {
    if let Some(why) = Tools::unavailable()? {
        return Ok(Tally::skipped(why));
    }
    let Some(tools) = Tools::find(workspace)? else {
        return Ok(Tally::skipped("a registry and the managers are not there: cargo xtask setup"));
    };
    Package::built(workspace, node_targets::host()?)?;
    let example = Example::read(workspace)?;
    let folder = tempfile::tempdir().context("no temporary folder for a registry")?;
    let registry = Registry::start(workspace, &tools, &folder.path().join("registry"))?;
    let mut release = Release::seal(workspace, &tools, &registry, &folder.path().join("release"))?;
    let mut seen = Seen::default();
    let refused = release.script_refuses_new_names();
    release.publish()?;
    let found = refused.and_then(|()| release.script_finds_all_published());
    seen.script = seen.works(found.and_then(|()| release.script_refuses_another_content()));
    for manager in &manager::ALL {
        let project = Project::new(workspace, &tools, manager, folder.path())?;
        if !seen.works(project.install(&registry.url())) {
            continue;
        }
        if seen.works(project.run_by_node(&example)) {
            seen.managers.push(project.name().to_owned());
        }
        if manager.runs.is_some_and(|runs| seen.works(project.run_by_itself(&example, runs))) {
            seen.runtimes.push(project.name().to_owned());
        }
    }
    Ok(seen.tally(&prerequisites::node_version()?))
}

/// What was seen to work, by name, and what was not.
#[derive(Default)]
struct Seen {
    /// publish.mjs.
    script: bool,
    managers: Vec<String>,
    /// Those beside Node.
    runtimes: Vec<String>,
    failures: Vec<String>,
}

impl Seen {
    /// Whether it does. What does not is told at once, and in a line for the table.
    fn works(&mut self, result: Result<()>) -> bool {
        let Err(error) = result else { return true };
        eprintln!("error: {error:#}");
        self.failures.push(match error.downcast_ref::<StepFailed>() {
            Some(failure) => format!("{} {}", failure.step(), failure.summary()),
            None => process::brief(&error),
        });
        false
    }

    fn tally(self, node: &str) -> Tally {
        let Self { script, managers, runtimes, failures } = self;
        let mut tally =
            Tally { failed: report::count(&failures), note: failures.join("; "), ..Tally::default() };
        let mut add = |passed, note: &str| {
            if passed > 0 {
                tally.passed += passed;
                tally.note = report::join(&tally.note, note);
            }
        };
        add(report::count(&managers), &format!("{} with Node {node}", managers.join(", ")));
        add(report::count(&runtimes), &format!("run by {}", runtimes.join(", ")));
        add(u32::from(script), "publish.mjs");
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_works_is_counted_and_named_after_what_does_not() {
        let mut seen = Seen { script: true, ..Seen::default() };
        assert!(seen.works(Ok(())));
        seen.managers = vec!["npm 1.0.0".to_owned(), "Bun 2.0.0".to_owned()];
        seen.runtimes = vec!["Bun 2.0.0".to_owned()];
        assert!(!seen.works(Err(anyhow::anyhow!("pnpm 3.0.0 did nothing\nat all"))));
        let tally = seen.tally("20.0.0");
        assert_eq!((tally.passed, tally.failed), (4, 1));
        let note =
            "pnpm 3.0.0 did nothing; npm 1.0.0, Bun 2.0.0 with Node 20.0.0; run by Bun 2.0.0; publish.mjs";
        assert_eq!(tally.note, note);
    }
}
