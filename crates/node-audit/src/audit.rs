//! Audits addons and packages: reads them and checks them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::addon::Addon;
use crate::check::{check_addon, check_package};
use crate::claim::Claim;
use crate::damage::Damage;
use crate::error::AuditError;
use crate::facts::Facts;
use crate::finding::Report;
use crate::manifest::Manifest;
use crate::name_claims::NameClaims;
use crate::node_binding::NodeBinding;
use crate::policy::Policy;
use crate::printable::display_path;
use crate::readers::{read_facts, recognize};
use crate::rules::download;
use crate::source::{Given, Progress, Sources, read_file, read_given};

/// The result of an audit.
#[derive(Debug, Default)]
pub struct Audit {
    /// The packages that addons belong to, and the packages that should have an addon.
    pub packages: Vec<AuditedPackage>,
    /// The addons, in the order of the given paths, and sorted by path within each given path.
    pub files: Vec<Audited>,
    /// The files that could not be read. A file that is not a whole addon is in `files`, with a finding.
    pub failures: Vec<AuditError>,
}

/// A package, checked as a whole.
#[derive(Debug)]
pub struct AuditedPackage {
    /// The package.json.
    pub manifest: Arc<Manifest>,
    /// The findings about the whole package; the report's file is the package.json.
    pub report: Report,
    /// `true` if npm compiles the package's binding.gyp.
    pub(crate) has_gyp: bool,
    /// The script that downloads the addon when npm installs the package; None for an installed package.
    pub download: Option<String>,
}

/// An addon that was checked.
#[derive(Debug)]
pub struct Audited {
    /// The findings.
    pub report: Report,
    /// The addon.
    pub addon: Addon,
}

/// Audits .node files, folders and npm tarballs, several at a time.
pub fn audit_paths(paths: &[PathBuf], policy: &Policy, progress: &dyn Progress) -> Audit {
    let given: Vec<Given> = paths.iter().cloned().map(Given::Path).collect();
    audit_given(&given, policy, progress)
}

/// Audits paths, tarballs in memory and packages as npm packs them, several files at a time.
pub fn audit_given(given: &[Given], policy: &Policy, progress: &dyn Progress) -> Audit {
    let Sources { addons, packages, failures } = read_given(given, progress);
    let files = addons.into_par_iter().map(|addon| Audited::new(addon, policy)).collect();
    let packages = packages.iter().map(|package| AuditedPackage {
        manifest: Arc::clone(&package.manifest),
        report: check_package(package, policy),
        has_gyp: package.has_gyp(),
        download: download(package),
    });
    Audit { packages: packages.collect(), files, failures }
}

/// Audits one addon on disk.
///
/// The policy's platform applies if the policy names one. Otherwise the file's name, its folders and its package.json
/// claim the platform.
///
/// # Errors
/// The file or its package.json cannot be read, or the file is not an addon or is damaged.
pub fn audit(path: &Path, policy: &Policy) -> Result<Report, AuditError> {
    let mut addon = read_file(path)?;
    match addon.damage.take() {
        Some(damage) => Err(AuditError::Damaged { file: display_path(path), damage }),
        None => Ok(Audited::new(addon, policy).report),
    }
}

/// Audits the content of an addon; `path` is the file's name.
///
/// # Errors
/// The content is not an addon, or is damaged.
pub fn audit_bytes(path: &Path, content: &[u8], policy: &Policy) -> Result<Report, AuditError> {
    let facts = read_facts(path, content)?;
    Ok(Audited::new(named(path, facts), policy).report)
}

/// Audits the content of an addon; `path` is the file's name. Content that is not a whole addon yields a finding.
#[must_use]
pub fn audit_content(path: &Path, content: &[u8], policy: &Policy) -> Audit {
    let (facts, damage) = match recognize(content) {
        Ok(facts) => (facts, None),
        Err(damage) => (Vec::new(), Some(damage)),
    };
    let file = Audited::new(Addon { damage, ..named(path, facts) }, policy);
    Audit { files: vec![file], ..Audit::default() }
}

/// Returns an addon with a known name and content.
fn named(path: &Path, facts: Vec<Facts>) -> Addon {
    let claims = NameClaims::new(&path.to_string_lossy(), None);
    Addon {
        claim: claims.completed(&facts),
        abi: claims.abi.abi,
        binding: NodeBinding::of(&facts, claims.abi),
        ..Addon::unplaced(path.to_path_buf(), facts)
    }
}

impl Audit {
    /// Returns the reports of all addons, and of each package with a finding.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        let packages = self.packages.iter().map(|package| &package.report);
        let broken = packages.filter(|report| !report.findings.is_empty());
        broken.chain(self.files.iter().map(|file| &file.report)).cloned().collect()
    }

    /// Returns the files that are not whole addons, each with its damage.
    pub fn damaged(&self) -> impl Iterator<Item = (&str, &Damage)> {
        self.files.iter().filter_map(|file| Some((file.report.file.as_str(), file.addon.damage.as_ref()?)))
    }

    /// Returns whether a finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let packages = self.packages.iter().map(|package| &package.report);
        packages.chain(self.files.iter().map(|file| &file.report)).any(Report::has_errors)
    }
}

impl Audited {
    fn new(addon: Addon, policy: &Policy) -> Audited {
        let report = check_addon(&addon, policy.claim.as_ref().or(addon.claim.as_ref()), policy);
        Audited { report, addon }
    }

    /// Checks the addon for another platform, or with another policy.
    #[must_use]
    pub fn held_against(&self, claim: Option<&Claim>, policy: &Policy) -> Report {
        check_addon(&self.addon, claim, policy)
    }
}
