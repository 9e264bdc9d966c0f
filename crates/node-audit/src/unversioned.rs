//! Determines the glibc that imports without a version need.

use std::collections::HashSet;

use crate::facts::{Facts, References};
use crate::limits::MAX_UNVERSIONED;
use crate::symbol_tables::{first_glibc, has_library};
use crate::version::Version;

/// Returns the newest glibc that the names without a version need when the addon is loaded, and the first such name.
///
/// The loader looks up functions during loading only if the addon binds them at that time.
pub(crate) fn unversioned_glibc(facts: &Facts) -> Option<(Version, &String)> {
    let elf = facts.elf()?;
    // Any other library may define the name.
    if !facts.libraries.iter().all(|library| has_library(library)) {
        return None;
    }
    let References { data, addresses, calls } = elf.references.as_ref()?;
    let calls = if elf.bind_now { calls.as_slice() } else { &[] };
    let versioned: HashSet<&String> = elf.version_needs.iter().flat_map(|need| &need.symbols).collect();
    let names = data.iter().chain(addresses).chain(calls).filter(|name| !versioned.contains(name));
    let own: HashSet<&String> = facts.exports.iter().collect();
    let names = names.filter(|name| !own.contains(name)).take(MAX_UNVERSIONED);
    let needs = names.filter_map(|name| Some((first_glibc(name, facts.cpu?)?, name)));
    needs.reduce(|newest, need| if need.0 > newest.0 { need } else { newest })
}
