//! Knows the libraries that a system with musl has.

use std::iter::once;

use crate::facts::Facts;
use crate::library::Library;
use crate::platform::Libc;
use crate::policy::Policy;

/// The parts of the C library, by names without `lib`, that musl's loader provides itself (`reserved` in ldso/dynlink.c).
const RESERVED: [&str; 7] = ["c", "pthread", "rt", "m", "dl", "util", "xnet"];

/// Returns the first library that a system with musl lacks, and that an addon, or a library that comes with it, needs.
pub(crate) fn library_that_musl_lacks<'a>(
    facts: &'a Facts,
    loaded: &'a [Library],
    policy: &Policy,
) -> Option<&'a String> {
    let libraries = loaded.iter().filter_map(|library| library.part(facts.cpu));
    once(facts).chain(libraries).find_map(|facts| lacked_by_musl(facts, loaded, policy))
}

/// Returns the first library that a file needs and that musl's loader, a system with musl and the addon's package all
/// lack.
pub(super) fn lacked_by_musl<'a>(
    facts: &'a Facts,
    loaded: &[Library],
    policy: &Policy,
) -> Option<&'a String> {
    let comes_along = |library: &String| loaded.iter().any(|own| own.name == *library);
    facts.libraries.iter().find(|library| !musl_has(library, policy) && !comes_along(library))
}

/// Returns whether musl's loader provides a library itself, or a system with musl has it.
///
/// musl ignores the text after the reserved name, so it accepts `libc.so.6` and `libdl.so.3`.
pub(super) fn musl_has(library: &str, policy: &Policy) -> bool {
    let name = library.strip_prefix("lib").and_then(|rest| rest.split_once('.')).map(|(name, _)| name);
    name.is_some_and(|name| RESERVED.contains(&name)) || policy.allowed.on(Libc::Musl, library)
}
