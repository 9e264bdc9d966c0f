//! Summarizes which packages load on which systems.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use crate::audit::{Audit, Audited};
use crate::claim::Claim;
use crate::facts::Details;
use crate::finding::{Finding, Severity};
use crate::manifest::Manifest;
use crate::name_claims::NameClaims;
use crate::node_binding::releases;
use crate::platform::{Cpu, Libc, Os, Platform};
use crate::policy::Policy;
use crate::reason::{LOADS_ONLY_IN, UNLISTED};
use crate::rules::{
    Rule, allows_platform, breaks_promise, excluding_field, lacks_libc, library_that_musl_lacks,
};
use crate::source::{InstalledPackage, installed};
use crate::wanted_nodes::WantedNodes;

/// The systems of a summary without a given platform: Alpine, and Linux with glibc on both processors.
pub const SYSTEMS: [Platform; 3] = [
    Platform { os: Os::Linux, cpu: Cpu::X64, libc: Some(Libc::Musl) },
    Platform { os: Os::Linux, cpu: Cpu::X64, libc: Some(Libc::Glibc) },
    Platform { os: Os::Linux, cpu: Cpu::Arm64, libc: Some(Libc::Glibc) },
];

/// A package with addons (its own, or its platform packages' addons) or with signs of an addon, and its verdict for each
/// system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageSummary {
    /// `name@version`
    pub package: String,
    /// The verdicts. All packages have the same systems: the platforms of the policy, or else [`SYSTEMS`].
    #[serde(serialize_with = "by_system")]
    pub verdicts: Vec<(Platform, Verdict)>,
}

impl PackageSummary {
    /// Returns whether an addon is for one of the systems but does not load there.
    #[must_use]
    pub fn has_failure(&self) -> bool {
        self.verdicts.iter().any(|(_, verdict)| verdict.is_failure())
    }
}

/// The verdict on a package on one system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The package loads: no addon for the system breaks a load-blocking rule.
    Loads {
        /// The only releases that load the addons, if the addons are bound to ABIs: `Node 20 to 24`.
        #[serde(skip_serializing_if = "Option::is_none")]
        nodes: Option<String>,
    },
    /// An addon for the system breaks a load-blocking rule.
    Fails {
        /// The addon.
        file: String,
        /// The rule's id.
        rule: &'static str,
        /// The problem, as a clause.
        message: String,
    },
    /// An addon for musl is linked to glibc, but musl's loader provides all libraries that it needs: the addon loads if
    /// musl has all its functions.
    OtherLibc {
        /// The addon.
        file: String,
    },
    /// An optional dependency of the package is for the system, but is not installed here.
    NotInstalled {
        /// The package that npm would install there.
        package: String,
    },
    /// The package has no addon for the system, but npm runs a script that may compile or download one.
    Script {
        /// The script; `node-gyp rebuild` for a binding.gyp.
        script: String,
    },
    /// npm runs a script that downloads the addon, so the file that Node will load is not in the package.
    Download {
        /// The script.
        script: String,
    },
    /// The package has no addon for the system.
    Missing,
}

impl Verdict {
    /// Returns whether an addon is for the system but does not load.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Verdict::Fails { .. })
    }
}

/// Summarizes the packages at the given paths that have, list or should have addons, sorted by name; `audit` is the result
/// of [`crate::audit_paths`] for these paths.
#[must_use]
pub fn summarize(paths: &[PathBuf], audit: &Audit, policy: &Policy) -> Vec<PackageSummary> {
    let systems: Vec<Platform> =
        policy.claim.as_ref().map_or_else(|| SYSTEMS.to_vec(), |claim| claim.platforms().collect());
    let packages = packages(paths, audit);
    // Includes packages in archives, and packages that should have an addon.
    let audited: BTreeSet<String> = audit.packages.iter().map(|package| package.manifest.title()).collect();
    let platform_packages: BTreeMap<&str, &Contents<'_>> = (packages.values())
        .filter(|package| !package.addons.is_empty() && package.claim().is_some())
        .filter_map(|package| Some((package.manifest.name.as_deref()?, package)))
        .collect();
    let mut parts_of_others = BTreeSet::new();
    let mut summaries = Vec::new();
    for (title, package) in &packages {
        let own = package.manifest.name.as_deref();
        let wanted = package.manifest.optional_dependencies.iter().map(String::as_str);
        let parts: Vec<&Contents<'_>> = wanted
            .filter(|name| Some(*name) != own)
            .filter_map(|name| platform_packages.get(name).copied())
            .collect();
        if package.addons.is_empty() && parts.is_empty() && !audited.contains(title) {
            continue;
        }
        parts_of_others.extend(parts.iter().map(|part| part.manifest.title()));
        let addons: Vec<&Audited> =
            package.addons.iter().chain(parts.iter().flat_map(|part| &part.addons)).copied().collect();
        let verdict = |system: &Platform| (*system, package.verdict(&addons, *system, policy));
        summaries
            .push(PackageSummary { package: title.clone(), verdicts: systems.iter().map(verdict).collect() });
    }
    summaries.retain(|summary| !parts_of_others.contains(&summary.package));
    summaries
}

/// Returns the packages at the given paths with their addons, by title.
fn packages<'a>(paths: &[PathBuf], audit: &'a Audit) -> BTreeMap<String, Contents<'a>> {
    let mut packages: BTreeMap<String, Contents<'_>> = BTreeMap::new();
    for InstalledPackage { manifest, has_gyp } in installed(paths) {
        packages.entry(manifest.title()).or_insert_with(|| Contents { has_gyp, ..Contents::new(manifest) });
    }
    for package in &audit.packages {
        let contents = packages.entry(package.manifest.title()).or_insert_with(|| Contents {
            has_gyp: package.has_gyp,
            ..Contents::new((*package.manifest).clone())
        });
        contents.download.clone_from(&package.download);
        let findings = package.report.findings.iter();
        contents.unlisted = findings.filter_map(unlisted).flatten().map(str::to_owned).collect();
    }
    for file in &audit.files {
        let package = file.addon.package.as_deref();
        let title = package.map_or_else(|| file.report.file.clone(), Manifest::title);
        let contents =
            packages.entry(title).or_insert_with(|| Contents::new(package.cloned().unwrap_or_default()));
        contents.addons.push(file);
    }
    packages
}

/// A package.json, and the addons of its package, if any.
struct Contents<'a> {
    manifest: Manifest,
    has_gyp: bool,
    /// The script that downloads the addon, if the package is not installed yet.
    download: Option<String>,
    addons: Vec<&'a Audited>,
    /// The packages that the loader requires and package.json does not list, according to an error in the report.
    unlisted: Vec<String>,
}

impl Contents<'_> {
    fn new(manifest: Manifest) -> Self {
        Contents { manifest, has_gyp: false, download: None, addons: Vec::new(), unlisted: Vec::new() }
    }

    /// Returns the platform that the package as a whole is for.
    fn claim(&self) -> Option<Claim> {
        NameClaims::of_package(&self.manifest).claim
    }

    /// Returns the script that npm runs on installation.
    fn script(&self) -> Option<String> {
        let own = self.manifest.install_scripts().next().map(|(_, script)| script.to_owned());
        own.or_else(|| (self.has_gyp && !self.manifest.no_gyp).then(|| "node-gyp rebuild".to_owned()))
    }

    /// Returns the verdict for a system; `addons` are the addons of the package and of its platform packages.
    fn verdict(&self, addons: &[&Audited], system: Platform, policy: &Policy) -> Verdict {
        let exact = |claim: &Claim| claim.libc == system.libc;
        let script = self.script().map(|script| Verdict::Script { script });
        let fitting: Vec<&Audited> = addons.iter().copied().filter(|file| fits(file, system)).collect();
        let wanted = WantedNodes::of(self.manifest.node.as_deref());
        let is_wanted = |file: &&Audited| file.addon.binding.may_load(|line| wanted.contains(line));
        let (fitting, elsewhere): (Vec<&Audited>, Vec<&Audited>) = fitting.into_iter().partition(is_wanted);
        if let Some(verdict) = only_elsewhere(&fitting, &elsewhere, policy) {
            // An addon that was compiled on this machine would also be compiled on the other machine.
            let is_compiled = elsewhere.iter().all(|file| file.addon.claim.is_none());
            return script.filter(|_| is_compiled).unwrap_or(verdict);
        }
        let (fitting, excluded): (Vec<&Audited>, Vec<&Audited>) =
            fitting.into_iter().partition(|file| !breaks_package(policy) || npm_installs(file, system));
        let named: Vec<&Audited> =
            fitting.iter().copied().filter(|file| file.addon.claim.as_ref().is_some_and(exact)).collect();
        // The downloaded file replaces an addon that claims nothing, and a loader prefers an addon for the system.
        if let Some(script) = &self.download
            && !fitting.iter().any(|file| file.addon.claim.is_some())
        {
            return Verdict::Download { script: script.clone() };
        }
        // A loader prefers an addon that names the C library to an addon for any C library.
        let chosen = match self.not_installed(addons, system) {
            _ if !named.is_empty() => &named,
            Some((package, claim)) if fitting.is_empty() || exact(&claim) => {
                return Verdict::NotInstalled { package: package.to_owned() };
            }
            _ => &fitting,
        };
        if chosen.is_empty() {
            let excluded = excluded.first().map(|file| not_installed_there(file, system));
            let broken = excluded.or_else(|| self.broken_promise(system, policy));
            return script
                .or(broken)
                .or_else(|| self.installed_without_libc(system))
                .or_else(|| self.not_listed(system))
                .unwrap_or(Verdict::Missing);
        }
        let failures: Vec<(&Audited, Verdict)> =
            chosen.iter().filter_map(|file| Some((*file, failure(file, system, policy)?))).collect();
        let worst = failures.iter().find(|(_, verdict)| verdict.is_failure()).or(failures.first());
        match worst {
            None => Verdict::Loads { nodes: nodes(chosen, &elsewhere) },
            // An addon that was compiled on this machine would also be compiled on the other machine.
            Some((file, verdict)) if file.addon.claim.is_none() => script.unwrap_or_else(|| verdict.clone()),
            Some((_, verdict)) => verdict.clone(),
        }
    }

    /// Returns the verdict if the loader requires a package for the system and package.json does not list this package.
    fn not_listed(&self, system: Platform) -> Option<Verdict> {
        let is_for = |name: &&String| claim_of_name(name).is_some_and(|claim| claim.covers(system));
        let name = self.unlisted.iter().find(is_for)?;
        Some(Verdict::Fails {
            file: "package.json".to_owned(),
            rule: "package",
            message: format!("the loader requires {name}, which package.json does not list"),
        })
    }

    /// Returns the verdict if npm installs a package with an addon for glibc on Alpine, since package.json lacks `libc`.
    fn installed_without_libc(&self, system: Platform) -> Option<Verdict> {
        // A package with several addons has a loader that chooses among them.
        let [file] = self.addons.as_slice() else { return None };
        let is_glibc = file.addon.facts.iter().any(|part| {
            part.cpu == Some(system.cpu) && part.elf().is_some_and(|elf| elf.libc == Some(Libc::Glibc))
        });
        let is_installed = lacks_libc(&self.manifest) && allows_platform(&self.manifest, system);
        (system.libc == Some(Libc::Musl) && is_installed && is_glibc).then(|| Verdict::Fails {
            file: file.report.file.clone(),
            rule: "arch",
            message: "the addon is linked to glibc; npm installs the package on Alpine, since package.json has no libc"
                .to_owned(),
        })
    }

    /// Returns the verdict if package.json promises a system for which the package has no addon.
    fn broken_promise(&self, system: Platform, policy: &Policy) -> Option<Verdict> {
        let first = self.addons.first().filter(|_| breaks_package(policy))?;
        let claims: Option<Vec<&Claim>> = self.addons.iter().map(|file| file.addon.claim.as_ref()).collect();
        breaks_promise(&self.manifest, &claims?, system).then(|| Verdict::Fails {
            file: first.report.file.clone(),
            rule: "package",
            message: format!("package.json promises {system}, for which the package has no addon"),
        })
    }

    /// Returns the optional dependency for a system that contributes none of the addons, and its claim.
    fn not_installed(&self, addons: &[&Audited], system: Platform) -> Option<(&str, Claim)> {
        // The dependencies of a platform package are libraries.
        if self.claim().is_some() {
            return None;
        }
        let here: HashSet<&str> =
            addons.iter().filter_map(|file| file.addon.package.as_ref()?.name.as_deref()).collect();
        let dependencies = self.manifest.optional_dependencies.iter().map(String::as_str);
        let elsewhere = dependencies
            .filter_map(|name| Some((name, claim_of_name(name)?)))
            .filter(|(name, claim)| claim.covers(system) && !here.contains(name));
        // The shortest name is the addon's package; longer names are packages of libraries that the addon needs.
        elsewhere.min_by_key(|(name, claim)| (claim.libc != system.libc, name.len()))
    }
}

/// Returns whether a loader on a system looks for an addon. Without a claim, the content decides.
fn fits(file: &Audited, system: Platform) -> bool {
    match &file.addon.claim {
        Some(claim) => claim.covers(system),
        // A damaged file that claims nothing loads nowhere.
        None if file.addon.damage.is_some() => true,
        None => file.addon.facts.iter().any(|part| {
            let is_format = match part.details {
                Details::Elf(_) => ![Os::Darwin, Os::Win32].contains(&system.os),
                Details::MachO(_) => system.os == Os::Darwin,
                Details::Pe(_) => system.os == Os::Win32,
            };
            is_format && part.cpu == Some(system.cpu)
        }),
    }
}

/// Returns the verdict on a package whose addons for a system are all for releases that are not wanted; these addons are
/// `elsewhere`.
fn only_elsewhere(wanted: &[&Audited], elsewhere: &[&Audited], policy: &Policy) -> Option<Verdict> {
    let first = elsewhere.first().filter(|_| wanted.is_empty())?;
    let nodes = nodes(&[], elsewhere)?;
    let is_for_electron = elsewhere.iter().any(|file| file.addon.binding.is_for_current_electron());
    if is_for_electron || !is_error("node-abi", policy) {
        return Some(Verdict::Loads { nodes: Some(nodes) });
    }
    let message = format!("{LOADS_ONLY_IN}{nodes}");
    Some(Verdict::Fails { file: first.report.file.clone(), rule: "node-abi", message })
}

/// Returns the releases that load one of the addons, if all addons are bound to ABIs.
fn nodes(wanted: &[&Audited], elsewhere: &[&Audited]) -> Option<String> {
    let bindings = wanted.iter().chain(elsewhere).map(|file| file.addon.binding);
    releases(&bindings.collect::<Vec<_>>())
}

/// Returns whether the findings of a rule are errors under this policy.
fn is_error(rule: &str, policy: &Policy) -> bool {
    policy.severities.get(rule).is_none_or(|severity| *severity == Some(Severity::Error))
}

fn breaks_package(policy: &Policy) -> bool {
    is_error("package", policy)
}

/// Returns whether npm installs the package of an addon on a system.
fn npm_installs(file: &Audited, system: Platform) -> bool {
    file.addon.package.as_ref().is_none_or(|package| allows_platform(package, system))
}

fn not_installed_there(file: &Audited, system: Platform) -> Verdict {
    let field = file.addon.package.as_deref().and_then(|package| excluding_field(package, system));
    let message = format!(
        "npm does not install the package on this system: package.json has {}",
        field.unwrap_or_default()
    );
    Verdict::Fails { file: file.report.file.clone(), rule: "package", message }
}

/// Returns the reason why an addon does not load on a system, or might not load.
fn failure(file: &Audited, system: Platform, policy: &Policy) -> Option<Verdict> {
    let name = &file.report.file;
    let fails = |rule, message: String| Some(Verdict::Fails { file: name.clone(), rule, message });
    let glibc_on_musl = file.addon.facts.iter().find(|part| {
        let libc = part.elf().and_then(|elf| elf.libc);
        part.cpu == Some(system.cpu) && (system.libc, libc) == (Some(Libc::Musl), Some(Libc::Glibc))
    });
    if let Some(part) = glibc_on_musl
        && let Some(library) = library_that_musl_lacks(part, file.addon.libraries_of(part), policy)
    {
        // The loader may find a library in the package, but a system with musl never has glibc's loader.
        let own = file.addon.libraries_of(part).iter().any(|own| own.name == *library);
        let more = if own { String::new() } else { format!(", and needs {library}") };
        return fails("arch", format!("the addon is linked to glibc{more}"));
    }
    let report = file.held_against(Some(&system.into()), policy);
    let stops = |rule: &str| Rule::by_id(rule).is_some_and(|rule| rule.stops_loading);
    let mut errors = report.findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    match errors.find(|finding| stops(finding.rule) && (glibc_on_musl.is_none() || finding.rule != "arch")) {
        Some(finding) => fails(finding.rule, finding.message),
        None => glibc_on_musl.map(|_| Verdict::OtherLibc { file: name.clone() }),
    }
}

/// Returns the packages that the loader requires and package.json does not list, from an error's evidence.
fn unlisted(finding: &Finding) -> Option<impl Iterator<Item = &str>> {
    let is_it = finding.severity == Severity::Error && finding.message == UNLISTED;
    // `index.js requires a-linux-arm64-gnu, index.js requires a-linux-x64-musl; optionalDependencies has ...`
    let (names, _) = finding.evidence.split_once("; ").filter(|_| is_it)?;
    Some(names.split(", ").filter_map(|name| Some(name.split_once(" requires ")?.1)))
}

fn claim_of_name(package: &str) -> Option<Claim> {
    NameClaims::of_package(&Manifest { name: Some(package.to_owned()), ..Manifest::default() }).claim
}

fn by_system<S: Serializer>(verdicts: &[(Platform, Verdict)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(verdicts.iter().map(|(system, verdict)| (system.to_string(), verdict)))
}
