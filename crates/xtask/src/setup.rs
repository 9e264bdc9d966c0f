//! `cargo xtask setup`: what the longer tests need of a machine and is missing. Quick where nothing is.

use std::collections::BTreeSet;

use anyhow::Result;
use node_targets::Target;

use crate::apt;
use crate::consumers::Tools;
use crate::newer_sqlcipher;
use crate::nix::{self, Nix};
use crate::nix_store;
use crate::paths::{Workspace, program};
use crate::pinned::pinned_files;
use crate::prerequisites;
use crate::process;
use crate::python;
use crate::report;
use crate::runtimes;
use crate::rust_std;
use crate::tools::{self, Zig};
use crate::windows;
use crate::workflows;

/// Programs that tests call, and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 18] = [
    ("sqlcipher", "sqlcipher"),
    ("gcc", "gcc"),
    // what the audit's facts are held against
    ("readelf", "binutils"),
    ("llvm-objdump", "llvm"),
    // macOS' debug information
    ("dsymutil", "llvm"),
    ("llvm-dwarfdump", "llvm"),
    ("llvm-nm", "llvm"),
    ("llvm-symbolizer", "llvm"),
    ("make", "make"),
    ("perl", "perl"),
    ("pkg-config", "pkgconf"),
    // what the stand-in for nixpkgs borrows of the machine
    ("file", "file"),
    ("patch", "patch"),
    ("unzip", "unzip"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
    ("jq", "jq"),
    ("git", "git"),
];

/// What a step found or did.
enum Outcome {
    Present(String),
    Installed(String),
    /// Not had here, and not needed here.
    Skipped(String),
}

/// All steps, and the table of them. Whether everything is there.
pub(crate) fn setup(workspace: &Workspace) -> Result<bool> {
    type Step = fn(&Workspace) -> Result<Outcome>;
    let steps: [(&str, Step); 12] = [
        ("programs", programs),
        ("Python's pip", pip),
        ("Node, npm, a C compiler", prerequisites),
        ("zig, cargo-zigbuild", zig),
        ("Rust for each platform", rust_targets),
        ("cargo-deny", cargo_deny),
        ("linters of workflows", linters),
        ("real Nodes", nodes),
        ("mingw, Wine", windows),
        ("package managers", package_managers),
        ("a newer sqlcipher", sqlcipher),
        ("files for Nix", nix_files),
    ];
    let mut table = report::table(["what", "result", "note"]);
    let mut complete = true;
    for (name, step) in steps {
        let (result, note) = match step(workspace) {
            Ok(Outcome::Present(note)) => ("there", note),
            Ok(Outcome::Installed(note)) => ("installed", note),
            Ok(Outcome::Skipped(note)) => ("skipped", note),
            Err(error) => {
                complete = false;
                eprintln!("error: {error:#}");
                ("FAILED", process::brief(&error))
            }
        };
        table.add_row([name, result, &note]);
    }
    report::print(&format!("{table}\n"))?;
    Ok(complete)
}

fn programs(workspace: &Workspace) -> Result<Outcome> {
    let missing: BTreeSet<&str> =
        PROGRAMS.iter().filter(|(name, _)| program(name).is_none()).map(|(_, package)| *package).collect();
    let missing = Vec::from_iter(missing);
    if missing.is_empty() {
        return Ok(Outcome::Present(PROGRAMS.map(|(name, _)| name).join(", ")));
    }
    apt::install(workspace, &missing)?;
    Ok(Outcome::Installed(missing.join(", ")))
}

fn pip(workspace: &Workspace) -> Result<Outcome> {
    Ok(match python::install(workspace)? {
        true => Outcome::Installed("python3-venv".to_owned()),
        false => Outcome::Present(String::new()),
    })
}

fn prerequisites(_: &Workspace) -> Result<Outcome> {
    prerequisites::check()?;
    Ok(Outcome::Present(format!("Node {}", prerequisites::node_version()?)))
}

fn zig(workspace: &Workspace) -> Result<Outcome> {
    let present = Zig::find(workspace)?.is_some();
    let zig = Zig::install(workspace)?;
    let note = format!("zig {}", zig.version);
    Ok(if present { Outcome::Present(note) } else { Outcome::Installed(note) })
}

fn rust_targets(workspace: &Workspace) -> Result<Outcome> {
    let targets: Vec<&Target> = node_targets::targets().iter().collect();
    let installed = rust_std::install(workspace, &targets)?;
    Ok(match installed.is_empty() {
        true => Outcome::Present(format!("{} of them", targets.len())),
        false => Outcome::Installed(installed.join(", ")),
    })
}

fn cargo_deny(workspace: &Workspace) -> Result<Outcome> {
    if let Some(found) = tools::cargo_deny(workspace) {
        return Ok(Outcome::Present(found.display().to_string()));
    }
    tools::install_cargo_deny(workspace)?;
    Ok(Outcome::Installed("compiled into the cache".to_owned()))
}

fn linters(workspace: &Workspace) -> Result<Outcome> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Outcome::Skipped("their pins are for x86_64 Linux".to_owned()));
    }
    if workflows::is_installed(workspace)? {
        return Ok(Outcome::Present(String::new()));
    }
    workflows::install(workspace)?;
    Ok(Outcome::Installed("actionlint, shellcheck, zizmor".to_owned()))
}

fn nodes(workspace: &Workspace) -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("they are for Linux".to_owned()));
    }
    let installed = runtimes::install(workspace)?;
    Ok(match installed.is_empty() {
        true => Outcome::Present(format!("{} of them", runtimes::count(workspace)?)),
        false => Outcome::Installed(installed.join(", ")),
    })
}

fn windows(workspace: &Workspace) -> Result<Outcome> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Outcome::Skipped("they are for x86_64 Linux".to_owned()));
    }
    let installed = windows::install(workspace)?;
    Ok(match installed.is_empty() {
        true => Outcome::Present(String::new()),
        false => Outcome::Installed(installed.join(", ")),
    })
}

fn package_managers(workspace: &Workspace) -> Result<Outcome> {
    if let Some(why) = Tools::unavailable()? {
        return Ok(Outcome::Skipped(why));
    }
    if let Some(tools) = Tools::find(workspace)? {
        return Ok(Outcome::Present(tools.to_string()));
    }
    Ok(Outcome::Installed(Tools::install(workspace)?.to_string()))
}

fn sqlcipher(workspace: &Workspace) -> Result<Outcome> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Outcome::Skipped("it comes from Debian, for x86_64".to_owned()));
    }
    if newer_sqlcipher::command(workspace).is_some() {
        return Ok(Outcome::Present(String::new()));
    }
    newer_sqlcipher::install(workspace)?;
    Ok(Outcome::Installed("unpacked into the cache".to_owned()))
}

fn nix_files(workspace: &Workspace) -> Result<Outcome> {
    let Some(nix) = Nix::find()? else {
        return Ok(Outcome::Skipped(nix::REMEDY.to_owned()));
    };
    if !nix.uses_stand_in() {
        return Ok(Outcome::Skipped("nix has a binary cache, which has them".to_owned()));
    }
    let files = pinned_files(workspace)?;
    let mut added = Vec::new();
    for file in &files {
        if nix_store::add(workspace, &nix, file)? {
            added.push(file.package.as_str());
        }
    }
    Ok(match added.as_slice() {
        [] => Outcome::Present(format!("all {} in the store", files.len())),
        added => Outcome::Installed(added.join(", ")),
    })
}
