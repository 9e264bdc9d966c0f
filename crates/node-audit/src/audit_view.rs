//! An audit grouped by package: each package with its addons, and each addon that belongs to no audited package.

use std::collections::HashMap;
use std::sync::Arc;

use crate::audit::{Audit, Audited, AuditedPackage};
use crate::finding::Finding;

/// A package with its addons, or an addon alone.
pub(crate) struct View<'a> {
    /// The package, if the whole package was audited.
    pub(crate) package: Option<&'a AuditedPackage>,
    pub(crate) files: Vec<&'a Audited>,
}

/// Returns the packages in the order of the audit, then the addons without a package.
pub(crate) fn views(audit: &Audit) -> Vec<View<'_>> {
    let mut views: Vec<View<'_>> =
        audit.packages.iter().map(|package| View { package: Some(package), files: Vec::new() }).collect();
    // The addons of a package share its manifest.
    let positions: HashMap<_, usize> = (audit.packages.iter().enumerate())
        .map(|(position, package)| (Arc::as_ptr(&package.manifest), position))
        .collect();
    for file in &audit.files {
        let manifest = file.addon.package.as_ref().map(Arc::as_ptr);
        match manifest.and_then(|manifest| positions.get(&manifest)).and_then(|at| views.get_mut(*at)) {
            Some(view) => view.files.push(file),
            None => views.push(View { package: None, files: vec![file] }),
        }
    }
    views
}

impl<'a> View<'a> {
    /// Returns the package's name and version, or the addon's path.
    pub(crate) fn title(&self) -> String {
        match (self.package, self.files.first()) {
            (Some(package), _) => package.manifest.title(),
            (None, Some(file)) => file.report.file.clone(),
            (None, None) => String::new(),
        }
    }

    /// Returns the folder of the package as the caller named it; empty for the current folder and for an addon alone.
    pub(crate) fn folder(&self) -> &'a str {
        let file = self.package.map_or("", |package| package.report.file.as_str());
        let folder = file.strip_suffix("package.json").unwrap_or(file);
        folder.strip_suffix(['/', '\\']).unwrap_or(folder)
    }

    /// Returns the path of a reported file, relative to the package's folder.
    pub(crate) fn relative<'f>(&self, file: &'f str) -> &'f str {
        match file.strip_prefix(self.folder()) {
            Some(rest) if self.package.is_some() => rest.trim_start_matches(['/', '\\']),
            _ => file,
        }
    }

    /// Returns the line of a finding in the package.json, counted from 1; None for a finding in another file.
    pub(crate) fn line(&self, finding: &Finding) -> Option<usize> {
        let package = self.package.filter(|package| package.report.file == finding.file)?;
        // A code host cannot annotate a package.json inside an archive.
        let evidence = finding.evidence.rsplit("package.json has ").next().unwrap_or(&finding.evidence);
        Some(package.manifest.line_of(evidence))
    }

    /// Returns the findings about the package, then those about its addons.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &'a Finding> {
        let package = self.package.into_iter().flat_map(|package| &package.report.findings);
        package.chain(self.files.iter().flat_map(|file| &file.report.findings))
    }
}
