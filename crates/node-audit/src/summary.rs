//! Which packages load on which systems.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};
use walkdir::WalkDir;

use crate::finding::Severity;
use crate::manifest::Manifest;
use crate::platform::{Claim, Cpu, Libc, Os, Platform, Said};
use crate::policy::Policy;
use crate::rules::{Rule, not_of_musl};
use crate::source::{Audit, Audited, DEEPEST, MAX_MANIFEST};

/// The systems of a summary: Alpine, and those with glibc on both processors.
pub const SYSTEMS: [Platform; 3] = [
    Platform { os: Os::Linux, cpu: Cpu::X64, libc: Some(Libc::Musl) },
    Platform { os: Os::Linux, cpu: Cpu::X64, libc: Some(Libc::Glibc) },
    Platform { os: Os::Linux, cpu: Cpu::Arm64, libc: Some(Libc::Glibc) },
];

/// A package with addons, its own or those of its platform packages, and how it fares on each of [`SYSTEMS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// `name@version`
    pub package: String,
    /// In the order of [`SYSTEMS`].
    #[serde(serialize_with = "by_system")]
    pub verdicts: [Verdict; SYSTEMS.len()],
}

/// How a package fares on a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// Each of its addons for the system breaks no rule that stops loading.
    Loads,
    /// One of them does.
    Fails {
        /// The addon.
        file: String,
        /// The rule's id.
        rule: &'static str,
        /// What is wrong, in a sentence.
        message: String,
    },
    /// One of them is linked to glibc, and each library that it needs is one that musl takes for itself: whether it loads
    /// depends on whether musl has all the functions.
    OtherLibc {
        /// The addon.
        file: String,
    },
    /// An optional dependency of it names the system, and is not here to be looked at.
    NotInstalled {
        /// The package that npm would install there.
        package: String,
    },
    /// It has no addon for the system, and npm runs a script that may compile or download one.
    Script {
        /// The script, `node-gyp rebuild` where a binding.gyp stands for it.
        script: String,
    },
    /// It has no addon for the system.
    Missing,
}

impl Verdict {
    /// Whether an addon is there for the system, and does not load.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Verdict::Fails { .. })
    }
}

/// The packages with addons at some paths, by name; `audit` is what [`crate::audit_paths`] found there.
#[must_use]
pub fn summarize(paths: &[PathBuf], audit: &Audit, policy: &Policy) -> Vec<Row> {
    let mut packages: BTreeMap<String, Package<'_>> = BTreeMap::new();
    for (manifest, compiles) in installed(paths) {
        packages.entry(manifest.title()).or_insert_with(|| Package::new(manifest, compiles));
    }
    // Those of archives, and those that promise an addon and have none.
    let mut promising: BTreeSet<String> = BTreeSet::new();
    for package in &audit.packages {
        let title = package.manifest.title();
        promising.insert(title.clone());
        packages.entry(title).or_insert_with(|| Package::new((*package.manifest).clone(), false));
    }
    for file in &audit.files {
        let title =
            file.package.as_ref().map_or_else(|| file.report.file.clone(), |manifest| manifest.title());
        let manifest = || file.package.as_deref().cloned().unwrap_or_default();
        packages.entry(title).or_insert_with(|| Package::new(manifest(), false)).addons.push(file);
    }
    let platform_packages: BTreeMap<&str, &Package<'_>> = (packages.values())
        .filter(|package| !package.addons.is_empty() && package.claim().is_some())
        .filter_map(|package| Some((package.manifest.name.as_deref()?, package)))
        .collect();
    let mut asked_for = BTreeSet::new();
    let mut rows = Vec::new();
    for (title, package) in &packages {
        let wanted = &package.manifest.optional_dependencies;
        let own = package.manifest.name.as_deref();
        let parts: Vec<&Package<'_>> = wanted
            .iter()
            .filter(|name| Some(name.as_str()) != own)
            .filter_map(|name| platform_packages.get(name.as_str()).copied())
            .collect();
        if package.addons.is_empty() && parts.is_empty() && !promising.contains(title) {
            continue;
        }
        asked_for.extend(parts.iter().map(|part| part.manifest.title()));
        let addons: Vec<&Audited> =
            package.addons.iter().chain(parts.iter().flat_map(|part| &part.addons)).copied().collect();
        let verdicts = SYSTEMS.map(|system| verdict(package, &addons, system, policy));
        rows.push(Row { package: title.clone(), verdicts });
    }
    // A platform package is a part of the one that asks for it.
    rows.retain(|row| !asked_for.contains(&row.package));
    rows
}

/// A package, whether it has addons or not.
struct Package<'a> {
    manifest: Manifest,
    /// It has a binding.gyp.
    compiles: bool,
    addons: Vec<&'a Audited>,
}

impl Package<'_> {
    fn new(manifest: Manifest, compiles: bool) -> Self {
        Package { manifest, compiles, addons: Vec::new() }
    }

    /// The platform that the package as a whole is for.
    fn claim(&self) -> Option<Claim> {
        Said::new("", Some(&self.manifest)).claim
    }

    /// What npm runs when it installs the package.
    fn script(&self) -> Option<String> {
        let named = |wanted: &str| self.manifest.scripts.iter().find(|(name, _)| name == wanted);
        let script = ["preinstall", "install", "postinstall"].into_iter().find_map(named);
        let own = script.map(|(_, script)| script.clone());
        own.or_else(|| (self.compiles && !self.manifest.no_gyp).then(|| "node-gyp rebuild".to_owned()))
    }
}

fn verdict(package: &Package<'_>, addons: &[&Audited], system: Platform, policy: &Policy) -> Verdict {
    let exact = |claim: &Claim| claim.libc == system.libc;
    let fitting: Vec<&Audited> = addons.iter().copied().filter(|addon| fits(addon, system)).collect();
    let named: Vec<&Audited> =
        fitting.iter().copied().filter(|addon| addon.claim.as_ref().is_some_and(exact)).collect();
    let here: HashSet<&str> =
        addons.iter().filter_map(|addon| addon.package.as_ref()?.name.as_deref()).collect();
    // Those of a package for one platform are libraries for the same.
    let general = package.claim().is_none();
    // The shortest name is the addon's: others are of the libraries that it needs.
    let mut elsewhere: Vec<(&String, Claim)> = (package.manifest.optional_dependencies.iter())
        .filter_map(|name| Some((name, of_name(name)?)))
        .filter(|(name, claim)| general && claim.covers(system) && !here.contains(name.as_str()))
        .collect();
    elsewhere.sort_by_key(|(name, claim)| (!exact(claim), name.len()));
    // A loader takes the file that names the C library before one that fits any.
    let chosen = match elsewhere.first() {
        _ if !named.is_empty() => &named,
        Some((name, claim)) if fitting.is_empty() || exact(claim) => {
            return Verdict::NotInstalled { package: (*name).clone() };
        }
        _ => &fitting,
    };
    let script = package.script().map(|script| Verdict::Script { script });
    if chosen.is_empty() {
        return script.unwrap_or(Verdict::Missing);
    }
    let failures: Vec<(&Audited, Verdict)> =
        chosen.iter().filter_map(|addon| Some((*addon, failure(addon, system, policy)?))).collect();
    let worst = failures.iter().find(|(_, verdict)| verdict.is_failure()).or(failures.first());
    match worst {
        None => Verdict::Loads,
        // What was compiled on this machine would be compiled on the other.
        Some((addon, verdict)) if addon.claim.is_none() => script.unwrap_or_else(|| verdict.clone()),
        Some((_, verdict)) => verdict.clone(),
    }
}

/// Whether an addon would be looked for on a system; without a claim, it is what it is itself.
fn fits(addon: &Audited, system: Platform) -> bool {
    match &addon.claim {
        Some(claim) => claim.covers(system),
        None => addon.facts.iter().any(|part| part.elf().is_some() && part.cpu == Some(system.cpu)),
    }
}

/// Why an addon does not load on a system, or may not.
fn failure(addon: &Audited, system: Platform, policy: &Policy) -> Option<Verdict> {
    let file = &addon.report.file;
    let fails = |rule, message: String| Some(Verdict::Fails { file: file.clone(), rule, message });
    let elsewhere = addon.facts.iter().filter_map(|part| Some((part, part.elf()?.libc?)));
    let glibc_on_musl = elsewhere
        .filter(|(part, libc)| {
            part.cpu == Some(system.cpu) && (system.libc, *libc) == (Some(Libc::Musl), Libc::Glibc)
        })
        .map(|(part, _)| part)
        .next();
    if let Some(part) = glibc_on_musl
        && let Some(library) = not_of_musl(part, policy)
    {
        return fails("arch", format!("it is linked to glibc, and needs {library}"));
    }
    let report = addon.held_against(Some(&system.into()), policy);
    let stops = |rule: &str| Rule::by_id(rule).is_some_and(|rule| rule.stops_loading);
    let mut errors = report.findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    match errors.find(|finding| stops(finding.rule) && (glibc_on_musl.is_none() || finding.rule != "arch")) {
        Some(finding) => fails(finding.rule, finding.message),
        None => glibc_on_musl.map(|_| Verdict::OtherLibc { file: file.clone() }),
    }
}

fn of_name(package: &str) -> Option<Claim> {
    Said::new("", Some(&Manifest { name: Some(package.to_owned()), ..Manifest::default() })).claim
}

/// The packages in folders, each with whether it has a binding.gyp. What cannot be read is left out: where an addon
/// belongs to it, the audit has said so.
fn installed(paths: &[PathBuf]) -> Vec<(Manifest, bool)> {
    let mut packages = Vec::new();
    for path in paths {
        for entry in
            WalkDir::new(path).max_depth(DEEPEST).sort_by_file_name().into_iter().filter_map(Result::ok)
        {
            let file = entry.file_type().is_file() && entry.file_name() == "package.json";
            let Some(folder) = entry.path().parent().filter(|folder| file && is_package(folder, path)) else {
                continue;
            };
            let manifest = read(entry.path()).and_then(|content| Manifest::parse(&content).ok());
            packages.extend(manifest.map(|manifest| (manifest, folder.join("binding.gyp").is_file())));
        }
    }
    packages
}

/// The folder that was asked about, or one in which npm installs a package.
fn is_package(folder: &Path, root: &Path) -> bool {
    let called = |folder: Option<&Path>, wanted: &str| {
        folder
            .and_then(Path::file_name)
            .is_some_and(|name| name.as_encoded_bytes().starts_with(wanted.as_bytes()))
    };
    let parent = folder.parent();
    let modules = if called(parent, "@") { parent.and_then(Path::parent) } else { parent };
    folder == root || modules.and_then(Path::file_name).is_some_and(|name| name == "node_modules")
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path).ok()?.take(MAX_MANIFEST).read_to_end(&mut content).ok()?;
    Some(content)
}

fn by_system<S: Serializer>(verdicts: &[Verdict], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(SYSTEMS.iter().map(ToString::to_string).zip(verdicts))
}
