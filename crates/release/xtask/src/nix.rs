//! `cargo xtask nix`: the flake's checks, packages and layers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use flake::{Build, Flake, Sections};
use machine::Workspace;
use machine::report::{self, Report, Tally};
use node_targets::{Target, Toolchain};

/// The actions of `cargo xtask nix`.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Evaluates the flake, and builds its checks
    Check,
    /// Builds release addons
    Build {
        /// Platforms to build, such as linux-x64-gnu, or `js` for the JavaScript; by default, this machine's platform,
        /// for which `fast` is the flake's alias
        platforms: Vec<String>,
        /// Builds each addon a second time from its layers, and fails if a byte differs
        #[arg(long)]
        rebuild: bool,
    },
    /// Edits a copy of the checkout, and shows what each edit rebuilds and whether C is compiled again
    Layers {
        /// Also builds after each edit, and shows the build time
        #[arg(long)]
        build: bool,
    },
    /// Compares two builds of an addon: fails if their facts differ, and shows the bytes that differ section by section
    Compare {
        /// The platform of both addons
        platform: String,
        first: PathBuf,
        second: PathBuf,
    },
}

/// Runs an action, and prints a row for each part of it. Returns whether nothing failed.
pub(crate) fn nix(workspace: &Workspace, action: &Action) -> Result<bool> {
    let flake = || Flake::find(workspace)?.context(flake::REMEDY);
    let mut report = Report::default();
    match action {
        Action::Check => {
            let flake = flake()?;
            report.run("nix flake check", || flake.check().map(Tally::passed));
        }
        Action::Build { platforms, rebuild } => {
            let flake = flake()?;
            for Output { name, target } in outputs(platforms)? {
                report.run(&format!("nix build {name}"), || match target {
                    Some(target) if !target.builds_on(&machine::system()) => evaluate(&flake, target),
                    Some(target) => build_addon(&flake, target, *rebuild),
                    None => flake.build_output(name).map(|_| Tally::passed(format!("result-{name}"))),
                });
            }
        }
        Action::Layers { build } => report = flake::layers(&flake()?, *build)?,
        Action::Compare { platform, first, second } => {
            return compare(Target::find(platform)?, [first, second]);
        }
    }
    report::print(&report.to_string())?;
    Ok(report.is_success())
}

/// An output of the flake to build: a target's addon, `js`, or `fast`.
struct Output<'a> {
    name: &'a str,
    target: Option<&'static Target>,
}

/// Returns the named outputs, or this machine's platform if none is named.
fn outputs(names: &[String]) -> Result<Vec<Output<'_>>> {
    let addon = |target: &'static Target| Output { name: &target.platform, target: Some(target) };
    let output = |name| match name {
        "js" | "fast" => Ok(Output { name, target: None }),
        _ => Target::find(name)
            .map(addon)
            .context("the flake builds only `js`, `fast` and the targets of targets.json"),
    };
    match names {
        [] => Ok(vec![addon(node_targets::host()?)]),
        names => names.iter().map(|name| output(name)).collect(),
    }
}

/// Evaluates a target that this system cannot build, for its release host.
fn evaluate(flake: &Flake<'_>, target: &Target) -> Result<Tally> {
    let host = target.release_host();
    if target.toolchain == Toolchain::Msvc {
        bail!("Nix does not build {target}: run `cargo xtask dist` on {host}");
    }
    flake.evaluate(target)?;
    Ok(Tally::skipped(format!("only evaluated: {host} builds {target}")))
}

/// Prints the comparison of two addons in Markdown, for the summary of a job. Fails if the facts of the addons differ.
fn compare(target: &Target, files: [&PathBuf; 2]) -> Result<bool> {
    for file in files {
        ensure!(
            file.file_name() == Some(Path::new(&target.artifact_file()).as_os_str()),
            "{} is not an addon for {target}: pass two files with the name {}",
            file.display(),
            target.artifact_file()
        );
    }
    let sections = Sections::compare(files.map(PathBuf::as_path))?;
    let bytes = if sections.are_equal() { "the same bytes" } else { "different bytes" };
    let [first, second] = files.map(|file| file.display().to_string());
    report::print(&format!("### {target}: {first} and {second} have {bytes}\n\n{sections}\n"))?;
    let facts = flake::same_facts([
        Build { name: &first, addon: files[0] },
        Build { name: &second, addon: files[1] },
    ]);
    // The summary of a job shows standard output only.
    report::print(&match &facts {
        Ok(()) => "The facts are the same.\n".to_owned(),
        Err(error) => format!("**The facts differ.** {error:#}\n"),
    })?;
    facts.map(|()| true)
}

fn build_addon(flake: &Flake<'_>, target: &Target, rebuild: bool) -> Result<Tally> {
    let result = flake.build_output(&target.platform)?;
    let mut note = format!("{}, audited: result-{target}", flake.origin(&result)?);
    if flake.uses_offline_nixpkgs() && target.toolchain == Toolchain::PkgsCross {
        note += &format!(" ({})", flake::MUSL_BY_ZIG);
    }
    if rebuild {
        flake.build_again(target)?;
        note += "; a second build has the same bytes";
    }
    Ok(Tally::passed(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_platform_a_triple_js_or_fast() {
        let named = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            outputs(&names)
                .map(|outputs| outputs.iter().map(|output| output.name.to_owned()).collect::<Vec<_>>())
        };
        let names = ["linux-x64-gnu", "aarch64-unknown-linux-gnu", "js", "fast"];
        assert_eq!(named(&names).unwrap(), ["linux-x64-gnu", "linux-arm64-gnu", "js", "fast"]);
        let error = format!("{:#}", named(&["linux"]).unwrap_err());
        assert!(error.contains("`js`, `fast`") && error.contains("linux-x64-musl"), "{error}");
    }
}
