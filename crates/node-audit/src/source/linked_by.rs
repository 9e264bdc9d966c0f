//! Finds the files of a package that load an addon by its install name. macOS ignores this name when it loads the addon
//! itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::addon::Addon;
use crate::facts::Facts;
use crate::printable::display_path;

/// The names of the files that load a library, by package and library path.
type Users = HashMap<(usize, String), BTreeSet<String>>;

/// Adds to each addon the files of its package that load the addon by its install name.
pub(super) fn add(addons: &mut [Addon]) {
    let users = users(addons);
    for addon in addons.iter_mut().filter(|_| !users.is_empty()) {
        let Some(package) = package(addon) else { continue };
        let names = addon.facts.iter().filter_map(|facts| facts.macho()?.install_name.clone());
        let keys: BTreeSet<(usize, String)> = names.map(|name| (package, name)).collect();
        let own = display_path(&addon.path);
        let files = keys.iter().filter_map(|key| users.get(key)).flatten().filter(|file| **file != own);
        addon.linked_by = files.cloned().collect();
    }
}

fn users(addons: &[Addon]) -> Users {
    let mut users = Users::new();
    for addon in addons {
        let Some(package) = package(addon) else { continue };
        let mut note = |file: &str, facts: &Facts| {
            let dylibs = facts.macho().into_iter().flat_map(|macho| &macho.dylibs);
            // Other paths belong to the system, or are relative to the file that loads the library.
            for dylib in dylibs.filter(|dylib| is_of_a_build(&dylib.path)) {
                users.entry((package, dylib.path.clone())).or_default().insert(file.to_owned());
            }
        };
        let file = display_path(&addon.path);
        addon.facts.iter().for_each(|facts| note(&file, facts));
        for library in addon.libraries.iter().flatten() {
            library.parts.iter().flat_map(|parts| parts.iter()).for_each(|facts| note(&library.name, facts));
        }
    }
    users
}

fn is_of_a_build(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("/usr/lib/") && !path.starts_with("/System/")
}

/// Returns a number that identifies the package of an addon.
fn package(addon: &Addon) -> Option<usize> {
    addon.package.as_ref().map(|package| Arc::as_ptr(package) as usize)
}
