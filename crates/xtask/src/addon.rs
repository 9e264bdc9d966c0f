//! A release build of the addon: one cargo call, made the same for whoever asks.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use node_targets::Target;

use crate::paths::Workspace;
use crate::process;
use crate::toolchain::BuildTools;

/// An addon that was built.
pub(crate) struct Addon {
    /// Where cargo left it.
    pub(crate) library: PathBuf,
    /// What compiled its C, in a few words.
    pub(crate) toolchain: String,
    /// How long after the start of the build it was there; nothing where it was there before.
    pub(crate) elapsed: Option<Duration>,
}

/// What one target brings to a call of cargo.
struct Part<'a> {
    target: &'a Target,
    toolchain: String,
    /// Flags for rustc, as a setting of cargo's.
    rustflags: String,
    /// Variables with the target in their names, or that other targets do not read.
    variables: Vec<(OsString, OsString)>,
}

/// Builds the addons of several targets side by side, in one call of cargo. Returns an addon for each, or the reason why
/// there is none.
pub(crate) fn build(workspace: &Workspace, targets: &[&Target]) -> Vec<Result<Addon>> {
    let mut built: Vec<Option<Result<Addon>>> = targets.iter().map(|_| None).collect();
    let (mut indices, mut parts) = (Vec::new(), Vec::new());
    for (index, target) in targets.iter().enumerate() {
        match Part::of(workspace, target) {
            Ok(part) => {
                indices.push(index);
                parts.push(part);
            }
            Err(error) => built[index] = Some(Err(error)),
        }
    }
    for (index, addon) in indices.into_iter().zip(build_parts(workspace, &parts)) {
        built[index] = Some(addon);
    }
    built.into_iter().flatten().collect()
}

/// Builds the addon of one target.
pub(crate) fn build_one(workspace: &Workspace, target: &Target) -> Result<Addon> {
    build_parts(workspace, &[Part::of(workspace, target)?]).pop().context("cargo was asked for no addon")?
}

/// Builds all parts in one cargo call. If the call fails, builds each part alone: what can be built is there by then, and
/// each failure is reported in its own words.
fn build_parts(workspace: &Workspace, parts: &[Part<'_>]) -> Vec<Result<Addon>> {
    if parts.is_empty() {
        return Vec::new();
    }
    let started = SystemTime::now();
    match (parts, run(workspace, parts)) {
        ([_], Err(error)) => vec![Err(error)],
        (_, Err(_)) => {
            let alone =
                |part| run(workspace, slice::from_ref(part)).and_then(|()| part.addon(workspace, started));
            parts.iter().map(alone).collect()
        }
        (_, Ok(())) => parts.iter().map(|part| part.addon(workspace, started)).collect(),
    }
}

fn run(workspace: &Workspace, parts: &[Part<'_>]) -> Result<()> {
    let targets: Vec<&Target> = parts.iter().map(|part| part.target).collect();
    let mut cargo = cargo(workspace, "build", &targets);
    cargo.arg("--keep-going");
    // `cargo run` has set it for xtask; the build takes it from the configuration.
    cargo.env_remove("LIBSQLITE3_FLAGS");
    for part in parts {
        cargo.arg("--config").arg(&part.rustflags);
        cargo.envs(part.variables.iter().map(|(name, value)| (name, value)));
    }
    let step = match targets.as_slice() {
        [target] => format!("build {target}"),
        targets => format!("build {} platforms", targets.len()),
    };
    process::run(workspace, &step, cargo).map(drop)
}

impl<'a> Part<'a> {
    fn of(workspace: &Workspace, target: &'a Target) -> Result<Self> {
        let tools = BuildTools::for_target(workspace, target)?;
        let rustflags = rustflags(workspace, target, &tools.rustflags)?;
        Ok(Self { target, toolchain: tools.summary, rustflags, variables: tools.variables })
    }

    /// What cargo left.
    fn addon(&self, workspace: &Workspace, started: SystemTime) -> Result<Addon> {
        let folder = workspace.release_target_dir().join(&self.target.triple).join("release");
        let library = folder.join(self.target.library_file());
        let made = fs::metadata(&library).and_then(|metadata| metadata.modified());
        let made = made.with_context(|| format!("cargo left no {}", library.display()))?;
        Ok(Addon { library, toolchain: self.toolchain.clone(), elapsed: made.duration_since(started).ok() })
    }
}

/// Puts an addon into a folder, under the name that the target's is shipped by.
pub(crate) fn install(addon: &Addon, target: &Target, folder: &Path) -> Result<()> {
    replace(&addon.library, folder, &target.artifact_file())
}

/// Cargo, to do something with the addon's crates as a release has them.
pub(crate) fn cargo(workspace: &Workspace, action: &str, targets: &[&Target]) -> Command {
    let mut cargo = process::command("cargo");
    cargo.current_dir(workspace.root());
    cargo.args([action, "--locked", "--release", "-p", "bindings_node"]);
    cargo.args(targets.iter().flat_map(|target| ["--target", target.triple.as_str()]));
    cargo.env("CARGO_TARGET_DIR", workspace.release_target_dir());
    // Flags of the shell would replace those of the configuration.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo
}

/// Copies beside the destination and renames: a Node that has the old file loaded keeps it. What cannot be finished is
/// removed again.
fn replace(library: &Path, folder: &Path, name: &str) -> Result<()> {
    let path = folder.join(name);
    let unwritten = || format!("{} cannot be written: free some space, or make it writable", path.display());
    fs::create_dir_all(folder).with_context(unwritten)?;
    // Closed at once: `fs::copy` opens it by its name, and takes the permissions along.
    let fresh = tempfile::NamedTempFile::new_in(folder).with_context(unwritten)?.into_temp_path();
    fs::copy(library, &fresh).with_context(unwritten)?;
    fresh.persist(&path).with_context(unwritten)
}

/// On top of the flags of `.cargo/config.toml`: the toolchain's, and no path of this machine in the artifact.
fn rustflags(workspace: &Workspace, target: &Target, toolchain: &[String]) -> Result<String> {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let registry = cargo_home.or_else(home).map(|cargo| cargo.join("registry/src"));
    // Not the workspace: cargo names its sources by their paths in it. With its own path in the flags, each checkout
    // would compile all crates and all C anew in a target directory that is shared.
    let mut prefixes = vec![(workspace.release_target_dir(), "/target")];
    prefixes.extend(registry.map(|registry| (registry, "/registry")));
    let remap = |(from, to): &(PathBuf, &str)| format!("--remap-path-prefix={}={to}", from.display());
    let flags: Vec<String> = prefixes.iter().map(remap).chain(toolchain.iter().cloned()).collect();
    // A JSON array of strings is a TOML one, too.
    Ok(format!("target.{}.rustflags={}", target.triple, serde_json::to_string(&flags)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_flags_name_the_target_and_hide_what_is_around_the_workspace() {
        let workspace = Workspace::find().unwrap();
        let target = Target::by_platform("linux-x64-gnu").unwrap();
        let text = rustflags(&workspace, target, &["-Cone".to_owned()]).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let flags = table["target"]["x86_64-unknown-linux-gnu"]["rustflags"].as_array().unwrap();
        let flags: Vec<&str> = flags.iter().map(|flag| flag.as_str().unwrap()).collect();
        let target = format!("--remap-path-prefix={}=/target", workspace.release_target_dir().display());
        assert_eq!((flags.first(), flags.last()), (Some(&target.as_str()), Some(&"-Cone")));
        assert!(flags.iter().any(|flag| flag.ends_with("registry/src=/registry")), "{flags:?}");
    }

    #[test]
    fn an_addon_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib.so");
        for content in ["first", "second"] {
            fs::write(&library, content).unwrap();
            let dist = folder.path().join("dist");
            replace(&library, &dist, "a.node").unwrap();
            assert_eq!(fs::read_to_string(dist.join("a.node")).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder.path().join("dist")).unwrap().count(), 1);
    }

    #[test]
    fn an_addon_that_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib.so");
        fs::write(&library, "content").unwrap();
        // A folder in the file's place: it is not replaced by a file, whoever asks.
        let dist = folder.path().join("dist");
        fs::create_dir_all(dist.join("a.node")).unwrap();
        let error = replace(&library, &dist, "a.node").unwrap_err().to_string();
        assert!(error.ends_with("a.node cannot be written: free some space, or make it writable"), "{error}");
        assert_eq!(fs::read_dir(&dist).unwrap().count(), 1);
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(replace(&library, &folder.path().join("file"), "a.node").is_err());
    }
}
