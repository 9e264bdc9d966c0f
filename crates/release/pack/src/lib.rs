//! Makes the npm packages of a release: checks artifacts, collects licences, writes a bill of materials, and packs
//! reproducible tarballs.
//!
//! The crate audits addons, wherever they were built, against this project's own policy, and packs them. The crate
//! knows neither toolchains nor runtimes: it compiles nothing and loads nothing.

#![forbid(unsafe_code)]
#![expect(clippy::missing_errors_doc, reason = "the command line prints every error to the user in one line")]

mod archive;
mod artifacts;
mod audit;
mod c_library;
mod component;
mod licences;
mod linked;
mod linker;
mod notices;
mod output;
mod package;
mod placeholder;
mod policy;
mod refusal;
mod sbom;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use comfy_table::Table;
use machine::{Progress, Workspace};
use node_targets::Target;

use artifacts::Artifacts;
use linked::{Crates, Linked};
use notices::Notices;
use output::Output;
use package::{Contents, Documents};

pub use audit::{NotToBeShipped, audit_addon, install_audited};
pub use licences::CARGO_ABOUT;
pub use placeholder::PlaceholderPackage;
pub use policy::policy;

/// The maximum size of a platform's tarball, in bytes: each user downloads one.
const MAX_PACKED: usize = 5_000_000;

/// The packages to make, and their folder.
#[derive(Debug, Default)]
pub struct Request {
    /// Folders with the artifacts, directly or up to three levels below.
    pub folders: Vec<PathBuf>,
    /// Platforms, by name or triple. An empty list means all platforms of targets.json.
    pub only: Vec<String>,
    /// Also makes one package with every addon inside.
    pub bundle: bool,
    /// The repository's URL for package.json.
    pub repository: Option<String>,
    /// The folder to create; by default `target/npm`.
    pub out: Option<PathBuf>,
}

/// The packages that were made.
#[derive(Debug)]
pub struct Packed {
    /// A row for each package.
    pub table: Table,
    /// The new folder.
    pub folder: PathBuf,
}

/// Checks the artifacts, packs them, and writes all packages or none.
pub fn pack(workspace: &Workspace, request: &Request) -> Result<Packed> {
    let folder = output::absent(&destination(workspace, request.out.as_deref())?, &request.folders)?;
    let targets = chosen(&request.only)?;
    let plan = Plan { request, targets: &targets, dependencies: &targets };
    let table = write(workspace, &plan, &folder)?;
    Ok(Packed { table, folder })
}

/// Packs one platform from `bindings/node/dist`, and the main package, which depends on every platform as in a release.
pub fn pack_one(workspace: &Workspace, target: &'static Target, folder: &Path) -> Result<()> {
    let request = Request { folders: vec![workspace.dist()], ..Request::default() };
    let all: Vec<&Target> = node_targets::targets().iter().collect();
    let plan = Plan { request: &request, targets: &[target], dependencies: &all };
    write(workspace, &plan, folder).map(drop)
}

/// A checked request.
struct Plan<'a> {
    request: &'a Request,
    /// The platforms to pack, in the order of targets.json.
    targets: &'a [&'static Target],
    /// The platforms that the main package depends on.
    dependencies: &'a [&'static Target],
}

fn write(workspace: &Workspace, plan: &Plan<'_>, folder: &Path) -> Result<Table> {
    let mut progress = Progress::start("pack");
    let output = assemble(workspace, plan, &mut progress);
    let written = output.and_then(|output| output.write(folder).map(|()| output.table()));
    progress.end(written.is_ok());
    written
}

/// Removes the packages that an earlier call wrote into the default folder.
pub fn remove_default(workspace: &Workspace) -> Result<()> {
    let folder = destination(workspace, None)?;
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Returns the named folder, or else one in the checkout's `target`.
fn destination(workspace: &Workspace, named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let target = workspace.root().join("target");
    fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
    Ok(target.join("npm"))
}

/// Returns the named targets in the order of the table, or all of them if none is named.
fn chosen(names: &[String]) -> Result<Vec<&'static Target>> {
    let named = names.iter().map(|name| Target::find(name)).collect::<Result<Vec<_>, _>>()?;
    let all = node_targets::targets().iter();
    Ok(all.filter(|target| named.is_empty() || named.contains(target)).collect())
}

/// Makes the content of every file in memory.
fn assemble(workspace: &Workspace, plan: &Plan<'_>, progress: &mut Progress) -> Result<Output> {
    let Plan { request, targets, dependencies } = *plan;
    let crates = Crates::read(workspace)?;
    let version = crates.version()?;
    progress.update("reading the artifacts");
    let artifacts = Artifacts::find(workspace, &request.folders, targets)?;
    audit::check(&artifacts, &version)?;
    let mut all = Linked::default();
    let mut platforms = Vec::new();
    for &target in targets {
        let mut linked = crates.linked(target)?;
        linked.add_linkers(&artifacts.addon(target)?.content);
        all.merge(&linked);
        platforms.push((target, linked));
    }
    progress.update("collecting licences");
    let notices = Notices::read(workspace)?;
    // Collects the notices first, so that one error lists the problems of all platforms.
    let release = Documents { notices: notices.of(&all)?, sbom: sbom::of_release(targets, &version, &all)? };
    let contents = Contents {
        workspace,
        version: &version,
        repository: request.repository.as_deref(),
        artifacts: &artifacts,
        standard_library: &notices.standard_library,
    };
    let mut output = Output::new(&version);
    let mut too_large = Vec::new();
    for (target, linked) in &platforms {
        progress.update(&format!("packing {target}"));
        let sbom = sbom::of_platform(target, &version, linked)?;
        let package = contents.platform(target, &Documents { notices: notices.of(linked)?, sbom })?;
        let size = output.add(&package)?;
        if size > MAX_PACKED {
            too_large.push(format!("{} has {size} bytes", package.name));
        }
    }
    if !too_large.is_empty() {
        bail!("a packed platform package may have at most {MAX_PACKED} bytes, but {}", too_large.join(", "));
    }
    output.add(&contents.main(dependencies, &release)?)?;
    if request.bundle {
        progress.update("packing the bundle");
        output.add(&contents.bundle(targets, &release)?)?;
    }
    output.document(format!("strongroom-{version}.cdx.json"), release.sbom);
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_packed_in_the_tables_order_whatever_the_order_of_their_names() {
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            chosen(&names)
                .map(|targets| targets.iter().map(|target| target.platform.as_str()).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap().len(), node_targets::targets().len());
        let twice = ["linux-arm64-musl", "x86_64-unknown-linux-gnu", "linux-x64-gnu"];
        assert_eq!(names(&twice).unwrap(), ["linux-x64-gnu", "linux-arm64-musl"]);
        assert!(names(&["linux-x86"]).unwrap_err().to_string().contains("known targets: linux-x64-gnu"));
    }
}
