//! The package promises what is in it, and npm compiles nothing.

use super::{Check, PackageSubject, Problem, Rule, few};
use crate::beside::Presence;
use crate::finding::Severity;
use crate::manifest::Manifest;
use crate::platform::{Claim, Cpu, Libc, Os, Platform};

pub(super) const RULE: Rule = Rule {
    id: "package",
    asks: "the platforms that package.json promises are those of the addons, and nothing is compiled on installation",
    severity: Severity::Error,
    stops_loading: false,
    explanation: "npm decides by os, cpu and libc of package.json whether a package is installed. Where they promise a \
        platform that has no addon, installation succeeds and require() fails: Cannot find module. An addon for a \
        platform that they exclude reaches nobody. An install script, or a binding.gyp without one, runs on the user's \
        machine, where it needs a compiler and Python, or downloads a file that nobody audited; with --ignore-scripts \
        it does not run at all. In a package that is installed already (in a node_modules) the script is a warning: \
        whoever installs it can only know of it.\n\
        Make os, cpu and libc say what is in the package, ship prebuilt addons in packages of their platform (or all \
        of them in one), and remove the script; \"gypfile\": false keeps a binding.gyp from being run.",
    check: Check::Package(check),
};

/// What npm runs while it installs a package from a registry, in this order.
const SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// Programs of install scripts, and what they do; the first that stands in a script is named.
const PROGRAMS: [(&str, &str); 9] = [
    ("prebuild-install", "downloads an addon, which nobody audited"),
    ("node-gyp-build-optional-packages", "compiles the addon where no prebuilt one is installed"),
    ("node-gyp-build", "compiles the addon where no prebuilt one fits"),
    ("node-pre-gyp", "downloads an addon, which nobody audited, or compiles it"),
    ("pkg-prebuilds-verify", "compiles the addon where no prebuilt one fits"),
    ("napi-postinstall", "downloads an addon where none is installed"),
    ("node-gyp", "compiles the addon"),
    ("cmake-js", "compiles the addon"),
    ("cargo", "compiles the addon"),
];

/// Whether a package without an addon is one that should have one.
pub(crate) fn concerns(subject: &PackageSubject<'_>) -> bool {
    let manifest = subject.manifest;
    let script = scripts(manifest).any(|(_, script)| program(script).is_some());
    script || gyp(subject) || !named_addons(manifest).is_empty()
}

fn check(subject: &PackageSubject<'_>) -> Vec<Problem> {
    let mut problems = conflicts(subject);
    let installs = installs(subject);
    problems.extend(excluded(subject));
    // What is compiled or downloaded on installation is not there before.
    if installs.is_empty() {
        problems.extend(missing(subject));
        problems.extend(absent(subject));
    }
    problems.extend(installs);
    problems
}

fn problem(message: String, evidence: String, remedy: &str) -> Problem {
    Problem { severity: Severity::Error, message, evidence, remedy: remedy.to_owned() }
}

fn conflicts(subject: &PackageSubject<'_>) -> Vec<Problem> {
    let told = subject.addons.iter().flat_map(|addon| addon.conflicts.iter().map(move |told| (addon, told)));
    told.map(|(addon, told)| {
        let message = format!("the names of {} claim different platforms", addon.path);
        problem(message, told.clone(), "rename the file, its folder or the package")
    })
    .collect()
}

/// Addons on a platform on which npm does not install the package.
fn excluded(subject: &PackageSubject<'_>) -> Option<Problem> {
    let manifest = subject.manifest;
    let installed = |platform: Platform| {
        let libc = platform.libc.is_none_or(|libc| allows(&manifest.libc, libc.name()));
        allows(&manifest.os, platform.os.name()) && allows(&manifest.cpu, platform.cpu.name()) && libc
    };
    let outside: Vec<String> = (subject.addons.iter())
        .filter_map(|addon| Some((addon, addon.claim.as_ref()?)))
        .filter(|(_, claim)| !claim.platforms().any(installed))
        .map(|(addon, claim)| format!("{} ({claim})", addon.path))
        .collect();
    let message = "it holds addons for platforms on which npm does not install it".to_owned();
    let evidence = format!("{}; package.json has {}", few(&outside), promises(manifest));
    let remedy = "remove them, or make os, cpu and libc of package.json allow their platforms";
    (!outside.is_empty()).then(|| problem(message, evidence, remedy))
}

/// Platforms on which npm installs the package without an addon for them.
fn missing(subject: &PackageSubject<'_>) -> Option<Problem> {
    let manifest = subject.manifest;
    if subject.addons.is_empty() && named_addons(manifest).is_empty() {
        return None;
    }
    let claims: Vec<&Claim> = subject.addons.iter().filter_map(|addon| addon.claim.as_ref()).collect();
    // It cannot be told what an addon is for that claims nothing and is bound to nothing.
    if claims.len() < subject.addons.len() {
        return None;
    }
    let missing: Vec<String> = promised(manifest)
        .into_iter()
        .filter(|promise| !claims.iter().any(|claim| promise.is_kept_by(claim)))
        .map(|promise| promise.name())
        .collect();
    let message = "it promises platforms for which it holds no addon".to_owned();
    let evidence = format!("no addon for {}; package.json has {}", few(&missing), promises(manifest));
    let remedy = "add the addons, or narrow os, cpu and libc of package.json to what is there";
    (!missing.is_empty()).then(|| problem(message, evidence, remedy))
}

/// A platform that package.json names: a system, and where it says so a processor and a C library.
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

/// Every combination of the names in package.json; names that are excluded (`!win32`) or unknown promise nothing.
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
                // Of names that are repeated there would be any number, and each is held against each addon.
                if !promised.contains(&promise) {
                    promised.push(promise);
                }
            }
        }
    }
    promised
}

/// Whether a list of package.json lets npm install on what is called so.
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

fn promises(manifest: &Manifest) -> String {
    let Manifest { os, cpu, libc, .. } = manifest;
    let fields = [("os", os), ("cpu", cpu), ("libc", libc)];
    let fields = fields.iter().filter(|(_, names)| !names.is_empty());
    fields.map(|(field, names)| format!("{field} {}", few(names))).collect::<Vec<_>>().join("; ")
}

/// Files that package.json names and that are not there.
fn absent(subject: &PackageSubject<'_>) -> Vec<Problem> {
    let named = named_addons(subject.manifest);
    let absent = named.into_iter().filter(|(_, path)| subject.files.find(path) != Presence::Present);
    absent
        .map(|(field, path)| {
            let message =
                format!("package.json names {}, which is not in the package", super::shortened(path));
            problem(message, format!("{field}: {path}"), "add the file, or correct package.json")
        })
        .collect()
}

/// The addons that `main` and `files` name; patterns are none.
fn named_addons(manifest: &Manifest) -> Vec<(&'static str, &str)> {
    let main = manifest.main.iter().map(|path| ("main", path.as_str()));
    let files = manifest.files.iter().map(|path| ("files", path.as_str()));
    let pattern = |path: &str| path.contains(['*', '?', '[', '{']) || path.starts_with('!');
    main.chain(files)
        .filter(|(_, path)| path.ends_with(".node") && !pattern(path))
        .map(|(field, path)| (field, path.trim_start_matches('/')))
        .collect()
}

fn installs(subject: &PackageSubject<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = scripts(subject.manifest)
        .map(|(name, script)| {
            let message = match program(script) {
                Some((program, does)) => {
                    format!("npm runs {program} when it installs the package; it {does}")
                }
                None => "npm runs a script when it installs the package".to_owned(),
            };
            let remedy = "ship prebuilt addons that the loader finds without a script, and remove it";
            problem(message, format!("scripts.{name}: {script}"), remedy)
        })
        .collect();
    let own = |name: &str| scripts(subject.manifest).any(|(script, _)| script == name);
    if gyp(subject) && !own("install") && !own("preinstall") {
        let message = "npm runs node-gyp when it installs the package; it compiles the addon";
        let evidence = "a binding.gyp, and no install script or \"gypfile\": false in package.json";
        let remedy = "leave binding.gyp out of the package, or set \"gypfile\": false";
        problems.push(problem(message.to_owned(), evidence.to_owned(), remedy));
    }
    if subject.installed {
        for problem in &mut problems {
            problem.severity = Severity::Warning;
            problem.remedy =
                "install it with --ignore-scripts if it works without, and ask its authors to ship \
                              prebuilt addons"
                    .to_owned();
        }
    }
    problems
}

fn gyp(subject: &PackageSubject<'_>) -> bool {
    !subject.manifest.no_gyp && subject.files.find("binding.gyp") == Presence::Present
}

fn scripts(manifest: &Manifest) -> impl Iterator<Item = (&str, &str)> {
    let script = |wanted: &&str| manifest.scripts.iter().find(|(name, _)| name == wanted);
    SCRIPTS.iter().filter_map(script).map(|(name, script)| (name.as_str(), script.as_str()))
}

/// The program of a script, by whole words.
fn program(script: &str) -> Option<(&'static str, &'static str)> {
    let words: Vec<&str> =
        script.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').collect();
    PROGRAMS.iter().find(|(program, _)| words.contains(program)).copied()
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
    fn a_platform_is_promised_once() {
        let names = |name: &str| vec![name.to_owned(); 64];
        let manifest =
            Manifest { os: names("linux"), cpu: names("x64"), libc: names("musl"), ..Manifest::default() };
        let names: Vec<String> = promised(&manifest).iter().map(Promise::name).collect();
        assert_eq!(names, ["linux-x64-musl"]);
    }

    #[test]
    fn programs_are_whole_words() {
        let name = |script| program(script).map(|(name, _)| name);
        assert_eq!(name("prebuild-install || node-gyp rebuild"), Some("prebuild-install"));
        assert_eq!(name("node-gyp-build"), Some("node-gyp-build"));
        assert_eq!(name("node node_modules/.bin/node-gyp-build"), Some("node-gyp-build"));
        assert_eq!(name("node scripts/makefile.js"), None);
    }
}
