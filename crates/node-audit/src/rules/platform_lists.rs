//! Checks that the lists of platforms in a main package agree: `optionalDependencies`, `napi.targets` and the loader's
//! branches.

use std::collections::BTreeSet;

use nodejs_semver::{Range, Version};

use super::evidence::first_names;
use super::package::allows_platform;
use super::rule::Problem;
use crate::claim::Claim;
use crate::finding::Severity;
use crate::limits::{MAX_LISTED_PLATFORMS, MAX_VERSION_RANGE};
use crate::package_contents::PackageContents;
use crate::platform::{Cpu, Libc, Os, Platform};
use crate::platform_package::{PlatformPackage, platform_packages};
use crate::reason::{NO_OWN_ADDON, UNLISTED};
use crate::script_files::files_of;

/// The most common platforms with official Node releases. A loader that napi-rs generated tries some twenty more.
const COMMON: [Platform; 5] = [
    Platform { os: Os::Linux, cpu: Cpu::X64, libc: Some(Libc::Glibc) },
    Platform { os: Os::Linux, cpu: Cpu::Arm64, libc: Some(Libc::Glibc) },
    Platform { os: Os::Darwin, cpu: Cpu::X64, libc: None },
    Platform { os: Os::Darwin, cpu: Cpu::Arm64, libc: None },
    Platform { os: Os::Win32, cpu: Cpu::X64, libc: None },
];

/// Returns the problems of a package whose addons are in other packages; `is_complete` is false if a script adds an
/// addon.
pub(super) fn check(package: &PackageContents, is_complete: bool) -> Vec<Problem> {
    if !package.is_main() {
        return Vec::new();
    }
    let lists = Lists::of(package);
    let mut problems = Vec::from_iter(lists.contents());
    // An addon without a claim, or a script, may serve any platform.
    if is_complete && package.addons.iter().all(|addon| addon.claim.is_some()) {
        problems.extend(lists.targets());
        problems.extend(lists.unlisted());
    }
    problems.extend(lists.unused());
    problems.extend(lists.versions());
    problems
}

/// The lists of a main package.
struct Lists<'a> {
    package: &'a PackageContents,
    /// The platform packages in optionalDependencies and dependencies.
    listed: Vec<PlatformPackage<'a>>,
    /// The packages that the loader names, each with the file that names it.
    wanted: Vec<(&'a str, PlatformPackage<'a>)>,
    /// `true` if napi-rs generated the loader.
    is_generated: bool,
}

impl<'a> Lists<'a> {
    fn of(package: &'a PackageContents) -> Lists<'a> {
        let listed = platform_packages(&package.manifest);
        let napi = package.manifest.napi.as_ref();
        let start = napi.and_then(|napi| napi.package_name.as_ref()).or(package.manifest.name.as_ref());
        // A file may also require the addons of unrelated packages.
        let is_own = |wanted: &PlatformPackage<'_>| {
            listed.iter().any(|listed| listed.family == wanted.family)
                || start.is_some_and(|start| wanted.family.strip_suffix('-') == Some(start))
        };
        let scripts: BTreeSet<String> =
            package.manifest.install_scripts().flat_map(|(_, script)| files_of(script)).collect();
        let loaders = || package.javascript.iter().filter(|file| !scripts.contains(&file.path));
        let mut seen = BTreeSet::new();
        let wanted = loaders()
            .flat_map(|file| file.packages.iter().map(|name| (file.path.as_str(), name)))
            .filter_map(|(file, name)| Some((file, PlatformPackage::by_name(name)?)))
            .filter(|(_, wanted)| is_own(wanted) && seen.insert(wanted.name))
            .collect();
        let is_generated = napi.is_some() || loaders().any(|file| file.is_generated);
        Lists { package, listed, wanted, is_generated }
    }

    /// Returns whether a platform has a package or an addon.
    fn provides(&self, claim: &Claim) -> bool {
        let addons = self.package.addons.iter().filter_map(|addon| addon.claim.as_ref());
        let provided: Vec<&Claim> = self.listed.iter().map(|package| &package.claim).chain(addons).collect();
        claim.platforms().all(|platform| provided.iter().any(|own| own.covers(platform)))
    }

    /// Returns the info that names the platforms of a package without its own addon.
    fn contents(&self) -> Option<Problem> {
        if !self.package.addons.is_empty() || self.listed.is_empty() {
            return None;
        }
        let names = self.platforms();
        let (packages, audited) = match self.listed.as_slice() {
            [_] => ("a package", "this package, or a node_modules with it"),
            _ => ("packages", "these packages, or a node_modules with them"),
        };
        Some(Problem {
            severity: Severity::Info,
            message: format!("{NO_OWN_ADDON}package.json lists {packages} for {}", all_names(&names)),
            evidence: format!("optionalDependencies has {}", first_names(&self.listed_names())),
            remedy: format!("audit {audited}, to check the addons"),
        })
    }

    /// Returns the problem with napi-rs targets that have neither a package nor an addon.
    fn targets(&self) -> Option<Problem> {
        let napi = self.package.manifest.napi.as_ref()?;
        let targets = napi.platforms();
        let missing: Vec<&Claim> = targets.iter().filter(|target| !self.provides(target)).collect();
        if missing.is_empty() {
            return None;
        }
        // If a listed package has no target, the packages were not generated from the targets.
        let named = |package: &PlatformPackage<'_>| {
            targets.iter().any(|target| package.claim.platforms().all(|platform| target.covers(platform)))
        };
        let is_source = self.listed.iter().all(named);
        let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
        Some(Problem {
            severity: if is_source { Severity::Error } else { Severity::Warning },
            message: "the field napi of package.json names platforms that have neither an addon nor a package".to_owned(),
            evidence: format!(
                "napi.targets or napi.triples has {}; optionalDependencies has {}{}",
                all_names(&names),
                self.listed_or_none(),
                self.also_wanted(&missing)
            ),
            remedy: "publish packages for these platforms and list them in optionalDependencies, or remove the targets"
                .to_owned(),
        })
    }

    /// Returns the problem with packages that the loader requires and package.json does not list.
    ///
    /// A loader that napi-rs generated has branches for every platform that napi-rs knows. The rule checks such a
    /// branch only for a common platform whose system and processor the package serves in other combinations.
    fn unlisted(&self) -> Option<Problem> {
        let serves = |claim: &Claim| {
            let is_common = COMMON.iter().any(|common| claim.covers(*common));
            let os = self.listed.iter().any(|own| own.claim.os == claim.os);
            let cpu = self.listed.iter().any(|own| own.claim.cpus.iter().any(|cpu| claim.cpus.contains(cpu)));
            // The branch for a universal addon comes before the branches for one processor.
            claim.cpus.len() == 1 && is_common && os && cpu
        };
        let missing: Vec<String> = (self.wanted.iter())
            .filter(|(_, wanted)| !self.provides(&wanted.claim) && self.is_installed_on(&wanted.claim))
            .filter(|(_, wanted)| !self.is_generated || serves(&wanted.claim))
            .map(|(file, wanted)| format!("{file} requires {}", wanted.name))
            .collect();
        (!missing.is_empty()).then(|| Problem {
            severity: Severity::Error,
            message: UNLISTED.to_owned(),
            evidence: format!("{}; optionalDependencies has {}", first_names(&missing), self.listed_or_none()),
            remedy: "publish the packages and list them in optionalDependencies, or exclude their platforms by os and cpu"
                .to_owned(),
        })
    }

    /// Returns the problem with listed packages that the loader never requires.
    fn unused(&self) -> Option<Problem> {
        let families: BTreeSet<&str> = self.wanted.iter().map(|(_, wanted)| wanted.family).collect();
        let unused: Vec<&str> = (self.listed.iter())
            .filter(|listed| families.contains(listed.family))
            .filter(|listed| !self.wanted.iter().any(|(_, wanted)| wanted.name == listed.name))
            .map(|listed| listed.name)
            .collect();
        let (file, _) = self.wanted.first()?;
        (!unused.is_empty()).then(|| Problem {
            severity: Severity::Warning,
            message: "package.json lists packages that the loader does not require by name".to_owned(),
            evidence: format!(
                "optionalDependencies has {}; {file} does not require them",
                first_names(&unused)
            ),
            remedy: "add branches for these packages to the loader, or remove them from optionalDependencies"
                .to_owned(),
        })
    }

    /// Returns the problem with packages whose version differs from the package's own. Skips a family with independent
    /// versions, such as the packages of a library.
    fn versions(&self) -> Option<Problem> {
        let own = self.package.manifest.version.as_deref()?;
        let is_own = |package: &&PlatformPackage<'_>| package.range.is_none_or(|range| admits(range, own));
        let others: Vec<String> = (self.listed.iter())
            .filter(|package| !is_own(package))
            .filter(|package| {
                let family = || self.listed.iter().filter(|other| other.family == package.family);
                family().filter(is_own).count() * 2 > family().count()
            })
            .map(|package| format!("{} {}", package.name, package.range.unwrap_or_default()))
            .collect();
        (!others.is_empty()).then(|| Problem {
            severity: Severity::Warning,
            message: "package.json lists packages whose version differs from its own".to_owned(),
            evidence: format!("version is {own}; optionalDependencies has {}", first_names(&others)),
            remedy: "list the version that is published together with the package".to_owned(),
        })
    }

    /// Returns whether npm installs the package on a platform.
    fn is_installed_on(&self, claim: &Claim) -> bool {
        claim.platforms().any(|platform| allows_platform(&self.package.manifest, platform))
    }

    fn platforms(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.listed.iter().map(|package| package.claim.to_string()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn listed_names(&self) -> Vec<&str> {
        self.listed.iter().map(|package| package.name).collect()
    }

    fn listed_or_none(&self) -> String {
        if self.listed.is_empty() { "no platform package".to_owned() } else { all_names(&self.platforms()) }
    }

    /// Returns the other packages that the loader requires, as the end of a sentence.
    fn also_wanted(&self, missing: &[&Claim]) -> String {
        let others: Vec<&str> = (self.wanted.iter())
            .filter(|(_, wanted)| !self.provides(&wanted.claim) && !missing.contains(&&wanted.claim))
            .map(|(_, wanted)| wanted.name)
            .collect();
        if others.is_empty() {
            return String::new();
        }
        format!("; the loader also requires {}, which package.json does not list", all_names(&others))
    }
}

/// Returns the names in a list of platforms; more names than `first_names` returns.
fn all_names<T: AsRef<str>>(names: &[T]) -> String {
    let first: Vec<&str> = names.iter().take(MAX_LISTED_PLATFORMS).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Returns whether a range admits a version. A string that isn't a version range, such as `workspace:*`, admits every
/// version.
fn admits(range: &str, version: &str) -> bool {
    if range == version || range.len() > MAX_VERSION_RANGE || version.len() > MAX_VERSION_RANGE {
        return true;
    }
    match (Range::parse(range), Version::parse(version)) {
        (Ok(range), Ok(version)) => range.satisfies(&version),
        _ => true,
    }
}
