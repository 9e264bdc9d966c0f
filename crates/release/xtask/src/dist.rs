//! `cargo xtask dist`: builds release addons, audits and loads them, and runs the quickstart.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use build::{Built, Product};
use clap::Args;
use lab::{LoadOutcome, LoadResult};
use machine::{Workspace, one_line, prerequisites, report, rust_std};
use node_targets::{Os, Target};
use pack::NotToBeShipped;

/// A cell of the table without a value.
const NONE: &str = "-";

/// The platforms to build.
#[derive(Args)]
pub(crate) struct Options {
    /// Builds every platform; only Windows builds the platforms of win32, and other systems type-check their code
    #[arg(long, conflicts_with = "target")]
    all: bool,
    /// Builds the platform with this name or Rust triple; may be repeated
    #[arg(long, value_name = "PLATFORM")]
    target: Vec<String>,
}

/// The remaining work for a platform.
enum Plan {
    /// Build this product.
    Build(Product),
    /// No work remains: the type check failed, or passed on a machine that cannot build the product.
    Done(PlatformRow),
}

/// A platform in the table.
struct PlatformRow {
    platform: &'static Target,
    /// The compiler, the library's size, the build time, and the audit's result.
    cells: [String; 4],
    /// A line for each Node: its name if it loaded the addon, or else the reason why it did not.
    loaded: Vec<String>,
    /// `true` if the addon is in `bindings/node/dist`.
    shipped: bool,
    failed: bool,
}

/// Builds the platforms, and prints a row for each. Returns whether nothing failed.
pub(crate) fn dist(workspace: &Workspace, options: &Options) -> Result<bool> {
    let host = node_targets::host()?;
    let platforms = chosen(options, host)?;
    prerequisites::check()?;
    let triples: Vec<&str> = platforms.iter().map(|platform| platform.triple.as_str()).collect();
    rust_std::install(workspace, &triples)?;
    build::javascript(workspace)?;
    let rows = rows(workspace, &platforms);
    let mut text = table(workspace, &rows);
    let mut succeeded = !rows.iter().any(|row| row.failed);
    if rows.iter().any(|row| row.platform == host && !row.failed) {
        match lab::quickstart(workspace) {
            Ok(output) => text = format!("{}\n{text}", output.trim_end()),
            Err(error) => {
                report::print_error(&error);
                succeeded = false;
            }
        }
    }
    report::print(&text)?;
    Ok(succeeded)
}

/// Returns the platforms in the order of the command line, each once.
fn chosen(options: &Options, host: &'static Target) -> Result<Vec<&'static Target>> {
    if options.all {
        return Ok(node_targets::targets().iter().collect());
    }
    let mut platforms: Vec<&Target> = Vec::new();
    for name in &options.target {
        let platform = Target::find(name)?;
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    if platforms.is_empty() {
        platforms.push(host);
    }
    Ok(platforms)
}

/// Builds all platforms, then audits and loads one after another. Prints a failure at once, adds it to the table, and
/// continues with the next platform.
fn rows(workspace: &Workspace, platforms: &[&'static Target]) -> Vec<PlatformRow> {
    let plans: Vec<Plan> = platforms.iter().map(|platform| plan(workspace, platform)).collect();
    let products = plans.iter().filter_map(|plan| match plan {
        Plan::Build(product) => Some(product.clone()),
        Plan::Done(_) => None,
    });
    let mut built = build::build(workspace, &products.collect::<Vec<_>>()).into_iter();
    let no_result =
        "the build returned no result for this platform: report this as a bug in crates/release/build";
    let mut next_row = || built_row(workspace, &built.next().context(no_result)??);
    let row = |plan| match plan {
        Plan::Build(product) => next_row().unwrap_or_else(|error| failed_row(product.platform(), &error)),
        Plan::Done(row) => row,
    };
    plans.into_iter().map(row).collect()
}

fn plan(workspace: &Workspace, platform: &'static Target) -> Plan {
    let product = Product::here(platform);
    let started = Instant::now();
    match product.check(workspace) {
        Ok(None) => Plan::Build(product),
        Ok(Some(why)) => {
            let cells = ["type-checked only", NONE, &seconds(started.elapsed()), NONE].map(str::to_owned);
            let loaded = vec![format!("skipped: {why}")];
            Plan::Done(PlatformRow { platform, cells, loaded, shipped: false, failed: false })
        }
        Err(error) => Plan::Done(failed_row(platform, &error)),
    }
}

/// Audits and loads a built addon.
fn built_row(workspace: &Workspace, built: &Built) -> Result<PlatformRow> {
    let product = &built.product;
    let platform = product.platform();
    let size = built.size()?;
    let time = built.elapsed.map_or_else(|| "up to date".to_owned(), seconds);
    let cells = |audit: &str| [built.toolchain.to_owned(), megabytes(size), time.clone(), audit.to_owned()];
    Ok(match pack::install_audited(workspace, built) {
        Ok(audit) => {
            let (mut loaded, failed) = load(workspace, product);
            if product.is_proxy() {
                loaded.push(format!("loaded {product}; Windows builds the shipped addon"));
            }
            PlatformRow { platform, cells: cells(&audit), loaded, shipped: !product.is_proxy(), failed }
        }
        Err(error) => {
            let line = report::print_error(&error);
            let audit = if error.is::<NotToBeShipped>() { "FAILED" } else { NONE };
            let loaded = vec![format!("not loaded: {}", line.trim_end_matches(':'))];
            PlatformRow { platform, cells: cells(audit), loaded, shipped: false, failed: true }
        }
    })
}

/// Loads a product into each Node of its platform. Returns a line for each Node, and whether any failed.
fn load(workspace: &Workspace, product: &Product) -> (Vec<String>, bool) {
    let results = lab::load_product(workspace, product);
    let failed = results.iter().any(|result| matches!(result.outcome, LoadOutcome::Failed(_)));
    let line = |LoadResult { runtime, outcome, .. }: LoadResult| match (outcome, runtime) {
        (LoadOutcome::Loaded, runtime) => runtime.unwrap_or_default(),
        (LoadOutcome::Skipped(why), _) => format!("skipped: {why}"),
        (LoadOutcome::Failed(why), Some(runtime)) => format!("FAILED in {runtime}: {why}"),
        (LoadOutcome::Failed(why), None) => format!("FAILED: {why}"),
    };
    let mut lines: Vec<String> = results.into_iter().map(line).collect();
    // Before `cargo xtask setup`, every pinned Node is skipped for the same reason.
    lines.dedup();
    (lines, failed)
}

fn failed_row(platform: &'static Target, error: &anyhow::Error) -> PlatformRow {
    eprintln!("error: {platform}: {error:#}");
    let loaded = vec![format!("FAILED: {}", one_line(error))];
    PlatformRow { platform, cells: [NONE; 4].map(str::to_owned), loaded, shipped: false, failed: true }
}

/// Returns the table, followed by the written files.
fn table(workspace: &Workspace, rows: &[PlatformRow]) -> String {
    let mut table = report::table(["platform", "toolchain", "floor", "size", "time", "audit", "loaded in"]);
    let mut files = String::new();
    for PlatformRow { platform, cells, loaded, shipped, .. } in rows {
        let [toolchain, size, time, audit] = cells;
        let (floor, loaded) = (floor(platform), loaded.join("\n"));
        table.add_row([&platform.platform, toolchain, &floor, size, time, audit, &loaded]);
        if *shipped {
            files += &format!("{}\n", workspace.relative(&Product::own(platform).path(workspace)));
        }
    }
    format!("{table}\n{files}")
}

fn floor(platform: &Target) -> String {
    let system = match platform.os {
        Os::Linux => "glibc",
        Os::Darwin => "macOS",
        Os::Win32 => "Windows",
    };
    platform.floor.map_or_else(|| NONE.to_owned(), |floor| format!("{system} {floor}"))
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.0} s", elapsed.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(platforms: &[&str]) -> Result<Vec<&'static str>> {
        let options = Options { all: false, target: platforms.iter().map(|&name| name.to_owned()).collect() };
        let platforms = chosen(&options, Target::by_platform("linux-x64-gnu").unwrap())?;
        Ok(platforms.into_iter().map(|platform| platform.platform.as_str()).collect())
    }

    #[test]
    fn a_platform_is_found_by_either_name_and_built_once() {
        let both = ["linux-arm64-musl", "aarch64-apple-darwin", "aarch64-unknown-linux-musl"];
        assert_eq!(named(&both).unwrap(), ["linux-arm64-musl", "darwin-arm64"]);
        assert_eq!(named(&[]).unwrap(), ["linux-x64-gnu"]);
        let error = named(&["linux-x64"]).unwrap_err().to_string();
        assert!(error.starts_with("unknown target `linux-x64`; known targets: linux-x64-gnu ("), "{error}");
        let all = Options { all: true, target: Vec::new() };
        let all = chosen(&all, node_targets::host().unwrap()).unwrap();
        assert_eq!(all.len(), node_targets::targets().len());
    }

    #[test]
    fn the_table_has_a_row_for_each_platform_and_the_files_that_were_built() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let built = PlatformRow {
            platform: Target::by_platform("darwin-x64").unwrap(),
            cells: ["zig", "6.1 MB", "70 s", "clean"].map(str::to_owned),
            loaded: vec!["skipped: no Mac".to_owned()],
            shipped: true,
            failed: false,
        };
        let broken = failed_row(Target::by_platform("linux-x64-musl").unwrap(), &anyhow::anyhow!("no zig"));
        assert!(broken.failed);
        let text = table(&workspace, &[built, broken]);
        let row = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(row("darwin-x64 ").contains("macOS 10.15") && row("darwin-x64 ").contains("skipped: no Mac"));
        assert!(row("linux-x64-musl ").contains("FAILED: no zig"), "{text}");
        assert!(text.ends_with("\nbindings/node/dist/bindings_node.darwin-x64.node\n"), "{text}");
    }
}
