//! `cargo xtask nix`: the flake's checks and packages, on a machine with or without a binary cache.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use node_targets::{Target, Toolchain};

use crate::nix_layers;
use crate::paths::{Workspace, program};
use crate::process;
use crate::report::{Report, Tally};

/// The variable that names the folder of a flake: nixpkgs, or a fork that has its stdenv, to evaluate every output with.
const NIXPKGS: &str = "STRONGROOM_NIXPKGS";

/// The flake to evaluate with, if the environment names one.
pub(crate) fn nixpkgs() -> Result<Result<PathBuf, String>> {
    let named = env::var_os(NIXPKGS).filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(folder) = named else {
        return Ok(Err(format!("{NIXPKGS} names no folder with a flake of nixpkgs to evaluate with")));
    };
    if !folder.join("flake.nix").is_file() {
        bail!(
            "{NIXPKGS} names {}, which has no flake.nix: name the folder of a flake, or unset it",
            folder.display()
        );
    }
    Ok(Ok(folder))
}

/// How to get Nix, for a machine that lacks it.
pub(crate) const REMEDY: &str =
    "no nix on PATH: run the official installer, or name one elsewhere by STRONGROOM_NIX=.../bin/nix";

/// The oldest Nix that crane supports (its CHANGELOG, read 2026-11). 2.26.3 builds every output all the same.
const OLDEST_NIX: [u32; 3] = [2, 31, 2];

/// What to do with Nix.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Evaluates the flake, and builds its checks
    Check,
    /// Builds addons as a release builds them
    Build {
        /// Platforms, such as linux-x64-gnu, or js, or fast; this machine's platform where none is named
        platforms: Vec<String>,
        /// Builds each addon from its layers a second time, and fails where a byte differs
        #[arg(long)]
        rebuild: bool,
    },
    /// Shows on a copy of the checkout what an edit rebuilds, and whether C is compiled again
    Layers {
        /// Builds each edit as well, and tells the time that it takes
        #[arg(long)]
        build: bool,
    },
}

/// A Nix that can be called.
pub(crate) struct Nix {
    program: PathBuf,
    /// Its folder of configuration, where it is not the usual one.
    configuration: Option<PathBuf>,
    /// No binary cache: nixpkgs would have to be compiled from its roots up, so its stand-in takes its place.
    stand_in: bool,
}

impl Nix {
    /// The Nix that `STRONGROOM_NIX` names, or the one on `PATH`.
    pub(crate) fn find() -> Result<Option<Self>> {
        let (program, configuration) = match env::var_os("STRONGROOM_NIX").map(PathBuf::from) {
            Some(named) if !named.is_file() => {
                bail!("STRONGROOM_NIX names {}, which is no file: name the program nix", named.display())
            }
            Some(named) => {
                let prefix = named.ancestors().nth(2).map(|prefix| prefix.join("etc"));
                (named, prefix.filter(|folder| folder.join("nix.conf").is_file()))
            }
            None => match program("nix") {
                Some(found) => (found, None),
                None => return Ok(None),
            },
        };
        let configuration = configuration.filter(|_| env::var_os("NIX_CONF_DIR").is_none());
        let mut nix = Self { program, configuration, stand_in: false };
        static WARNED: Once = Once::new();
        let mut version = nix.command("nix");
        version.arg("--version");
        if let Some(warning) = too_old(&process::capture(version)?) {
            WARNED.call_once(|| eprintln!("warning: {warning}"));
        }
        nix.stand_in = match env::var("STRONGROOM_NIX_STAND_IN").as_deref() {
            Ok("1") => true,
            Ok("0") => false,
            Ok(other) => bail!("STRONGROOM_NIX_STAND_IN is `{other}`: set it to 1 or 0, or unset it"),
            Err(_) => {
                let mut show = nix.command("nix");
                show.args(["config", "show", "substituters"]);
                process::capture(show)?.trim().is_empty()
            }
        };
        Ok(Some(nix))
    }

    /// Whether nixpkgs' stand-in is used, which needs files in the store.
    pub(crate) fn uses_stand_in(&self) -> bool {
        self.stand_in
    }

    /// One of Nix's programs, which stand side by side.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = process::command(self.program.with_file_name(name));
        command.args(
            (name == "nix")
                .then_some(["--extra-experimental-features", "nix-command flakes"])
                .iter()
                .flatten(),
        );
        if let Some(folder) = &self.configuration {
            command.env("NIX_CONF_DIR", folder);
        }
        command
    }

    /// `nix <verb>` about this checkout's flake.
    pub(crate) fn flake(&self, workspace: &Workspace, verb: &[&str]) -> Command {
        let mut command = self.command("nix");
        command.args(verb).current_dir(workspace.root());
        if self.stand_in {
            let stand_in = workspace.root().join("nix/host-nixpkgs");
            command.args(["--no-write-lock-file", "--override-input", "nixpkgs"]);
            command.arg(format!("path:{}", stand_in.display()));
            // The stand-in's packages are the machine's own programs.
            command.args(["--option", "sandbox", "true", "--option", "sandbox-paths"]);
            command.arg("/bin /usr /lib /lib64 /etc/alternatives");
        }
        command
    }
}

/// Returns a warning if Nix is older than crane supports.
fn too_old(answer: &str) -> Option<String> {
    // `nix (Nix) 2.26.3`, `nix (Determinate Nix 3.6.2) 2.29.0`; a number for each part, `pre` and a date dropped.
    let version = answer.split_whitespace().next_back()?;
    let parts = version.split(['.', '+', '-']).map_while(|part| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<u32>().ok()
    });
    let parts: Vec<u32> = parts.collect();
    (!parts.is_empty() && parts.as_slice() < OLDEST_NIX.as_slice()).then(|| {
        let oldest = OLDEST_NIX.map(|part| part.to_string()).join(".");
        format!("nix is {version}, and crane asks for {oldest} or later; update it if an evaluation or a build fails")
    })
}

/// The flake of this checkout: what git tracks, so that target/ and node_modules/ are not copied.
pub(crate) fn flake(workspace: &Workspace) -> Result<String> {
    let root = workspace.root();
    if !root.join(".git").exists() {
        bail!(
            "{} is no git checkout, and Nix takes the files that git tracks: clone the repository",
            root.display()
        );
    }
    Ok(format!("git+file://{}", root.display()))
}

/// `cargo xtask nix ...`
pub(crate) fn nix(workspace: &Workspace, action: &Action) -> Result<Report> {
    let nix = Nix::find()?.context(REMEDY)?;
    let mut report = Report::default();
    let mut add = |name: String, result: &dyn Fn() -> Result<Tally>| {
        let started = Instant::now();
        let tally = result().unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Tally::failed(process::brief(&error))
        });
        report.add(&name, tally, started.elapsed());
    };
    match action {
        Action::Check => add("nix flake check".to_owned(), &|| check(workspace, &nix).map(Tally::passed)),
        Action::Layers { build } => return nix_layers::layers(workspace, &nix, *build),
        Action::Build { platforms, rebuild } => {
            let parts = match platforms.as_slice() {
                [] => vec![Part::Target(node_targets::host()?)],
                named => named.iter().map(|name| part(name)).collect::<Result<_>>()?,
            };
            for part in parts {
                add(format!("nix build {}", part.name()), &|| match part {
                    Part::Target(target) if !target.builds_on(&system()) => {
                        elsewhere(workspace, &nix, target)
                    }
                    Part::Target(target) => built_here(workspace, &nix, target, *rebuild),
                    Part::Other(name) => build_attribute(workspace, &nix, name).map(Tally::passed),
                });
            }
        }
    }
    Ok(report)
}

/// What `nix build` is asked for.
#[derive(Clone, Copy)]
enum Part {
    Target(&'static Target),
    /// `js` or `fast`
    Other(&'static str),
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Target(target) => &target.platform,
            Self::Other(name) => name,
        }
    }
}

/// This machine, as Nix names it.
pub(crate) fn system() -> String {
    let os = if env::consts::OS == "macos" { "darwin" } else { env::consts::OS };
    format!("{}-{os}", env::consts::ARCH)
}

fn built_here(workspace: &Workspace, nix: &Nix, target: &Target, rebuild: bool) -> Result<Tally> {
    let result = build_attribute(workspace, nix, &target.platform)?;
    let mut note = format!("{}, audited: {result}", origin(workspace, nix, &result)?);
    if nix.stand_in && target.toolchain == Toolchain::Cross {
        note.push_str(&format!(" ({MUSL_BY_ZIG})"));
    }
    if rebuild {
        build_again(workspace, nix, target)?;
        note.push_str("; a second build has the same bytes");
    }
    Ok(Tally::passed(note))
}

/// A caveat of builds with the placeholder for nixpkgs.
const MUSL_BY_ZIG: &str = "zig compiles musl's C in the place of nixpkgs' gcc, which was not tried";

/// Whether this machine built a result, or a binary cache had it.
fn origin(workspace: &Workspace, nix: &Nix, result: &str) -> Result<&'static str> {
    let mut query = nix.command("nix");
    query.args(["path-info", "--json"]).arg(workspace.root().join(result));
    let answer = process::capture(query)?;
    // By path: up to Nix 2.18 a list, an object since.
    let answer: serde_json::Value = serde_json::from_str(&answer).context("nix path-info printed no JSON")?;
    let info = answer.get(0).or_else(|| answer.as_object()?.values().next());
    let is_own = info.and_then(|info| info.get("ultimate")).and_then(serde_json::Value::as_bool);
    Ok(if is_own == Some(true) { "built here" } else { "from a binary cache" })
}

/// A target that this system cannot build: it is evaluated for the system that can.
fn elsewhere(workspace: &Workspace, nix: &Nix, target: &Target) -> Result<Tally> {
    let (platform, host) = (&target.platform, target.release_host());
    if target.toolchain == Toolchain::Msvc {
        bail!("{platform} is built outside Nix, on {host}: run `cargo xtask dist` there");
    }
    let mut eval = nix.flake(workspace, &["eval", "--raw"]);
    eval.arg(format!("{}#packages.{host}.node-bindings-{platform}.drvPath", flake(workspace)?));
    process::run(workspace, &format!("nix eval {platform}"), eval)?;
    Ok(Tally::skipped(format!("evaluated for {host}, which builds {platform}; not built here")))
}

/// The part of `node-bindings-<part>` that a name on the command line means.
fn part(name: &str) -> Result<Part> {
    Ok(match name {
        "js" => Part::Other("js"),
        "fast" => Part::Other("fast"),
        _ => Part::Target(Target::find(name).context("beside `js` and `fast`, the flake builds targets")?),
    })
}

/// Evaluates the flake for every system, and builds this one's checks.
pub(crate) fn check(workspace: &Workspace, nix: &Nix) -> Result<String> {
    let mut evaluate = nix.flake(workspace, &["flake", "check", "--no-build", "--all-systems"]);
    evaluate.arg(flake(workspace)?);
    process::run(workspace, "nix flake check of all systems", evaluate)?;
    let mut check = nix.flake(workspace, &["flake", "check"]);
    check.arg("--print-build-logs").arg(flake(workspace)?);
    process::run(workspace, "nix flake check", check)?;
    let built = format!("evaluated for every system; {}'s checks built here", system());
    Ok(match nix.stand_in {
        true => format!("{built}, with a placeholder for nixpkgs: {MUSL_BY_ZIG}"),
        false => built,
    })
}

/// Evaluates every output of every system with a flake in the place of nixpkgs. Returns the number of outputs.
pub(crate) fn evaluate_with(workspace: &Workspace, nix: &Nix, nixpkgs: &Path) -> Result<u32> {
    let mut evaluate = nix.command("nix");
    evaluate.args(["flake", "check", "--no-build", "--all-systems", "--no-write-lock-file"]);
    evaluate.args(["--override-input", "nixpkgs"]).arg(format!("path:{}", nixpkgs.display()));
    evaluate.arg(flake(workspace)?);
    let log = process::run(workspace, "nix flake check with nixpkgs", evaluate)?;
    let outputs = log.lines().filter(|line| line.starts_with("derivation evaluated to ")).count();
    anyhow::ensure!(outputs > 0, "nix evaluated no output with {}", nixpkgs.display());
    Ok(u32::try_from(outputs)?)
}

/// Builds a platform's audited addon; the file.
pub(crate) fn build(workspace: &Workspace, nix: &Nix, target: &Target) -> Result<PathBuf> {
    let result = build_attribute(workspace, nix, &target.platform)?;
    let addon = workspace.root().join(result).join(target.artifact_file());
    if !addon.is_file() {
        bail!("{} is not there, although nix built the derivation", addon.display());
    }
    Ok(addon)
}

/// Builds a platform's package from its layers a second time; fails if a byte of the addon or of its debug information differs.
pub(crate) fn build_again(workspace: &Workspace, nix: &Nix, target: &Target) -> Result<()> {
    let mut again = nix.flake(workspace, &["build", "--rebuild", "--no-link", "--print-build-logs"]);
    again.arg(format!("{}#node-bindings-{}.layers.package^*", flake(workspace)?, target.platform));
    process::run(workspace, &format!("nix build {target} again"), again).map(drop)
}

/// Builds the debug information of a platform's addon; the folder.
pub(crate) fn build_debug(workspace: &Workspace, nix: &Nix, target: &Target) -> Result<PathBuf> {
    let mut build = nix.flake(workspace, &["build", "--no-link", "--print-out-paths"]);
    build.arg(format!("{}#node-bindings-{}.debug", flake(workspace)?, target.platform));
    process::capture(build).map(PathBuf::from)
}

/// Builds the package's JavaScript; the folder.
pub(crate) fn build_javascript(workspace: &Workspace, nix: &Nix) -> Result<PathBuf> {
    Ok(workspace.root().join(build_attribute(workspace, nix, "js")?))
}

/// Builds `node-bindings-<part>`; the link to it.
fn build_attribute(workspace: &Workspace, nix: &Nix, part: &str) -> Result<String> {
    let result = format!("result-{part}");
    let mut build = nix.flake(workspace, &["build", "--print-build-logs", "--out-link", &result]);
    build.arg(format!("{}#node-bindings-{part}", flake(workspace)?));
    process::run(workspace, &format!("nix build {part}"), build)?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_platform_a_triple_or_what_is_no_platform() {
        for (name, expected) in [
            ("linux-x64-gnu", "linux-x64-gnu"),
            ("aarch64-unknown-linux-gnu", "linux-arm64-gnu"),
            ("js", "js"),
            ("fast", "fast"),
        ] {
            assert_eq!(part(name).unwrap().name(), expected);
        }
        let error = format!("{:#}", part("linux").map(Part::name).unwrap_err());
        assert!(error.contains("`js` and `fast`") && error.contains("linux-x64-musl"), "{error}");
    }

    #[test]
    fn a_nix_older_than_crane_asks_for_is_a_warning() {
        for old in [
            "nix (Nix) 2.26.3",
            "nix (Nix) 2.31",
            "nix (Determinate Nix 3.6.2) 2.29.0",
            "nix (Nix) 2.30pre20250521",
        ] {
            assert!(too_old(old).unwrap().contains("crane asks for 2.31.2"), "{old}");
        }
        for fine in [
            "nix (Nix) 2.31.2",
            "nix (Nix) 2.31.2+1",
            "nix (Lix, like Nix) 3.0.0",
            "nix (Nix) 2.32pre2",
            "",
            "nix",
        ] {
            assert_eq!(too_old(fine), None, "{fine}");
        }
    }
}
