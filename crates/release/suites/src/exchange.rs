//! The exchange of files in the Strongroom format between this machine, emulated processors, and Wine.

use anyhow::Result;
use build::Product;
use machine::report::Tally;
use machine::{Workspace, prerequisites, rust_std};
use node_targets::Target;

/// Builds the addon of this machine, and of each other processor or system that this machine imitates. Lets each addon
/// write files and read the files of all.
pub(crate) fn exchange(workspace: &Workspace) -> Result<Tally> {
    if !cfg!(target_os = "linux") {
        return Ok(Tally::skipped("only Linux runs the addons of other platforms"));
    }
    prerequisites::check()?;
    build::javascript(workspace)?;
    let host = node_targets::host()?;
    let mut tally = Tally::default();
    let mut products = Vec::new();
    for product in partners(host) {
        match missing(workspace, &product)? {
            Some(why) => tally.skipped.push(format!("{product}: {why}")),
            None => products.push(product),
        }
    }
    for built in build::build(workspace, &products) {
        pack::install_audited(workspace, &built?)?;
    }
    tally.merge(lab::exchange(workspace, &products)?);
    Ok(tally)
}

/// Returns this machine's product, and the products with another processor or system that run on this machine.
fn partners(host: &'static Target) -> Vec<Product> {
    let other = |target: &&Target| (target.os, target.cpu) != (host.os, host.cpu);
    let others = node_targets::targets().iter().filter(other).map(Product::here);
    let others = others.filter(|product| match product.is_proxy() {
        true => product.target().cpu == host.cpu,
        false => product.target().os == host.os,
    });
    [Product::own(host)].into_iter().chain(others).collect()
}

/// Returns a message if the machine lacks a tool that builds a product.
fn missing(workspace: &Workspace, product: &Product) -> Result<Option<String>> {
    if product.is_proxy() {
        return product.check(workspace);
    }
    let triple = &product.target().triple;
    let is_installed = rust_std::is_installed(workspace, triple)?;
    let why = || format!("Rust's standard library for {triple} is not installed: run cargo xtask setup");
    Ok((!is_installed).then(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partners_have_other_processors_or_systems() {
        let names = |host: &str| {
            let partners = partners(Target::by_platform(host).unwrap());
            partners.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let x64 = names("linux-x64-gnu");
        assert_eq!(x64[..3], ["linux-x64-gnu", "linux-arm64-gnu", "linux-arm64-musl"]);
        // The proxy replaces the addon that only Windows builds.
        assert_eq!(x64[3..], if cfg!(windows) { vec![] } else { vec!["win32-x64-gnu"] });
        assert_eq!(names("linux-arm64-musl"), ["linux-arm64-musl", "linux-x64-gnu", "linux-x64-musl"]);
    }
}
