//! The packages of a whole release in the registry: the host's and the main one as they are published, the others
//! stand-ins, since a manager asks for every platform's and most of them are built elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use node_targets::Target;
use serde_json::{Value, json};

use super::home;
use super::registry::Registry;
use super::tools::{Tool, Tools};
use crate::pack::{self, StandIn};
use crate::paths::Workspace;
use crate::process;
use crate::progress::Progress;

/// The folder of a release, and the home of who publishes it.
pub(super) struct Release<'a> {
    workspace: &'a Workspace,
    tools: &'a Tools,
    registry: &'a Registry,
    folder: PathBuf,
    home: PathBuf,
    manifest: Value,
}

impl<'a> Release<'a> {
    /// Seals it in a folder.
    pub(super) fn seal(
        workspace: &'a Workspace,
        tools: &'a Tools,
        registry: &'a Registry,
        folder: &Path,
    ) -> Result<Self> {
        let (sealed, home) = (folder.join("packages"), folder.join("home"));
        let host = node_targets::host()?;
        fs::create_dir_all(&home)?;
        pack::pack_one(workspace, host, &sealed)?;
        let manifest = serde_json::from_slice(&fs::read(sealed.join("manifest.json"))?)?;
        let mut release = Self { workspace, tools, registry, folder: sealed, home, manifest };
        for target in node_targets::targets().iter().filter(|&target| target != host) {
            release.stand_in(target, "not built")?;
        }
        // npm wants to be logged in, wherever that may be.
        let url = registry.url();
        let token = format!("{}:_authToken=anybody", url.trim_start_matches("http:"));
        fs::write(release.home.join(".npmrc"), format!("registry={url}\n{token}\n"))?;
        Ok(release)
    }

    /// Publishes it as RELEASING.md says for the first time, the main package last.
    pub(super) fn publish(&self) -> Result<()> {
        let (main, platforms): (Vec<&Value>, _) =
            self.packages()?.iter().partition(|package| package["name"] == "strongroom");
        for package in platforms.into_iter().chain(main) {
            let mut npm = self.tools.command(Tool::Npm);
            npm.args(["publish", "--access", "public"]).arg(self.folder.join(text(package, "file")?));
            let step = format!("npm publish {}", text(package, "name")?);
            process::run(self.workspace, &step, self.at_home(npm))?;
        }
        self.has(self.packages()?.len())
    }

    /// What the release's script says to a registry that does not know the packages: nothing is published.
    pub(super) fn script_refuses_new_names(&self) -> Result<()> {
        self.script_refuses("the registry does not know these packages")?;
        self.has(0)
    }

    /// What it says once everything is published: it is there with the very content that was sealed.
    pub(super) fn script_finds_all_published(&self) -> Result<()> {
        let all = self.packages()?.len();
        let end = format!("0 packages now, {all} before");
        self.script(&format!("to find all {all} packages published already"), |succeeded, said| {
            let found = said.lines().filter(|line| line.ends_with(": published already")).count();
            succeeded && found == all && said.contains(&end)
        })?;
        self.has(all)
    }

    /// What it says where one package has another content than the registry's: nothing is replaced.
    pub(super) fn script_refuses_another_content(&mut self) -> Result<()> {
        let host = node_targets::host()?;
        let other = node_targets::targets().iter().find(|&target| target != host);
        self.stand_in(other.context("targets.json has one platform")?, "another content")?;
        self.script_refuses("the registry has another content of this version")?;
        self.has(self.packages()?.len())
    }

    fn script_refuses(&self, reason: &str) -> Result<()> {
        let reason = format!("nothing was published: {reason}");
        self.script(&format!("to refuse with `{reason}`"), |succeeded, said| {
            !succeeded && said.contains(&reason)
        })
    }

    /// Runs the script, which is to end and to say what is expected of it.
    fn script(&self, expected: &str, is_expected: impl Fn(bool, &str) -> bool) -> Result<()> {
        let version = text(&self.manifest, "version")?;
        let mut node = process::command("node");
        node.arg(self.workspace.package().join("scripts/publish.mjs")).arg(&self.folder);
        node.args(["--tag", &format!("v{version}")]);
        let progress = Progress::start("publish.mjs");
        let output = self.at_home(node).output();
        let output = output.context("publish.mjs cannot be started: is node on PATH?")?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if !is_expected(output.status.success(), &said) {
            progress.fail();
            bail!(
                "publish.mjs was {expected}, but {}:{}",
                process::ending(output.status),
                process::tail(&said)
            );
        }
        progress.succeed();
        Ok(())
    }

    fn at_home(&self, command: Command) -> Command {
        let mut command = home::at(&self.home, command);
        command.current_dir(&self.home);
        command
    }

    fn has(&self, expected: usize) -> Result<()> {
        let count = self.registry.count();
        ensure!(count == expected, "the registry has {count} tarballs where {expected} were expected");
        Ok(())
    }

    fn packages(&self) -> Result<&Vec<Value>> {
        self.manifest["packages"].as_array().context("the manifest of the release lists no packages")
    }

    /// Puts a stand-in in the place of a platform's package.
    fn stand_in(&mut self, target: &Target, content: &str) -> Result<()> {
        let version = text(&self.manifest, "version")?;
        let package = StandIn::new(target, version, content)?;
        let file = format!("strongroom-{target}-{version}.tgz");
        fs::write(self.folder.join(&file), &package.content)?;
        let entry = json!({
            "name": package.name, "version": version, "platform": target.platform, "file": file,
            "size": package.content.len(), "integrity": package.integrity,
        });
        let Some(packages) = self.manifest["packages"].as_array_mut() else {
            bail!("the manifest of the release lists no packages");
        };
        packages.retain(|known| known["name"] != package.name.as_str());
        packages.push(entry);
        fs::write(self.folder.join("manifest.json"), self.manifest.to_string())?;
        Ok(())
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("the manifest of the release names no {key}"))
}
