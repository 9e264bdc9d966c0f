//! Checks that a platform package for glibc has the field `libc`.

use super::rule::Problem;
use crate::finding::Severity;
use crate::manifest::Manifest;
use crate::package_contents::PackageContents;
use crate::platform::{Libc, Os};

/// Returns the problem with a package for Linux whose only addon is linked to glibc, and whose package.json lacks `libc`.
///
/// A package with several addons has a loader that chooses among them.
pub(super) fn check(package: &PackageContents) -> Option<Problem> {
    let [addon] = package.addons.as_slice() else { return None };
    let manifest = &package.manifest;
    if !lacks_libc(manifest) || addon.linked != Some(Libc::Glibc) {
        return None;
    }
    Some(Problem {
        severity: Severity::Warning,
        message: "package.json has no libc, so the package is installed on Alpine as well, but its addon is linked to glibc"
            .to_owned(),
        evidence: format!("{} is linked to glibc; package.json has os linux, and no libc", addon.path),
        remedy: "set \"libc\": [\"glibc\"] in package.json: npm, pnpm and Yarn (3.2 and later) then skip the package on \
                 Alpine, and older versions ignore the field"
            .to_owned(),
    })
}

/// Returns whether a package.json is for Linux alone and lacks `libc`.
pub(crate) fn lacks_libc(manifest: &Manifest) -> bool {
    matches!(manifest.os.as_slice(), [os] if os == Os::Linux.name()) && manifest.libc.is_empty()
}
