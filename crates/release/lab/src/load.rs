//! Loads a package in real Nodes: each Node runs `bindings/node/test/smoke.cjs` on the package.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, ensure};
use build::Product;
use machine::report::{self, Tally};
use machine::{StepFailed, Workspace};
use serde::{Serialize, Serializer};

use crate::loadable_package::{LoadablePackage, built_products};
use crate::runtime::Runtime;

/// The result of loading a package into one Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadOutcome {
    /// The Node loaded and used the package.
    Loaded,
    /// The Node cannot start, for this reason.
    Skipped(String),
    /// The load failed, for this reason in one line. Standard error has the details.
    Failed(String),
}

/// A row of `cargo xtask load`: one addon in one Node.
#[derive(Debug, Serialize)]
pub struct LoadResult {
    platform: String,
    /// Node's version; `None` if no Node on this machine can load the addon.
    node: Option<String>,
    /// `glibc 2.31` or `musl`, on Linux only.
    libc: Option<String>,
    /// The Node and its system, such as `Node 22.23.3, glibc 2.31`.
    #[serde(skip)]
    pub runtime: Option<String>,
    /// The outcome, which serializes as the `status` text.
    #[serde(rename = "status")]
    pub outcome: LoadOutcome,
    /// The duration of the load.
    #[serde(skip)]
    pub elapsed: Duration,
}

/// Loads the named products, each of which must load. Without names, loads every product that is built.
///
/// # Errors
///
/// Fails for an unknown name. A package that does not load gives a failed result, not an error.
pub fn load(workspace: &Workspace, names: &[String]) -> Result<Vec<LoadResult>> {
    let products = match names {
        [] => built_products(workspace)?,
        names => names.iter().map(|name| Product::find(name)).collect::<Result<_>>()?,
    };
    let mut results: Vec<LoadResult> =
        products.iter().flat_map(|product| load_product(workspace, product)).collect();
    for LoadResult { outcome, .. } in &mut results {
        if !names.is_empty()
            && let LoadOutcome::Skipped(why) = outcome
        {
            *outcome = LoadOutcome::Failed(std::mem::take(why));
        }
    }
    Ok(results)
}

/// Loads a product into each Node for its target. Returns a single result if the product has no Node or no package.
#[must_use]
pub fn load_product(workspace: &Workspace, product: &Product) -> Vec<LoadResult> {
    try_load_product(workspace, product)
        .unwrap_or_else(|error| vec![LoadResult::new(product, None, LoadOutcome::failed(&error))])
}

fn try_load_product(workspace: &Workspace, product: &Product) -> Result<Vec<LoadResult>> {
    let runtimes = Runtime::of(workspace, product.target())?;
    if runtimes.is_empty() {
        let why = Runtime::unavailable(product.target())?;
        return Ok(vec![LoadResult::new(product, None, LoadOutcome::Skipped(why))]);
    }
    Ok(load_each(workspace, &runtimes, &LoadablePackage::built(workspace, product)?))
}

/// Loads a package into several Nodes. Returns the counts, with the failures and the names of the Nodes in the note. Nodes that
/// are skipped for the same reason count once.
#[must_use]
pub fn load_in(workspace: &Workspace, runtimes: &[Runtime], package: &LoadablePackage) -> Tally {
    let product = &package.product;
    let (mut tally, mut loaded) = (Tally::default(), Vec::new());
    for (runtime, result) in runtimes.iter().zip(load_each(workspace, runtimes, package)) {
        let node = runtime.name();
        match result.outcome {
            LoadOutcome::Loaded => loaded.push(node),
            LoadOutcome::Skipped(why) => tally.skipped.push(format!("{product}: {why}")),
            LoadOutcome::Failed(why) => {
                tally.merge(Tally::failed(format!("{product} FAILED in {node}: {why}")))
            }
        }
    }
    tally.skipped.dedup();
    if !loaded.is_empty() {
        let note = format!("{product} in {}", loaded.join("; "));
        tally.merge(Tally { passed: report::count(&loaded), note, ..Tally::default() });
    }
    tally
}

/// Loads a package into several Nodes one after another.
fn load_each(workspace: &Workspace, runtimes: &[Runtime], package: &LoadablePackage) -> Vec<LoadResult> {
    let load = |(runtime, missing): (&Runtime, Option<String>)| {
        let started = Instant::now();
        let outcome = match missing {
            Some(why) => LoadOutcome::Skipped(why),
            None => match smoke(workspace, runtime, package) {
                Ok(()) => LoadOutcome::Loaded,
                Err(error) => LoadOutcome::failed(&runtime.damage(workspace).unwrap_or(error)),
            },
        };
        LoadResult { elapsed: started.elapsed(), ..LoadResult::new(&package.product, Some(runtime), outcome) }
    };
    runtimes.iter().zip(Runtime::missing_each(workspace, runtimes)).map(load).collect()
}

/// Loads a package into one Node, and runs the smoke test on it.
pub fn smoke(workspace: &Workspace, runtime: &Runtime, package: &LoadablePackage) -> Result<()> {
    let product = &package.product;
    let mut node = runtime.command(workspace)?;
    node.arg(workspace.package().join("test/smoke.cjs")).arg(&package.folder);
    let output = workspace.run(&format!("load {product}, {}", runtime.name()), node)?;
    check_system(&output, runtime, product)
}

/// Fails unless the last line of a script's output names the Node and the C library of a runtime: a load on the wrong C
/// library proves nothing.
pub(crate) fn check_system(output: &str, runtime: &Runtime, product: &Product) -> Result<()> {
    let actual = output.lines().last().unwrap_or_default().trim_end();
    let system = runtime.libc.as_deref().unwrap_or(product.target().os.name());
    let expected = format!("Node {}, {system}", runtime.node);
    ensure!(actual == expected, "{product} loaded in `{actual}`, but `{expected}` was expected");
    Ok(())
}

impl LoadResult {
    /// Returns the row's name, such as `load linux-x64-gnu, Node 22.23.3, glibc 2.31`.
    #[must_use]
    pub fn name(&self) -> String {
        let runtime = self.runtime.as_ref().map(|runtime| format!(", {runtime}")).unwrap_or_default();
        format!("load {}{runtime}", self.platform)
    }

    fn new(product: &Product, runtime: Option<&Runtime>, outcome: LoadOutcome) -> Self {
        Self {
            platform: product.to_string(),
            node: runtime.map(|runtime| runtime.node.clone()),
            libc: runtime.and_then(|runtime| runtime.libc.clone()),
            runtime: runtime.map(Runtime::name),
            outcome,
            elapsed: Duration::ZERO,
        }
    }
}

impl LoadOutcome {
    /// Returns the outcome as a row of a report.
    #[must_use]
    pub fn tally(&self) -> Tally {
        match self {
            Self::Loaded => Tally::passed(""),
            Self::Skipped(why) => Tally::skipped(why),
            Self::Failed(why) => Tally::failed(why),
        }
    }

    /// Prints an error, and returns it as an outcome.
    fn failed(error: &Error) -> Self {
        eprintln!("error: {error:#}");
        // The loader's message has several lines, with each path that it tried and the remedy, but a cell has only one.
        let cell = error.downcast_ref::<StepFailed>().map(StepFailed::table_cell);
        Self::Failed(cell.unwrap_or_else(|| format!("{error:#}")))
    }
}

/// Writes `loaded`, `skipped: <why>` or `failed: <why>`.
impl fmt::Display for LoadOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded => f.write_str("loaded"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

impl Serialize for LoadOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use node_targets::Target;

    use super::*;
    use crate::loadable_package::Parts;
    use crate::pinned_node::LIST;
    use crate::runtime::NODES_NOT_INSTALLED;

    #[test]
    fn a_result_is_a_flat_object_with_a_status_text() {
        let outcomes = [
            LoadOutcome::Loaded,
            LoadOutcome::Failed("no such symbol".to_owned()),
            LoadOutcome::Skipped("no Node".to_owned()),
        ];
        let statuses = ["loaded", "failed: no such symbol", "skipped: no Node"];
        for (outcome, status) in outcomes.into_iter().zip(statuses) {
            let product = Product::own(Target::by_platform("linux-arm64-musl").unwrap());
            let alone = LoadResult::new(&product, None, outcome);
            assert_eq!(alone.name(), "load linux-arm64-musl");
            let result = LoadResult {
                node: Some("22.20.0".to_owned()),
                libc: Some("musl".to_owned()),
                runtime: Some("Node 22.20.0, musl".to_owned()),
                ..alone
            };
            let expected = serde_json::json!({
                "platform": "linux-arm64-musl", "node": "22.20.0", "libc": "musl", "status": status,
            });
            assert_eq!(serde_json::to_value(&result).unwrap(), expected);
            assert_eq!(result.name(), "load linux-arm64-musl, Node 22.20.0, musl");
        }
    }

    #[test]
    fn a_product_that_is_not_built_gives_one_failed_result() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join(LIST);
        fs::create_dir_all(list.parent().unwrap()).unwrap();
        fs::copy(Workspace::find().unwrap().root().join(LIST), list).unwrap();
        let host = node_targets::host().unwrap();
        let results = load(&Workspace::at(folder.path()), &[]).unwrap();
        let [result] = results.as_slice() else { panic!("{results:?}") };
        let remedy = format!("does not exist: run cargo xtask dist --target {host}");
        assert!(result.outcome.to_string().ends_with(&remedy), "{}", result.outcome);
        assert_eq!(result.node, None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn missing_nodes_are_skipped_for_one_reason() {
        let workspace = Workspace::find().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let product = Product::own(Target::by_platform("linux-x64-musl").unwrap());
        let runtimes = Runtime::of(&workspace, product.target()).unwrap();
        let runtimes: Vec<Runtime> = runtimes.into_iter().filter(|node| !node.is_on_path()).collect();
        let fresh = Workspace::at(folder.path());
        for file in [fresh.package().join("package.json"), fresh.dist().join("index.js")] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let addon = folder.path().join("a.node");
        fs::write(&addon, "").unwrap();
        let parts = Parts { addon: &addon, javascript: &fresh.dist() };
        let package = LoadablePackage::laid_out(&fresh, &product, &parts).unwrap();
        let results = load_each(&fresh, &runtimes, &package);
        assert_eq!(results.len(), runtimes.len());
        let skipped = LoadOutcome::Skipped(NODES_NOT_INSTALLED.to_owned());
        assert!(results.iter().all(|result| result.outcome == skipped), "{results:?}");
        let tally = load_in(&fresh, &runtimes, &package);
        assert_eq!(tally, Tally::skipped(format!("linux-x64-musl: {NODES_NOT_INSTALLED}")));
    }

    #[test]
    fn a_named_product_without_a_node_fails() {
        let foreign = if cfg!(target_os = "macos") { "win32-x64-msvc" } else { "darwin-arm64" };
        let workspace = Workspace::find().unwrap();
        let results = load(&workspace, &[foreign.to_owned()]).unwrap();
        let [result] = results.as_slice() else { panic!("{results:?}") };
        assert!(
            matches!(&result.outcome, LoadOutcome::Failed(why) if why.starts_with(foreign)),
            "{result:?}"
        );
        let error = load(&workspace, &["amiga".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("unknown target `amiga`"), "{error}");
    }
}
