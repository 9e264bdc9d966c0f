//! `cargo xtask setup`: installs the programs and files that the tests need. Returns quickly if nothing is missing.

use std::collections::BTreeSet;

use anyhow::Result;
use build::Zig;
use flake::Flake;
use lab::consumers::Tools;
use lab::newer_sqlcipher;
use machine::pinned::pinned_files;
use machine::{CargoTool, Workspace, apt, prerequisites, program, python, report, rust_std};
use suites::{format, workflows};

/// Programs that tests call, and their Debian packages.
const PROGRAMS: [(&str, &str); 16] = [
    ("sqlcipher", "sqlcipher"),
    ("gcc", "gcc"),
    // tests compare the audit's facts with the output of these programs
    ("readelf", "binutils"),
    ("llvm-objdump", "llvm"),
    ("llvm-nm", "llvm"),
    // extracts the debug information of macOS addons
    ("dsymutil", "llvm"),
    ("make", "make"),
    ("perl", "perl"),
    ("pkg-config", "pkgconf"),
    // the offline nixpkgs links to these programs
    ("file", "file"),
    ("patch", "patch"),
    ("unzip", "unzip"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
    ("jq", "jq"),
    ("git", "git"),
];

/// The programs that cargo compiles.
const CARGO_TOOLS: [CargoTool; 3] = [suites::CARGO_DENY, suites::CARGO_NEXTEST, pack::CARGO_ABOUT];

/// The result of a step in one word, and a note.
type Outcome = (&'static str, String);

/// `true` if a step is for this machine, and the note to print on other machines.
type Machines = (bool, &'static str);

const ANY: Machines = (true, "");
const LINUX: Machines = (cfg!(target_os = "linux"), "only for Linux");
const X86_64_LINUX: Machines =
    (cfg!(all(target_os = "linux", target_arch = "x86_64")), "only for x86_64 Linux");

/// Runs every step, and prints a row for each. Returns whether nothing failed.
pub(crate) fn setup(workspace: &Workspace) -> Result<bool> {
    type Step = fn(&Workspace) -> Result<Outcome>;
    let steps: [(&str, Machines, Step); 13] = [
        ("programs", ANY, programs),
        ("Python's pip", ANY, pip),
        ("Node, npm, a C compiler", ANY, prerequisites),
        ("zig, cargo-zigbuild", ANY, zig),
        ("Rust for each platform", ANY, rust_targets),
        ("cargo's tools", ANY, cargo_tools),
        ("linters of workflows", X86_64_LINUX, linters),
        ("the format reader's libraries", ANY, format_reader),
        ("real Nodes", LINUX, nodes),
        ("mingw, Wine", X86_64_LINUX, windows),
        ("package managers", ANY, package_managers),
        ("a newer sqlcipher", X86_64_LINUX, sqlcipher),
        ("files for Nix", ANY, nix_files),
    ];
    let mut table = report::table(["what", "result", "note"]);
    let mut complete = true;
    for (name, (is_for_this_machine, why_not), step) in steps {
        let outcome = if is_for_this_machine { step(workspace) } else { Ok(skipped(why_not)) };
        let (result, note) = outcome.unwrap_or_else(|error| {
            complete = false;
            ("FAILED", report::print_error(&error))
        });
        table.add_row([name, result, &note]);
    }
    report::print(&format!("{table}\n"))?;
    Ok(complete)
}

/// Returns the names that a step installed, or the note `present` if the step installed nothing.
fn installed(names: &[impl AsRef<str>], present: impl Into<String>) -> Outcome {
    match names {
        [] => ("present", present.into()),
        names => ("installed", Vec::from_iter(names.iter().map(AsRef::as_ref)).join(", ")),
    }
}

/// Returns the outcome of a skipped step, with the reason.
fn skipped(why: impl Into<String>) -> Outcome {
    ("skipped", why.into())
}

fn programs(workspace: &Workspace) -> Result<Outcome> {
    let missing = PROGRAMS.iter().filter(|(name, _)| program(name).is_none());
    let packages = Vec::from_iter(missing.map(|(_, package)| *package).collect::<BTreeSet<_>>());
    if !packages.is_empty() {
        apt::install(workspace, &packages)?;
    }
    Ok(installed(&packages, PROGRAMS.map(|(name, _)| name).join(", ")))
}

fn pip(workspace: &Workspace) -> Result<Outcome> {
    let package = python::install(workspace)?.then_some("python3-venv");
    Ok(installed(package.as_slice(), ""))
}

fn prerequisites(_: &Workspace) -> Result<Outcome> {
    prerequisites::check()?;
    Ok(("present", format!("Node {}", prerequisites::node_version()?)))
}

fn zig(workspace: &Workspace) -> Result<Outcome> {
    let result = if Zig::find(workspace)?.is_some() { "present" } else { "installed" };
    Ok((result, format!("zig {}", Zig::install(workspace)?.version)))
}

fn rust_targets(workspace: &Workspace) -> Result<Outcome> {
    let triples: Vec<&str> = node_targets::targets().iter().map(|target| target.triple.as_str()).collect();
    Ok(installed(&rust_std::install(workspace, &triples)?, format!("{} of them", triples.len())))
}

/// Compiles each tool into the cache if it is missing.
fn cargo_tools(workspace: &Workspace) -> Result<Outcome> {
    let mut compiled = Vec::new();
    for tool in CARGO_TOOLS {
        if tool.install(workspace)? {
            compiled.push(tool.name);
        }
    }
    Ok(installed(&compiled, CARGO_TOOLS.map(|tool| tool.name).join(", ")))
}

fn linters(workspace: &Workspace) -> Result<Outcome> {
    let names = workflows::install(workspace)?.then_some("actionlint, shellcheck, zizmor");
    Ok(installed(names.as_slice(), ""))
}

fn format_reader(workspace: &Workspace) -> Result<Outcome> {
    let names = format::install(workspace)?.then_some("cryptography, pytest");
    Ok(installed(names.as_slice(), ""))
}

fn nodes(workspace: &Workspace) -> Result<Outcome> {
    let names = lab::install_nodes(workspace)?;
    Ok(installed(&names, format!("{} of them", lab::count_nodes(workspace)?)))
}

fn windows(workspace: &Workspace) -> Result<Outcome> {
    Ok(installed(&lab::install_windows_tools(workspace)?, ""))
}

fn package_managers(workspace: &Workspace) -> Result<Outcome> {
    if let Some(why) = Tools::unavailable()? {
        return Ok(skipped(why));
    }
    Ok(match Tools::find(workspace)? {
        Some(tools) => ("present", tools.to_string()),
        None => ("installed", Tools::install(workspace)?.to_string()),
    })
}

fn sqlcipher(workspace: &Workspace) -> Result<Outcome> {
    if newer_sqlcipher::command(workspace).is_some() {
        return Ok(("present", String::new()));
    }
    newer_sqlcipher::install(workspace)?;
    Ok(("installed", "unpacked into the cache, from Debian".to_owned()))
}

fn nix_files(workspace: &Workspace) -> Result<Outcome> {
    let Some(flake) = Flake::find(workspace)? else { return Ok(skipped(flake::REMEDY)) };
    if !flake.uses_offline_nixpkgs() {
        return Ok(skipped("not needed: Nix has a binary cache"));
    }
    let files = pinned_files(workspace)?;
    let mut added = Vec::new();
    for file in &files {
        if flake.add(file)? {
            added.push(file.package.as_str());
        }
    }
    Ok(installed(&added, format!("all {} in the store", files.len())))
}
