//! A complete release in the registry: the real main package and host package, and placeholders for the other platforms.
//!
//! A manager asks the registry for the packages of all platforms, but this machine builds only a few.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use machine::{Progress, Workspace, process, tail};
use node_targets::Target;
use pack::PlaceholderPackage;
use serde::{Deserialize, Serialize};

use super::home;
use super::registry::Registry;

/// The packages of a release with their manifest, and a home for the publisher.
pub(super) struct Release<'a> {
    workspace: &'a Workspace,
    registry: &'a Registry,
    packages: PathBuf,
    home: PathBuf,
    manifest: Manifest,
}

/// The part of `manifest.json` that publish.mjs reads.
#[derive(Serialize, Deserialize)]
struct Manifest {
    version: String,
    packages: Vec<Tarball>,
}

#[derive(Serialize, Deserialize)]
struct Tarball {
    name: String,
    version: String,
    file: String,
    size: usize,
    integrity: String,
}

impl<'a> Release<'a> {
    /// Packs the release into a folder, with placeholders for the platforms that are not built.
    pub(super) fn pack(workspace: &'a Workspace, registry: &'a Registry, folder: &Path) -> Result<Self> {
        let (packages, home) = (folder.join("packages"), folder.join("home"));
        let host = node_targets::host()?;
        fs::create_dir_all(&home)?;
        pack::pack_one(workspace, host, &packages)?;
        let manifest = serde_json::from_slice(&fs::read(packages.join("manifest.json"))?)?;
        let mut release = Self { workspace, registry, packages, home, manifest };
        for target in node_targets::targets().iter().filter(|&target| target != host) {
            release.put_placeholder(target, "not built")?;
        }
        // npm publishes only with a token, and the registry accepts any token.
        let url = registry.url();
        let token = format!("{}:_authToken=anybody", url.trim_start_matches("http:"));
        fs::write(release.home.join(".npmrc"), format!("registry={url}\n{token}\n"))?;
        Ok(release)
    }

    /// Publishes the first version after a placeholder of each package, as RELEASING.md describes. The main package is
    /// last. The registry cannot stage packages, and provenance requires GitHub, so npm publishes directly.
    pub(super) fn publish(&self) -> Result<()> {
        self.publish_placeholders()?;
        let placeholders = self.registry.count();
        let mut packages: Vec<&Tarball> = self.manifest.packages.iter().collect();
        packages.sort_by_key(|package| package.name == "strongroom");
        for package in packages {
            self.npm_publish(&package.name, &self.packages.join(&package.file))?;
        }
        let (count, expected) = (self.registry.count() - placeholders, self.manifest.packages.len());
        ensure!(count == expected, "the registry has {count} new tarballs, but {expected} were published");
        Ok(())
    }

    /// Publishes version 0.0.0 of each package.
    fn publish_placeholders(&self) -> Result<()> {
        let folder = self.home.join("placeholders");
        let mut node = process::command("node");
        node.arg(self.workspace.package().join("scripts/publish.mjs")).arg("--placeholders").arg(&folder);
        self.workspace.run("publish.mjs --placeholders", home::isolated(&self.home, node))?;
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let package = entry?.path();
            self.npm_publish(&package.display().to_string(), &package)?;
        }
        let (count, expected) = (self.registry.count(), self.manifest.packages.len());
        ensure!(count == expected, "the registry has {count} placeholders, but {expected} packages");
        Ok(())
    }

    /// Publishes a package from its tarball or its folder.
    pub(super) fn npm_publish(&self, name: &str, package: &Path) -> Result<()> {
        let mut npm = process::command("npm");
        npm.args(["publish", "--access", "public"]).arg(package);
        self.workspace.run(&format!("npm publish {name}"), home::isolated(&self.home, npm)).map(drop)
    }

    /// Checks that publish.mjs publishes nothing if the package names are new to the registry.
    pub(super) fn script_refuses_new_names(&self) -> Result<()> {
        self.script_refuses("the registry does not have these packages yet")
    }

    /// Checks that publish.mjs reports every package as published with the same content.
    pub(super) fn script_finds_all_published(&self) -> Result<()> {
        let all = self.manifest.packages.len();
        let end = format!("0 packages now, {all} before");
        self.script(&format!("find all {all} packages published"), |succeeded, output| {
            let published = output.lines().filter(|line| line.ends_with(": published already")).count();
            succeeded && published == all && output.contains(&end)
        })
    }

    /// Checks that publish.mjs publishes nothing if the registry has different content for one package.
    pub(super) fn script_refuses_different_content(&mut self) -> Result<()> {
        let host = node_targets::host()?;
        let other = node_targets::targets().iter().find(|&target| target != host);
        self.put_placeholder(other.context("targets.json has only one platform")?, "different content")?;
        self.script_refuses("the registry has different content for this version")
    }

    fn script_refuses(&self, reason: &str) -> Result<()> {
        let reason = format!("nothing was published: {reason}");
        self.script(&format!("refuse with `{reason}`"), |succeeded, output| {
            !succeeded && output.contains(&reason)
        })
    }

    /// Runs publish.mjs. Fails unless its status and output are as expected, and the number of tarballs stays the same.
    fn script(&self, expected: &str, is_expected: impl Fn(bool, &str) -> bool) -> Result<()> {
        let mut node = process::command("node");
        node.arg(self.workspace.package().join("scripts/publish.mjs")).arg(&self.packages);
        node.args(["--tag", &format!("v{}", self.manifest.version)]);
        let mut node = home::isolated(&self.home, node);
        let before = self.registry.count();
        let progress = Progress::start("publish.mjs");
        let output = node.output().with_context(|| process::cannot_start(&node))?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let succeeded = is_expected(output.status.success(), &text);
        progress.end(succeeded);
        let status = process::display_status(output.status);
        ensure!(succeeded, "publish.mjs was expected to {expected}, but it {status}:{}", tail(&text));
        let after = self.registry.count();
        ensure!(
            after == before,
            "publish.mjs was expected to {expected}, but the number of tarballs in the registry changed from {before} to {after}"
        );
        Ok(())
    }

    /// Replaces a platform's package with a placeholder, or adds the placeholder.
    fn put_placeholder(&mut self, target: &Target, content: &str) -> Result<()> {
        let Manifest { version, packages } = &mut self.manifest;
        let PlaceholderPackage { name, content, integrity } =
            PlaceholderPackage::new(target, version, content)?;
        let file = format!("strongroom-{target}-{version}.tgz");
        fs::write(self.packages.join(&file), &content)?;
        packages.retain(|package| package.name != name);
        packages.push(Tarball { name, version: version.clone(), file, size: content.len(), integrity });
        fs::write(self.packages.join("manifest.json"), serde_json::to_vec(&self.manifest)?)?;
        Ok(())
    }
}
