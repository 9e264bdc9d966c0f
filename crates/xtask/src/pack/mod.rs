//! `cargo xtask pack`: the npm packages, out of artifacts that were built anywhere.
//!
//! Everything is made in memory from checked artifacts, and written at the end, all of it or nothing. The same
//! artifacts make the same bytes.

mod archive;
mod artifacts;
mod check;
mod json;
mod licences;
mod linked;
mod linker;
mod output;
mod package;
mod policy;
mod refusal;
mod sbom;
mod stand_in;
mod vendored;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use node_targets::Target;

use crate::paths::Workspace;
use crate::progress::Progress;
use crate::report;
use artifacts::Artifacts;
use licences::Licences;
use linked::Linked;
use output::Output;
use package::Contents;
pub(crate) use policy::policy;
pub(crate) use stand_in::StandIn;

/// What npm users download for one platform, in bytes.
const PACKED_LIMIT: usize = 4_000_000;

/// What to pack, and to where.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folders with the artifacts, in them or below: bindings_node.PLATFORM.node and the compiled JavaScript
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Pack these platforms only; all of targets.json must be there otherwise
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    only: Vec<String>,
    /// Make an all-in-one package as well, for those who keep their dependencies in their own tree
    #[arg(long)]
    bundle: bool,
    /// The repository that package.json shall name, which `npm publish --provenance` compares
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// The folder to make, which must not exist; target/npm in the checkout otherwise
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// The main package names every platform's package, as in a release, though only some are packed
    #[arg(skip)]
    names_all: bool,
}

/// Checks, packs, writes, and says what was made.
pub(crate) fn pack(workspace: &Workspace, options: &Options) -> Result<()> {
    let out = output::absent(&destination(workspace, options.out.as_deref())?)?;
    output::outside(&out, &options.folders)?;
    let targets = chosen(&options.only)?;
    let mut progress = Progress::start("pack");
    match made(workspace, options, &targets, &mut progress).and_then(|output| {
        output.write(&out)?;
        Ok(output)
    }) {
        Ok(output) => {
            progress.succeed();
            report::print(&format!("{}\n{}\n", output.table(), workspace.shown(&out)))
        }
        Err(error) => {
            progress.fail();
            Err(error)
        }
    }
}

/// Seals the package of one platform, out of `bindings/node/dist`, and the main package as a release has it: it names
/// the packages of all platforms.
pub(crate) fn pack_one(workspace: &Workspace, target: &'static Target, out: &Path) -> Result<()> {
    let options = Options {
        folders: vec![workspace.dist()],
        only: vec![target.platform.clone()],
        bundle: false,
        repository: None,
        out: None,
        names_all: true,
    };
    let mut progress = Progress::start("pack");
    let written = made(workspace, &options, &[target], &mut progress).and_then(|output| output.write(out));
    if written.is_ok() {
        progress.succeed()
    } else {
        progress.fail()
    }
    written
}

/// The folder to make: the named one, or one in the checkout's `target`, which is there as soon as anything is built.
fn destination(workspace: &Workspace, named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let target = workspace.root().join("target");
    fs::create_dir_all(&target).with_context(|| format!("{} cannot be made", target.display()))?;
    Ok(target.join("npm"))
}

/// The targets that are named, in the order of the table; all of them where none is.
fn chosen(names: &[String]) -> Result<Vec<&'static Target>> {
    let named = names.iter().map(|name| Target::find(name)).collect::<Result<Vec<_>, _>>()?;
    let all = node_targets::targets().iter();
    Ok(all.filter(|target| named.is_empty() || named.contains(target)).collect())
}

/// Everything that is to be written.
fn made(
    workspace: &Workspace,
    options: &Options,
    targets: &[&'static Target],
    progress: &mut Progress,
) -> Result<Output> {
    let metadata = linked::metadata(workspace)?;
    let version = linked::version(&metadata)?;
    progress.update("looking at the artifacts");
    let artifacts = Artifacts::find(workspace, &options.folders, targets)?;
    check::check(&artifacts, &version)?;
    let mut all = Linked::default();
    let mut platforms = Vec::new();
    for &target in targets {
        progress.update(&format!("asking cargo what is linked for {target}"));
        let mut linked = Linked::of(workspace, &metadata, target)?;
        linked.add_linkers(&artifacts.addon(target)?.content)?;
        all.add(&linked);
        platforms.push((target, linked));
    }
    let licences = Licences::read(workspace)?;
    let contents = Contents {
        workspace,
        version: &version,
        repository: options.repository.as_deref(),
        artifacts: &artifacts,
    };
    let mut output = Output::new(&version);
    let mut too_large = Vec::new();
    for (target, linked) in &platforms {
        progress.update(&format!("packing {target}"));
        let package =
            contents.platform(target, &licences.of(linked)?, sbom::of_platform(target, &version, linked)?)?;
        let size = output.add(&package)?;
        if size > PACKED_LIMIT {
            too_large.push(format!("{} has {size} bytes", package.name));
        }
    }
    if !too_large.is_empty() {
        bail!("a platform package may have {PACKED_LIMIT} bytes when packed, but {}", too_large.join(", "));
    }
    let notices = licences.of(&all)?;
    let sbom = sbom::of_release(targets, &version, &all)?;
    let named = if options.names_all { &node_targets::targets().iter().collect::<Vec<_>>() } else { targets };
    output.add(&contents.main(named, &notices, sbom.clone())?)?;
    if options.bundle {
        progress.update("packing the bundle");
        output.add(&contents.bundle(targets, &notices, sbom.clone())?)?;
    }
    output.document(format!("strongroom-{version}.cdx.json"), sbom);
    output.finish().context("the manifest of the release")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_packed_in_the_order_of_the_table_however_they_are_named() {
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
