//! Exchanges files in the Strongroom format between machines: each machine writes files, and each reads the files of all.
//!
//! `bindings/node/test/exchange.cjs` writes and reads the files in the Node of each machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use build::Product;
use machine::report::{self, Tally};
use machine::{StepFailed, Workspace};

use crate::load::check_system;
use crate::loadable_package::LoadablePackage;
use crate::runtime::Runtime;

/// A machine that takes part: an addon in one Node.
struct Machine {
    runtime: Runtime,
    package: LoadablePackage,
    /// The folder with the files that this machine writes.
    folder: PathBuf,
}

/// Writes files on each machine, and reads all files on each machine. Each pair of a writer and a reader counts as one
/// check.
///
/// A product runs in the newest Node for it, and this machine's own product in the Node on `PATH`. A product without an
/// installed Node is skipped.
///
/// # Errors
///
/// Fails if a product is not built, or if the files cannot be written anywhere.
pub fn exchange(workspace: &Workspace, products: &[Product]) -> Result<Tally> {
    let scratch = workspace.scratch()?;
    let mut tally = Tally::default();
    let mut machines = Vec::new();
    for product in products {
        match Machine::of(workspace, product, scratch.path())? {
            Ok(machine) => machines.push(machine),
            Err(why) => tally.skipped.push(format!("{product}: {why}")),
        }
    }
    tally.skipped.dedup();
    // A machine that cannot write its files can still read the files of the others.
    let (mut folders, mut writers) = (Vec::new(), Vec::new());
    for machine in &machines {
        match machine.run(workspace, "write", &[&machine.folder]) {
            Ok(()) => {
                folders.push(machine.folder.as_path());
                writers.push(machine.package.product.to_string());
            }
            Err(error) => tally.merge(machine.failed("write", &error)),
        }
    }
    if machines.len() < 2 {
        tally
            .skipped
            .push("an exchange requires the addons of two platforms, and a Node for each".to_owned());
        return Ok(tally);
    }
    let mut readers = Vec::new();
    for machine in &machines {
        match machine.run(workspace, "read", &folders) {
            Ok(()) => readers.push(machine.name()),
            Err(error) => tally.merge(machine.failed("read", &error)),
        }
    }
    let pairs = report::count(&readers) * report::count(&writers);
    if pairs > 0 {
        let note = format!("files of {} read by {}", writers.join(", "), readers.join("; "));
        tally.merge(Tally { passed: pairs, note, ..Tally::default() });
    }
    Ok(tally)
}

impl Machine {
    /// Returns the machine that runs a product, or the reason why its Node cannot start.
    fn of(workspace: &Workspace, product: &Product, scratch: &Path) -> Result<Result<Self, String>> {
        let mut runtimes = Runtime::of(workspace, product.target())?;
        if runtimes.first().is_some_and(Runtime::is_on_path) {
            runtimes.truncate(1);
        }
        let Some(runtime) = runtimes.pop() else { return Ok(Err(Runtime::unavailable(product.target())?)) };
        if let Some(why) = runtime.missing(workspace) {
            return Ok(Err(why));
        }
        let package = LoadablePackage::built(workspace, product)?;
        Ok(Ok(Self { runtime, package, folder: scratch.join(product.to_string()) }))
    }

    /// Runs the script, which fails if a file differs from what its writer wrote.
    fn run(&self, workspace: &Workspace, mode: &str, folders: &[&Path]) -> Result<()> {
        ensure!(!folders.is_empty(), "no machine has written files");
        let mut node = self.runtime.command(workspace)?;
        node.arg(workspace.package().join("test/exchange.cjs")).arg(&self.package.folder).arg(mode);
        node.args(folders.iter().map(OsString::from));
        let output = workspace.run(&format!("{mode} files, {}", self.name()), node)?;
        check_system(&output, &self.runtime, &self.package.product)
    }

    /// Prints an error, and counts it as a failed check.
    fn failed(&self, mode: &str, error: &anyhow::Error) -> Tally {
        eprintln!("error: {error:#}");
        let why = error.downcast_ref::<StepFailed>().map(StepFailed::table_cell);
        let why = why.unwrap_or_else(|| format!("{error:#}"));
        Tally::failed(format!("{} cannot {mode} files: {why}", self.name()))
    }

    /// Returns the name, such as `linux-arm64-gnu in Node 24.22.0, glibc 2.36`.
    fn name(&self) -> String {
        format!("{} in {}", self.package.product, self.runtime.name())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use node_targets::Target;

    use super::*;
    use crate::pinned_node::LIST;

    /// A workspace without tools, with the list of Nodes.
    #[cfg(target_os = "linux")]
    #[test]
    fn machines_without_a_node_are_skipped_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let list = folder.path().join(LIST);
        fs::create_dir_all(list.parent().unwrap()).unwrap();
        fs::copy(Workspace::find().unwrap().root().join(LIST), list).unwrap();
        let foreign = node_targets::targets()
            .iter()
            .filter(|target| target.libc.is_some() && *target != node_targets::host().unwrap());
        let products: Vec<Product> = foreign.map(Product::own).collect();
        let tally = exchange(&workspace, &products).unwrap();
        assert_eq!((tally.passed, tally.failed), (0, 0));
        assert_eq!(tally.skipped.len(), products.len() + 1, "{:?}", tally.skipped);
        assert!(tally.skipped[0].contains("cargo xtask setup"), "{:?}", tally.skipped);
        let mac = Product::own(Target::by_platform("darwin-arm64").unwrap());
        let skipped = exchange(&workspace, &[mac]).unwrap().skipped;
        assert!(skipped[0].starts_with("darwin-arm64: darwin-arm64 cannot be loaded"), "{skipped:?}");
    }
}
