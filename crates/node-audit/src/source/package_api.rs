//! Finds the newest Node-API version that the addons of a package need. All addons of a package share its engines.

use std::collections::HashMap;
use std::sync::Arc;

use crate::addon::Addon;
use crate::node_api;

/// Adds to each addon the newest Node-API version that an addon of its package needs.
pub(super) fn add(addons: &mut [Addon]) {
    let mut newest: HashMap<usize, usize> = HashMap::new();
    // An addon whose name has an ABI is only for the Node with this ABI.
    for addon in addons.iter().filter(|addon| addon.abi.is_none()) {
        let needed = addon.facts.iter().filter_map(node_api::needed).max();
        if let (Some(package), Some(needed)) = (package(addon), needed) {
            let known = newest.entry(package).or_insert(needed);
            *known = needed.max(*known);
        }
    }
    for addon in addons {
        addon.package_api = package(addon).and_then(|package| newest.get(&package)).copied();
    }
}

/// Returns a number that identifies the package of an addon.
fn package(addon: &Addon) -> Option<usize> {
    addon.package.as_ref().map(|package| Arc::as_ptr(package) as usize)
}
