//! The picture of the READMEs: node-audit's output on a published package, as a terminal shows it.

use std::fs;

use anstyle::{Color, RgbColor};
use anstyle_svg::{Term, WIN10_CONSOLE};
use anyhow::{Context, Result, bail, ensure};
use machine::report::Tally;
use machine::{Workspace, process};

use crate::survey::pinned_tarball;

/// The picture, relative to the workspace's root.
const FILE: &str = "crates/node-audit/capture.svg";

/// A package of the survey whose report is short: its addon claims musl and needs a function that musl lacks.
const PACKAGE: (&str, &str) = ("@libsql/linux-x64-musl", "0.3.10");

/// The name that `npm pack` gives the tarball.
const TARBALL: &str = "libsql-linux-x64-musl-0.3.10.tgz";

/// Audits the package with the node-audit of this checkout. Returns the picture of the command and its output.
fn terminal_capture(workspace: &Workspace) -> Result<String> {
    let (name, version) = PACKAGE;
    let tarball = pinned_tarball(workspace, name, version)?;
    let scratch = workspace.scratch()?;
    fs::copy(&tarball, scratch.path().join(TARBALL))
        .with_context(|| format!("cannot copy {}", tarball.display()))?;

    let mut cargo = process::command("cargo");
    cargo.args(["run", "--quiet", "--package", "node-audit", "--manifest-path"]);
    cargo.arg(workspace.root().join("Cargo.toml")).args(["--", TARBALL]).current_dir(scratch.path());
    cargo.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let output = cargo.output().with_context(|| process::cannot_start(&cargo))?;
    if output.status.code() != Some(1) {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{} reports no error: {}", process::display_command(&cargo), error.trim());
    }
    let text = format!("$ node-audit {TARBALL}\n{}", String::from_utf8_lossy(&output.stdout));
    // Terminals show bold red as bright red; the renderer does not.
    let text = text.trim_end().replace("\u{1b}[31m", "\u{1b}[91m");
    Ok(terminal().render_svg(&text) + "\n")
}

/// Returns the terminal of the picture, with a grey background that suits light and dark pages.
const fn terminal() -> Term {
    let (foreground, background) = (RgbColor(230, 237, 243), RgbColor(34, 39, 46));
    Term::new().palette(WIN10_CONSOLE).fg_color(Color::Rgb(foreground)).bg_color(Color::Rgb(background))
}

/// Writes the picture into the workspace.
pub fn write_terminal_capture(workspace: &Workspace) -> Result<()> {
    let file = workspace.root().join(FILE);
    fs::write(&file, terminal_capture(workspace)?).with_context(|| format!("cannot write {}", file.display()))
}

/// Compares the committed picture with the output of this checkout's node-audit.
pub fn check_terminal_capture(workspace: &Workspace) -> Result<Tally> {
    let file = workspace.root().join(FILE);
    let committed = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(
        committed == terminal_capture(workspace)?,
        "{FILE} differs from node-audit's output: run `cargo xtask survey --capture`, and look at the picture"
    );
    Ok(Tally::passed(format!("{FILE} shows node-audit's output")))
}
