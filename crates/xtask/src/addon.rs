//! A release build of the addon: one cargo call, made the same for whoever asks.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
}

/// Builds the addon of a target.
pub(crate) fn build(workspace: &Workspace, target: &Target) -> Result<Addon> {
    let tools = BuildTools::for_target(workspace, target)?;
    let mut cargo = cargo(workspace, "build", target);
    cargo.arg("--config").arg(rustflags(workspace, target, &tools.rustflags)?);
    set_sqlite_flags(&mut cargo, workspace, target)?;
    cargo.envs(tools.variables);
    process::run(workspace, &format!("build {target}"), cargo)?;
    let library =
        workspace.release_target_dir().join(&target.triple).join("release").join(target.library_file());
    Ok(Addon { library, toolchain: tools.summary })
}

/// Puts an addon into `bindings/node/dist`, under the name that it is shipped by.
pub(crate) fn install(workspace: &Workspace, target: &Target, addon: &Addon) -> Result<()> {
    replace(&addon.library, &workspace.dist(), &target.artifact_file())
}

/// Cargo, to do something with the addon's crates as a release has them.
pub(crate) fn cargo(workspace: &Workspace, action: &str, target: &Target) -> Command {
    let mut cargo = process::command("cargo");
    cargo.current_dir(workspace.root());
    cargo.args([action, "--locked", "--release", "-p", "bindings_node", "--target", &target.triple]);
    cargo.env("CARGO_TARGET_DIR", workspace.release_target_dir());
    // Flags of the shell would replace those of the configuration.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo
}

/// Copies beside the destination and renames: a Node that has the old file loaded keeps it.
fn replace(library: &Path, folder: &Path, name: &str) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let (fresh, path) = (folder.join(format!(".{name}.new")), folder.join(name));
    fs::copy(library, &fresh)
        .with_context(|| format!("{} cannot be copied to {}", library.display(), fresh.display()))?;
    fs::rename(&fresh, &path).with_context(|| format!("{} cannot be written", path.display()))
}

/// On top of the flags of `.cargo/config.toml`: the toolchain's, and no path of this machine in the artifact.
fn rustflags(workspace: &Workspace, target: &Target, toolchain: &[String]) -> Result<String> {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let registry = cargo_home.or_else(home).map(|cargo| cargo.join("registry/src"));
    // rustc takes the last that fits, and the target directory may be inside the workspace.
    let mut prefixes = vec![(workspace.root().to_owned(), "/strongroom")];
    prefixes.extend(registry.map(|registry| (registry, "/registry")));
    prefixes.push((workspace.release_target_dir(), "/target"));
    let remap = |(from, to): &(PathBuf, &str)| format!("--remap-path-prefix={}={to}", from.display());
    let flags: Vec<String> = prefixes.iter().map(remap).chain(toolchain.iter().cloned()).collect();
    // A JSON array of strings is a TOML one, too.
    Ok(format!("target.{}.rustflags={}", target.triple, serde_json::to_string(&flags)?))
}

/// Cargo passes the flags of its configuration; only where a target has more must all of them be set.
fn set_sqlite_flags(cargo: &mut Command, workspace: &Workspace, target: &Target) -> Result<()> {
    const NAME: &str = "LIBSQLITE3_FLAGS";
    // `cargo run` has set it for xtask; the build takes it from the configuration.
    cargo.env_remove(NAME);
    if target.sqlite_flags.is_empty() {
        return Ok(());
    }
    let path = workspace.root().join(".cargo/config.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    cargo.env(NAME, sqlite_flags(&text, &target.sqlite_flags)?);
    Ok(())
}

fn sqlite_flags(configuration: &str, more: &[String]) -> Result<OsString> {
    let table: toml::Table = configuration.parse().context(".cargo/config.toml is no TOML")?;
    let base = table.get("env").and_then(|env| env.get("LIBSQLITE3_FLAGS")).and_then(toml::Value::as_str);
    let base = base.context(".cargo/config.toml sets no LIBSQLITE3_FLAGS under [env]")?;
    Ok(format!("{base} {}", more.join(" ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_targets_sqlite_flags_come_on_top_of_the_configurations() {
        let workspace = Workspace::find().unwrap();
        let text = fs::read_to_string(workspace.root().join(".cargo/config.toml")).unwrap();
        let flags = sqlite_flags(&text, &["-DONE".to_owned(), "-DTWO".to_owned()]).unwrap();
        let flags = flags.to_str().unwrap();
        assert!(flags.starts_with('-') && flags.contains(" -DSQLITE_TEMP_STORE=3 "), "{flags}");
        assert!(flags.ends_with(" -DONE -DTWO") && !flags.contains('\n'), "{flags}");
        assert!(sqlite_flags("[env]", &[]).unwrap_err().to_string().contains("LIBSQLITE3_FLAGS"));
    }

    #[test]
    fn rust_flags_name_the_target_and_hide_the_workspace() {
        let workspace = Workspace::find().unwrap();
        let target = Target::by_platform("linux-x64-gnu").unwrap();
        let text = rustflags(&workspace, target, &["-Cone".to_owned()]).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let flags = table["target"]["x86_64-unknown-linux-gnu"]["rustflags"].as_array().unwrap();
        let flags: Vec<&str> = flags.iter().map(|flag| flag.as_str().unwrap()).collect();
        let workspace_flag = format!("--remap-path-prefix={}=/strongroom", workspace.root().display());
        assert_eq!(flags.first(), Some(&workspace_flag.as_str()));
        assert!(matches!(flags[..], [.., target, "-Cone"] if target.ends_with("=/target")), "{flags:?}");
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
}
