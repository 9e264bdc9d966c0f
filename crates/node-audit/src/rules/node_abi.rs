//! Checks that the package has an addon for a Node that is in use.

use std::collections::BTreeSet;

use super::evidence::first_names;
use super::rule::{Check, Problem, Rule};
use crate::claim::Claim;
use crate::finding::Severity;
use crate::node_binding::{NodeBinding, releases};
use crate::package_contents::{PackageAddon, PackageContents};
use crate::platform::Platform;
use crate::wanted_nodes::WantedNodes;

pub(super) const RULE: Rule = Rule {
    id: "node-abi",
    asks: "a supported Node that package.json's engines allow loads the addons",
    severity: Severity::Error,
    stops_loading: true,
    explanation: "An addon that calls V8 (NAN, node.h) loads only in releases with its ABI, the NODE_MODULE_VERSION: \
        115 is Node 20. A package with one file for each ABI needs a new file for each new line of Node. If its newest \
        file is for an older Node, require() fails: was compiled against a different Node.js version using \
        NODE_MODULE_VERSION 102. Otherwise the loader finds no file, and npm tries to compile the addon. The ABI comes \
        from the entry point (node_register_module_v115), from the module that a constructor registers (nm_version), \
        or from the name (node.abi115.node, node-v115-linux-x64). The supported lines are Node 20, 22, 24 and 26, \
        without the lines that engines.node excludes. If engines.node excludes them all, the rule requires an addon \
        for one of the releases that engines.node allows. The rule ignores a file for an older ABI beside a file that \
        loads. The finding is a warning if only some platforms lack such an addon, or if all addons are for a recent \
        Electron, which has its own ABIs.\n\
        Build the addons for the supported releases, port them to Node-API, where one file serves all releases, or \
        narrow engines.node.",
    check: Check::Package(check),
};

fn check(package: &PackageContents) -> Vec<Problem> {
    let wanted = WantedNodes::of(package.manifest.node.as_deref());
    let Some(oldest) = wanted.oldest() else { return Vec::new() };
    let (unclaimed, claimed): (Vec<&PackageAddon>, Vec<&PackageAddon>) =
        package.addons.iter().partition(|addon| !addon.is_claimed);
    // An addon that names no platform is open to the loaders on all platforms.
    let is_loaded = |addon: &&PackageAddon| addon.binding.may_load(|line| wanted.contains(line));
    if package.addons.is_empty() || unclaimed.iter().any(is_loaded) {
        return Vec::new();
    }
    let claims = || claimed.iter().filter_map(|addon| Some((*addon, addon.claim.as_ref()?)));
    let platforms: BTreeSet<Platform> = claims().flat_map(|(_, claim)| claim.platforms()).collect();
    let loaded: Vec<&Claim> =
        claims().filter(|(addon, _)| is_loaded(addon)).map(|(_, claim)| claim).collect();
    let outside: Vec<Platform> = platforms
        .iter()
        .copied()
        .filter(|platform| !loaded.iter().any(|claim| claim.covers(*platform)))
        .collect();
    if outside.is_empty() && !loaded.is_empty() {
        return Vec::new();
    }
    let of_outside = claims().filter(|(_, claim)| outside.iter().any(|platform| claim.covers(*platform)));
    let addons: Vec<&PackageAddon> = of_outside.map(|(addon, _)| addon).chain(unclaimed).collect();
    let bindings: Vec<NodeBinding> = addons.iter().map(|addon| addon.binding).collect();
    let Some(releases) = releases(&bindings) else { return Vec::new() };
    let is_whole = loaded.is_empty();
    let is_for_electron = bindings.iter().any(|binding| binding.is_for_current_electron());
    let what = if is_whole {
        "the package's addons load".to_owned()
    } else {
        let names: Vec<String> = outside.iter().map(ToString::to_string).collect();
        format!("the addons for {} load", first_names(&names))
    };
    let mut paths: Vec<&str> = addons.iter().map(|addon| addon.path.as_str()).collect();
    paths.sort_unstable();
    let promise = package.manifest.node.as_deref();
    let promise =
        promise.map_or_else(|| "no engines.node".to_owned(), |range| format!("engines.node \"{range}\""));
    vec![Problem {
        severity: if is_whole && !is_for_electron { Severity::Error } else { Severity::Warning },
        message: format!(
            "{what} only in {releases}; Node {} is the oldest line that the package should support",
            oldest.major
        ),
        evidence: format!("{}; package.json has {promise}", first_names(&paths)),
        remedy: "build the addons for the supported releases of Node, or port them to Node-API, which needs one file for \
                 all releases"
            .to_owned(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_abi;
    use crate::node_binding::listed;

    #[test]
    fn the_explanation_names_the_supported_lines() {
        let lines: Vec<String> = node_abi::node_lines()
            .into_iter()
            .filter(|line| node_abi::is_supported(*line))
            .map(|line| line.major.to_string())
            .collect();
        let supported = format!("The supported lines are Node {}, without", listed(&lines));
        assert!(RULE.explanation.contains(&supported), "{supported}");
    }
}
