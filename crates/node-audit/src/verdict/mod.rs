//! Verdicts: one line that says where a package loads, where it does not load, and why.
//!
//! A verdict combines the facts and findings of all addons of a package. The addons that load somewhere give the
//! systems, with the oldest release of each, the processors and the releases of Node (`part`, `nodes`). An error of a
//! load-blocking rule gives a platform on which an addon does not load (`sentence`).

mod nodes;
mod part;
mod sentence;
mod system;

use std::collections::BTreeSet;

use crate::audit::{Audit, AuditedPackage};
use crate::audit_view::{View, views};
use crate::finding::{Finding, Severity};
use crate::limits::MAX_VERDICT_LIBRARIES;
use crate::platform::Libc;
use crate::platform_package::PlatformPackage;
use crate::policy::Policy;
use crate::reason::{NO_OWN_ADDON, NOT_INSTALLED, NPM_RUNS, PROMISES_MORE, missing_library};
use part::{Part, parts};

/// The verdict on a package, or on an addon that belongs to no audited package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageVerdict {
    /// `name@version`, or the addon's path.
    pub name: String,
    /// The verdict, as a clause: `loads on glibc 2.34 and later, Node 12.22 and later, x64; not on Alpine`.
    pub text: String,
}

/// Returns the verdict on each package, and on each addon without a package; `audit` is the result of
/// [`crate::audit_paths`] for this policy.
#[must_use]
pub fn verdicts(audit: &Audit, policy: &Policy) -> Vec<PackageVerdict> {
    let views = views(audit);
    let titles: Vec<String> = views.iter().map(View::title).collect();
    let verdict = |(view, title): (&View<'_>, &String)| {
        // A node_modules may contain a package several times.
        let is_repeated = titles.iter().filter(|other| *other == title).count() > 1;
        let name = match (is_repeated, view.folder()) {
            (true, folder) if !folder.is_empty() => format!("{title} ({folder})"),
            _ => title.clone(),
        };
        PackageVerdict { name, text: text(view, policy) }
    };
    views.iter().zip(&titles).map(verdict).collect()
}

fn text(view: &View<'_>, policy: &Policy) -> String {
    let parts: Vec<Part<'_>> = view.files.iter().flat_map(|file| parts(file, policy)).collect();
    let mut clauses = match (parts.is_empty(), view.package) {
        (true, Some(package)) => vec![without_addon(package)],
        (true, None) => Vec::new(),
        (false, _) => sentence::clauses(&parts, libc_of_name(view), policy),
    };
    clauses.extend(foreign_libraries(view));
    clauses.extend(view.package.into_iter().flat_map(promises));
    clauses.extend(view.package.and_then(no_wanted_node));
    let download = view.package.and_then(|package| package.download.as_ref());
    if !parts.is_empty() && download.is_some() {
        clauses.push("npm may download another addon when it installs the package".to_owned());
    }
    clauses.join("; ")
}

/// Returns the C library that the name before the verdict claims: the name of the package, or of an addon alone.
fn libc_of_name(view: &View<'_>) -> Option<Libc> {
    match (view.package, view.files.as_slice()) {
        (Some(package), _) => PlatformPackage::by_name(package.manifest.name.as_deref()?)?.claim.libc,
        (None, [file]) => file.addon.claim.as_ref()?.libc,
        (None, _) => None,
    }
}

/// Returns the clause about libraries that only another package or some systems have.
fn foreign_libraries(view: &View<'_>) -> Option<String> {
    let warnings = view.findings().filter(|finding| finding.severity == Severity::Warning);
    let libraries: BTreeSet<&str> =
        warnings.filter_map(|finding| missing_library(finding.rule, &finding.message)).collect();
    let names: Vec<&str> = libraries.iter().take(MAX_VERDICT_LIBRARIES).copied().collect();
    let more = match libraries.len().saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more libraries"),
    };
    (!names.is_empty()).then(|| format!("needs {}{more}, which not all systems have", names.join(", ")))
}

/// Returns the clause about a package without an addon.
fn without_addon(package: &AuditedPackage) -> String {
    let mut messages = package.report.findings.iter().map(|finding| finding.message.as_str());
    // `the package has no addon itself; package.json lists packages for linux-x64-gnu, darwin-arm64`
    let listed = messages.clone().find_map(|message| message.strip_prefix(NO_OWN_ADDON));
    if let Some(listed) = listed {
        return format!("contains no addon: {listed}");
    }
    // `npm runs node-gyp when it installs the package; node-gyp compiles the addon`
    match messages.find(|message| message.starts_with(NPM_RUNS)) {
        Some(message) => format!("contains no addon: {}", message.split("; ").next().unwrap_or(message)),
        None => "contains no addon".to_owned(),
    }
}

/// Returns the clause about a package whose addons all need an unsupported release of Node.
fn no_wanted_node(package: &AuditedPackage) -> Option<String> {
    let is_it = |finding: &&Finding| finding.rule == "node-abi" && finding.severity == Severity::Error;
    let finding = package.report.findings.iter().find(is_it)?;
    // `the package's addons load only in Node 16; Node 20 is the oldest line that the package should support`
    Some(finding.message.rsplit("; ").next()?.to_owned())
}

/// Returns the clauses about promises in package.json that the addons break.
fn promises(package: &AuditedPackage) -> impl Iterator<Item = String> {
    package.report.findings.iter().filter_map(|finding| {
        let (evidence, rest) = finding.evidence.split_once("; package.json has ")?;
        match finding.message.as_str() {
            PROMISES_MORE => {
                let platforms = evidence.strip_prefix("no addon for ").unwrap_or(evidence);
                Some(format!("package.json promises {platforms}, for which the package has no addon"))
            }
            NOT_INSTALLED => Some(format!(
                "npm does not install the package on every platform of its addons: package.json has {rest}"
            )),
            _ => None,
        }
    })
}
