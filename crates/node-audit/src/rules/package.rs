//! Checks that the package contains the addons that it promises, and that npm compiles and downloads nothing.

use super::evidence::{first_names, short_name};
use super::rule::{Check, Problem, Rule};
use super::{install_script, libc_field, platform_lists};
use crate::claim::Claim;
use crate::finding::Severity;
use crate::manifest::Manifest;
use crate::neighbours::Presence;
use crate::package_contents::PackageContents;
use crate::platform::{Cpu, Libc, Os, Platform};
use crate::reason::{NOT_INSTALLED, PROMISES_MORE};

pub(super) const RULE: Rule = Rule {
    id: "package",
    asks: "the package has or lists an addon for each platform that it promises, and npm compiles and downloads nothing",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "The fields os, cpu and libc of package.json decide whether npm installs a package. If these fields \
        promise a platform that has no addon, installation succeeds and require() fails: Cannot find module. npm never \
        installs an addon for an excluded platform. An addon in the folder `build`, without a platform in its names or \
        in package.json, was compiled on the machine that packed the package, and fails on every other system. If the \
        package.json of a package for Linux has no libc, npm also installs the package on Alpine, where an addon for \
        glibc fails or may fail; the finding is a warning. A main package leaves the addons to platform packages, and \
        lists these in optionalDependencies. A target of napi-rs (napi.targets, napi.triples) that has neither a \
        platform package nor an addon causes an error if all listed packages are among the targets. Otherwise the \
        finding is a warning, since the published packages were not made from the targets. A package that the loader \
        requires and package.json does not list causes an error, since npm never installs the package. A loader that \
        napi-rs generated tries some thirty platforms, whatever the package promises. A missing package for such a \
        branch causes an error only for Linux (glibc), macOS and Windows on x64, and Linux and macOS on arm64, and \
        only if the package serves the system and the processor in other combinations. The rule skips names that a \
        loader computes. A listed package that the loader does not name causes a warning, and so does a listed version \
        other than the package's own. An install script, or a binding.gyp without one, runs on the user's machine. The \
        script needs a compiler and Python there, or downloads the file that Node will load, which no audit covers. \
        With --ignore-scripts, npm skips the script. This finding is a warning, since the package works wherever the \
        script works.\n\
        Make os, cpu and libc match the addons, make the lists of platforms agree, ship prebuilt addons in platform \
        packages (or all of them in one package), and remove the script; \"gypfile\": false keeps npm from compiling a \
        binding.gyp.",
    check: Check::Package(check),
};

fn check(package: &PackageContents) -> Vec<Problem> {
    let mut problems = conflicts(package);
    let installs = install_script::check(package);
    problems.extend(excluded(package));
    problems.extend(built_here(package, !installs.is_empty()));
    // Before installation, a script has not yet compiled or downloaded the addon.
    if installs.is_empty() {
        problems.extend(missing(package));
        problems.extend(absent(package));
        problems.extend(libc_field::check(package));
    }
    problems.extend(platform_lists::check(package, installs.is_empty()));
    problems.extend(installs);
    problems
}

fn problem(message: String, evidence: String, remedy: &str) -> Problem {
    Problem { severity: Severity::Error, message, evidence, remedy: remedy.to_owned() }
}

fn conflicts(package: &PackageContents) -> Vec<Problem> {
    let conflicts = package.addons.iter().flat_map(|addon| {
        addon.conflicts.iter().map(move |conflict| {
            let message = format!("the names of {} claim different platforms", addon.path);
            problem(message, conflict.clone(), "rename the file, its folder or the package")
        })
    });
    conflicts.collect()
}

/// Returns the problem with addons for platforms on which npm does not install the package.
fn excluded(package: &PackageContents) -> Option<Problem> {
    let manifest = &package.manifest;
    let outside: Vec<String> = (package.addons.iter())
        .filter_map(|addon| Some((addon, addon.claim.as_ref()?)))
        .filter(|(_, claim)| !claim.platforms().any(|platform| allows_platform(manifest, platform)))
        .map(|(addon, claim)| format!("{} ({claim})", addon.path))
        .collect();
    let message = NOT_INSTALLED.to_owned();
    let evidence = format!("{}; package.json has {}", first_names(&outside), promises(manifest));
    let remedy = "remove the addons, or make os, cpu and libc of package.json allow their platforms";
    (!outside.is_empty()).then(|| problem(message, evidence, remedy))
}

/// Returns the problem with an addon in a build folder, if no name gives its platform and package.json gives no system.
///
/// An installed package may contain the build of this machine, so the function returns None for such a package.
fn built_here(package: &PackageContents, is_replaced: bool) -> Option<Problem> {
    if package.installed || !package.manifest.os.is_empty() {
        return None;
    }
    let is_build = |path: &str| path.split('/').any(|folder| folder == "build");
    let built = package.addons.iter().filter(|addon| !addon.is_claimed && is_build(&addon.path));
    let built = built.filter_map(|addon| Some((addon, addon.claim.as_ref()?)));
    let built: Vec<String> = built.map(|(addon, claim)| format!("{} ({claim})", addon.path)).collect();
    if built.is_empty() {
        return None;
    }
    let (severity, end) = if is_replaced {
        (Severity::Warning, "; without install scripts, this addon stays in place on every system")
    } else {
        (Severity::Error, ", and npm installs the package on every system")
    };
    let message = format!(
        "the package contains an addon that was compiled on the machine that packed the package{end}"
    );
    let evidence = format!(
        "{}; the names of the file, its folders and the package give no platform",
        first_names(&built)
    );
    let remedy = "exclude the folder build from the package, and ship a prebuilt addon for each platform";
    Some(Problem { severity, ..problem(message, evidence, remedy) })
}

/// Returns the problem with platforms on which npm installs the package, but for which it has no addon.
fn missing(package: &PackageContents) -> Option<Problem> {
    let manifest = &package.manifest;
    if package.addons.is_empty() && manifest.named_addons().next().is_none() {
        return None;
    }
    let claims: Vec<&Claim> = package.addons.iter().filter_map(|addon| addon.claim.as_ref()).collect();
    // The platform of an addon without a claim is unknown if its content is not bound to a platform.
    if claims.len() < package.addons.len() {
        return None;
    }
    let missing: Vec<String> = promised(manifest)
        .into_iter()
        .filter(|promise| !claims.iter().any(|claim| promise.is_kept_by(claim)))
        .map(|promise| promise.name())
        .collect();
    let message = PROMISES_MORE.to_owned();
    let evidence = format!("no addon for {}; package.json has {}", first_names(&missing), promises(manifest));
    let remedy =
        "add the addons, or narrow os, cpu and libc of package.json to the platforms of the existing addons";
    (!missing.is_empty()).then(|| problem(message, evidence, remedy))
}

/// A platform that package.json promises: a system, and possibly a processor and a C library.
#[derive(PartialEq, Eq)]
struct Promise {
    os: Os,
    cpu: Option<Cpu>,
    libc: Option<Libc>,
}

impl Promise {
    fn is_kept_by(&self, claim: &Claim) -> bool {
        let Promise { os, libc, .. } = *self;
        match self.cpu {
            Some(cpu) => claim.covers(Platform { os, cpu, libc }),
            None => claim.platforms().any(|own| claim.covers(Platform { os, cpu: own.cpu, libc })),
        }
    }

    fn name(&self) -> String {
        let Promise { os, libc, .. } = *self;
        match self.cpu {
            Some(cpu) => Platform { os, cpu, libc }.to_string(),
            None => os.to_string(),
        }
    }
}

/// Returns every combination of the names in package.json. Excluded names (`!win32`) and unknown names promise nothing.
fn promised(manifest: &Manifest) -> Vec<Promise> {
    let mut promised = Vec::new();
    let mut cpus: Vec<Option<Cpu>> =
        manifest.cpu.iter().filter_map(|name| Cpu::by_name(name)).map(Some).collect();
    if cpus.is_empty() {
        cpus.push(None);
    }
    let named = |name: &String| Libc::by_name(name).map(Some);
    let libcs: Vec<Option<Libc>> = manifest.libc.iter().filter_map(named).collect();
    for os in manifest.os.iter().filter_map(|name| Os::by_name(name)) {
        let libcs = if os == Os::Linux && !libcs.is_empty() { libcs.as_slice() } else { &[None] };
        for cpu in &cpus {
            for libc in libcs {
                let promise = Promise { os, cpu: *cpu, libc: *libc };
                // Repeated names would produce any number of promises, each of which is compared with each addon.
                if !promised.contains(&promise) {
                    promised.push(promise);
                }
            }
        }
    }
    promised
}

/// Returns whether npm installs a package on a platform.
pub(crate) fn allows_platform(manifest: &Manifest, platform: Platform) -> bool {
    excluding_field(manifest, platform).is_none()
}

/// Returns the package.json field that prevents npm from installing a package on a platform: `libc glibc`.
pub(crate) fn excluding_field(manifest: &Manifest, platform: Platform) -> Option<String> {
    let libc = platform.libc.map_or("", Libc::name);
    let fields = [
        ("os", &manifest.os, platform.os.name()),
        ("cpu", &manifest.cpu, platform.cpu.name()),
        ("libc", &manifest.libc, libc),
    ];
    let excludes = |(_, list, name): &(&str, &Vec<String>, &str)| !name.is_empty() && !allows(list, name);
    let (field, list, _) = fields.into_iter().find(excludes)?;
    Some(format!("{field} {}", first_names(list)))
}

/// Returns whether package.json promises a platform, by system and processor, without an addon.
pub(crate) fn breaks_promise(manifest: &Manifest, claims: &[&Claim], platform: Platform) -> bool {
    let is_it = |promise: &Promise| {
        let libc = promise.libc.is_none_or(|libc| platform.libc == Some(libc));
        promise.os == platform.os && promise.cpu == Some(platform.cpu) && libc
    };
    let is_broken = |promise: &Promise| !claims.iter().any(|claim| promise.is_kept_by(claim));
    allows_platform(manifest, platform)
        && promised(manifest).iter().any(|promise| is_it(promise) && is_broken(promise))
}

/// Returns whether a list of package.json admits a name.
fn allows(list: &[String], name: &str) -> bool {
    let denied = |entry: &&String| entry.starts_with('!');
    if matches!(list, [any] if any == "any") {
        return true;
    }
    if list.iter().filter(denied).any(|entry| entry.get(1..) == Some(name)) {
        return false;
    }
    list.iter().all(|entry| entry.starts_with('!')) || list.iter().any(|entry| entry == name)
}

/// Returns the promises of package.json as text.
fn promises(manifest: &Manifest) -> String {
    let Manifest { os, cpu, libc, .. } = manifest;
    let fields = [("os", os), ("cpu", cpu), ("libc", libc)];
    let fields = fields.iter().filter(|(_, names)| !names.is_empty());
    fields.map(|(field, names)| format!("{field} {}", first_names(names))).collect::<Vec<_>>().join("; ")
}

/// Returns the problems with files that package.json names but that do not exist.
fn absent(package: &PackageContents) -> Vec<Problem> {
    let addons = package.manifest.named_addons();
    let absent = addons.filter(|addon| package.files.find(addon.path) != Presence::Present);
    absent
        .map(|addon| {
            let message =
                format!("package.json names {}, which the package does not contain", short_name(addon.path));
            let evidence = format!("{}: {}", addon.field, addon.path);
            problem(message, evidence, "add the file, or correct package.json")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_npm_reads_them() {
        for (list, name, expected) in [
            (&[][..], "linux", true),
            (&["any"], "linux", true),
            (&["linux"], "linux", true),
            (&["linux", "darwin"], "win32", false),
            (&["!win32"], "linux", true),
            (&["!win32"], "win32", false),
            (&["!win32", "linux"], "darwin", false),
            (&["linux", "!linux"], "linux", false),
        ] {
            let list: Vec<String> = list.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(allows(&list, name), expected, "{list:?} {name}");
        }
    }

    #[test]
    fn repeated_names_promise_a_platform_once() {
        let names = |name: &str| vec![name.to_owned(); 64];
        let manifest =
            Manifest { os: names("linux"), cpu: names("x64"), libc: names("musl"), ..Manifest::default() };
        let names: Vec<String> = promised(&manifest).iter().map(Promise::name).collect();
        assert_eq!(names, ["linux-x64-musl"]);
    }
}
