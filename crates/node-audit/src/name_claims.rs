//! The claims that the names of an addon and of its package make together.

use crate::claim::{Claim, at_the_end, of_folders};
use crate::manifest::Manifest;
use crate::node_abi;
use crate::platform::{Cpu, Libc, Os};
use crate::printable::printable;

/// The claims of an addon's file name, its folders, its package's name and its package.json.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NameClaims {
    /// The platform that the first name with a platform claims, completed by the others.
    pub(crate) claim: Option<Claim>,
    /// The ABI of Node (NODE_MODULE_VERSION) that a name claims.
    pub(crate) abi: Option<u32>,
    /// Pairs of names that claim different platforms, as text.
    pub(crate) conflicts: Vec<String>,
}

/// The claim of one name.
struct Hint {
    /// The name, as text.
    place: String,
    os: Option<Os>,
    cpus: Vec<Cpu>,
    libc: Option<Libc>,
}

impl NameClaims {
    /// Reads the claims of a path with `/` between its parts, from the folder of the package.json if there is one.
    pub(crate) fn new(path: &str, package: Option<&Manifest>) -> NameClaims {
        let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
        let folders: Vec<&str> = folders.split('/').filter(|folder| !folder.is_empty()).collect();
        let mut hints = vec![of_file(file)];
        hints.extend(of_path(&folders));
        hints.extend(package.and_then(|package| package.name.as_deref()).and_then(of_package_name));
        let names = hints.len();
        hints.extend(package.map(of_fields));
        let first = hints.iter().position(|hint| hint.os.is_some() && !hint.cpus.is_empty());
        let abi = abi(file, &folders);
        let Some((position, first)) = first.and_then(|first| Some((first, hints.get(first)?))) else {
            return NameClaims { claim: None, abi, conflicts: Vec::new() };
        };
        let same = |hint: &&Hint| hint.os.is_none() || hint.os == first.os;
        let libc = hints.iter().filter(same).find_map(|hint| hint.libc);
        let os = first.os;
        let claim = os.and_then(|os| Claim::new(os, &first.cpus, libc.filter(|_| os == Os::Linux)));
        // The rule `package` compares the claim with package.json's fields.
        let others = hints.iter().take(names).enumerate().filter(|(other, _)| *other != position);
        let conflicts = others
            .filter(|(_, other)| contradicts(first, libc, other))
            .map(|(_, other)| format!("{} and {}", first.place, other.place));
        NameClaims { abi, conflicts: conflicts.collect(), claim }
    }

    /// Reads the claims of a package as a whole.
    pub(crate) fn of_package(package: &Manifest) -> NameClaims {
        NameClaims::new("", Some(package))
    }
}

fn contradicts(first: &Hint, libc: Option<Libc>, other: &Hint) -> bool {
    let os = other.os.is_some() && other.os != first.os;
    let cpus = !other.cpus.is_empty() && !other.cpus.iter().any(|cpu| first.cpus.contains(cpu));
    let libc = other.libc.is_some() && other.libc != libc;
    os || cpus || libc
}

fn hint(place: String, claim: Claim) -> Hint {
    Hint { place, os: Some(claim.os), libc: claim.libc, cpus: claim.cpus }
}

/// Reads `addon.linux-x64-gnu.node`, and the tags of prebuildify: `node.napi.musl.node`.
fn of_file(file: &str) -> Hint {
    let stem = file.strip_suffix(".node").unwrap_or(file);
    let tag = stem.split('.').find_map(Libc::by_name);
    let place = format!("the file's name {}", printable(file.as_bytes()));
    let claim = |stem: &str| stem.split('.').rev().find_map(at_the_end);
    match claim(stem).or_else(|| claim(without_version(stem)?)).or_else(|| Some(bound(stem)?.0)) {
        Some(claim) => Hint { libc: claim.libc.or(tag), ..hint(place, claim) },
        None => Hint { place, os: None, cpus: Vec::new(), libc: tag },
    }
}

/// Returns `sharp-linux-x64` of `sharp-linux-x64-0.35.5`.
fn without_version(stem: &str) -> Option<&str> {
    let (name, version) = stem.rsplit_once('-')?;
    let numbers = version.split('.').all(|number| number.parse::<u32>().is_ok());
    (numbers && version.contains('.')).then_some(name)
}

/// Reads a platform before the ABI or the release of Node: `x-linux-x64-glibc-115`, `linux-x64-node-22`.
fn bound(name: &str) -> Option<(Claim, Option<u32>)> {
    let (start, last) = name.rsplit_once('-')?;
    let Some(start) = start.strip_suffix("-node") else {
        return Some((at_the_end(start)?, Some(number(last)?)));
    };
    last.split('.').all(|part| part.parse::<u32>().is_ok()).then_some(())?;
    Some((at_the_end(start)?, node_abi::of_node(last)))
}

/// Reads folders, the innermost first: `linux-x64`, `napi-v8-linux-glibc-x64`, `linux/x64`, cmake-ts' `musl-127-Release`,
/// koffi's `musl_x64`.
fn of_path(folders: &[&str]) -> Vec<Hint> {
    let mut hints = Vec::new();
    for (position, folder) in folders.iter().enumerate().rev() {
        let outer = position.checked_sub(1).and_then(|outer| folders.get(outer));
        let own = folder.split('.').rev().find_map(at_the_end);
        if let Some(claim) = own.or_else(|| Some(bound(folder)?.0)) {
            hints.push(hint(in_folder(folder), claim));
        } else if let Some((os, claim)) = outer.and_then(|os| Some((os, of_folders(os, folder)?))) {
            hints.push(hint(format!("its folders {os}/{folder}"), claim));
        } else if let Some(libc) = folder.split(['-', '_']).next().and_then(Libc::by_name) {
            let place = in_folder(folder);
            hints.push(Hint { place, os: None, cpus: Vec::new(), libc: Some(libc) });
        }
    }
    hints
}

fn in_folder(folder: &str) -> String {
    format!("its folder {}", printable(folder.as_bytes()))
}

fn of_package_name(name: &str) -> Option<Hint> {
    let last = name.rsplit('/').next()?;
    Some(hint(format!("the package's name {name}"), at_the_end(last)?))
}

/// Reads os, cpu and libc of package.json, each if it names exactly one.
fn of_fields(package: &Manifest) -> Hint {
    let one = |names: &[String]| match names {
        [name] => Some(name.clone()),
        _ => None,
    };
    Hint {
        place: "package.json".to_owned(),
        os: one(&package.os).and_then(|name| Os::by_name(&name)),
        cpus: one(&package.cpu).and_then(|name| Cpu::by_name(&name)).into_iter().collect(),
        libc: one(&package.libc).and_then(|name| Libc::by_name(&name)),
    }
}

/// Reads prebuildify's tag `abi115`, which does not count beside `napi`; `node-v115` of prebuild and node-pre-gyp; or the number
/// after a platform.
fn abi(file: &str, folders: &[&str]) -> Option<u32> {
    let stem = file.strip_suffix(".node").unwrap_or(file);
    let tags: Vec<&str> = stem.split('.').collect();
    if tags.contains(&"napi") {
        return None;
    }
    let tag = tags.iter().find_map(|tag| number(tag.strip_prefix("abi")?));
    tag.or_else(|| std::iter::once(&stem).chain(folders.iter().rev()).find_map(|name| in_words(name)))
}

fn in_words(name: &str) -> Option<u32> {
    let words: Vec<&str> = name.split('-').collect();
    // cmake-ts: `glibc-127-Release`, `libc-115-Release`, `msvc-115-Release`.
    if let [_, abi, "Release" | "Debug"] = words[..] {
        return number(abi);
    }
    words
        .windows(2)
        .find_map(|pair| match pair {
            ["node", version] => number(version.strip_prefix('v')?),
            _ => None,
        })
        .or_else(|| bound(name)?.1)
}

/// Parses an ABI. Smaller numbers are releases of Node, whose ABIs are above 40 since version 1.
fn number(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|abi| (41..=9999).contains(abi))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(path: &str) -> String {
        NameClaims::new(path, None).claim.map_or_else(|| "-".to_owned(), |claim| claim.to_string())
    }

    #[test]
    fn names_and_folders_claim_a_platform() {
        for (path, expected) in [
            // napi-rs
            ("dir/x.linux-arm-gnueabihf.node", "linux-arm-gnueabihf"),
            ("x.linux-arm64-musl.node", "linux-arm64-musl"),
            ("x.linux-arm-musleabihf.node", "linux-arm-musleabihf"),
            ("x.linux-riscv64-gnu.node", "linux-riscv64-gnu"),
            ("x.linux-ppc64-gnu.node", "linux-ppc64-gnu"),
            ("x.linux-s390x-gnu.node", "linux-s390x-gnu"),
            ("x.linux-loong64-gnu.node", "linux-loong64-gnu"),
            ("x.darwin-universal.node", "darwin-universal"),
            ("x.win32-x64-msvc.node", "win32-x64-msvc"),
            ("x.win32-ia32-msvc.node", "win32-ia32-msvc"),
            ("x.freebsd-x64.node", "freebsd-x64"),
            ("x.android-arm-eabi.node", "android-arm"),
            ("x.android-arm64.node", "android-arm64"),
            ("x.openharmony-arm64.node", "openharmony-arm64"),
            ("x.linux-arm64-ohos.node", "openharmony-arm64"),
            // sharp, and names that end with the platform
            ("lib/sharp-linuxmusl-x64.node", "linux-x64-musl"),
            ("lib/sharp-linux-x64.node", "linux-x64"),
            ("lib/sharp-linuxmusl-x64-0.35.5.node", "linux-x64-musl"),
            ("addon-linux-x64-gnu.node", "linux-x64-gnu"),
            // prebuildify
            ("prebuilds/linux-x64/node.napi.node", "linux-x64"),
            ("prebuilds/linux-x64/node.napi.musl.node", "linux-x64-musl"),
            ("prebuilds/linux-x64/bcrypt.glibc.node", "linux-x64-gnu"),
            ("prebuilds/linux-x64/node.abi115.node", "linux-x64"),
            ("prebuilds/linux-x64/electron.napi.node", "linux-x64"),
            ("prebuilds/linux-arm/node.napi.armv7.node", "linux-arm"),
            ("prebuilds/darwin-x64+arm64/node.napi.node", "darwin-universal"),
            ("prebuilds/android-arm64/node.napi.armv8.node", "android-arm64"),
            ("prebuilds/win32-ia32/node.napi.node", "win32-ia32-msvc"),
            ("linux-x64.abi115.node", "linux-x64"),
            // node-pre-gyp
            ("lib/binding/napi-v8-linux-glibc-x64/x.node", "linux-x64-gnu"),
            ("lib/binding/napi-v8-linux-musl-arm64/x.node", "linux-arm64-musl"),
            ("lib/binding/napi-v6-win32-unknown-x64/x.node", "win32-x64-msvc"),
            ("lib/binding/napi-v6-darwin-unknown-arm64/x.node", "darwin-arm64"),
            ("lib/binding/node-v115-darwin-arm64/x.node", "darwin-arm64"),
            // onnxruntime
            ("bin/napi-v6/linux/x64/onnxruntime_binding.node", "linux-x64"),
            ("bin/napi-v6/win32/arm64/onnxruntime_binding.node", "win32-arm64-msvc"),
            // cmake-ts
            ("build/linux/x64/node/musl-127-Release/addon.node", "linux-x64-musl"),
            ("build/linux/x64/node/115/addon.node", "linux-x64"),
            ("build/win32/ia32/node/msvc-115-Release/addon.node", "win32-ia32-msvc"),
            // deasync, Sentry's profiler
            ("bin/linux-x64-node-22/deasync.node", "linux-x64"),
            ("bin/darwin-arm64-node-0.12/deasync.node", "darwin-arm64"),
            ("lib/sentry_cpu_profiler-linux-arm64-musl-127.node", "linux-arm64-musl"),
            ("lib/sentry_cpu_profiler-win32-x64-137.node", "win32-x64-msvc"),
            // temporal
            ("releases/x86_64-unknown-linux-gnu/index.node", "linux-x64-gnu"),
            ("releases/aarch64-unknown-linux-musl/index.node", "linux-arm64-musl"),
            ("releases/armv7-unknown-linux-gnueabihf/index.node", "linux-arm-gnueabihf"),
            ("releases/aarch64-apple-darwin/index.node", "darwin-arm64"),
            ("releases/x86_64-pc-windows-msvc/index.node", "win32-x64-msvc"),
            // prebuild-install
            ("name-v1.2.3-napi-v8-linuxmusl-x64/build/Release/name.node", "linux-x64-musl"),
            ("name-v1.2.3-node-v115-linux-x64.node", "linux-x64"),
            // the innermost name counts
            ("linux-x64/darwin-arm64/x.node", "darwin-arm64"),
        ] {
            assert_eq!(claim(path), expected, "{path}");
        }
    }

    #[test]
    fn other_names_claim_nothing() {
        for path in [
            "addon.node",
            "build/Release/addon.node",
            "x.linux-x64-gnu-2.node",
            "x.darwin-x64-gnu.node",
            "linux-x64-node-v/x.node",
            "linux-x64-node-/x.node",
            "node-22/x.node",
            "x86_64-unknown-linux/x.node",
            "sparc-unknown-linux-gnu/x.node",
            "x.linuxmusl-x64-gnu-.node",
            "linux/x.node",
            "x64/x.node",
            "linux/lib/x64/x.node",
            ".node",
            "",
            "x.linux-x64+.node",
            "x.linux-universal.node",
        ] {
            assert_eq!(claim(path), "-", "{path}");
        }
    }

    fn package(name: &str, os: &[&str], cpu: &[&str], libc: &[&str]) -> Manifest {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Manifest {
            name: Some(name.to_owned()),
            os: owned(os),
            cpu: owned(cpu),
            libc: owned(libc),
            ..Manifest::default()
        }
    }

    #[test]
    fn the_package_completes_what_the_name_leaves_open() {
        for (path, package, expected) in [
            ("x.linux-x64.node", package("a", &[], &[], &["musl"]), "linux-x64-musl"),
            ("x.darwin-x64.node", package("a", &[], &[], &["musl"]), "darwin-x64"),
            ("x.darwin-x64.node", package("a", &["linux"], &[], &["musl"]), "darwin-x64"),
            ("x.node", package("@img/sharp-linuxmusl-x64", &[], &[], &[]), "linux-x64-musl"),
            ("x.node", package("@swc/core-linux-x64-gnu", &[], &[], &[]), "linux-x64-gnu"),
            ("musl_x64/x.node", package("koffi-linux-x64", &[], &[], &[]), "linux-x64-musl"),
            ("linux_x64/x.node", package("koffi-linux-x64", &[], &[], &[]), "linux-x64"),
            ("x.node", package("a", &["linux"], &["x64"], &["glibc"]), "linux-x64-gnu"),
            ("x.node", package("a", &["linux"], &["x64"], &[]), "linux-x64"),
            ("x.node", package("a", &["linux", "darwin"], &["x64"], &[]), "-"),
            ("x.node", package("a", &["!win32"], &["x64"], &[]), "-"),
            ("build/Release/x.node", package("a", &["linux"], &[], &[]), "-"),
        ] {
            let claims = NameClaims::new(path, Some(&package));
            let claim = claims.claim.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            assert_eq!(claim, expected, "{path} {package:?}");
            assert_eq!(claims.conflicts, [""; 0], "{path} {package:?}");
        }
    }

    #[test]
    fn names_that_contradict_each_other_are_listed_and_the_first_counts() {
        let claims = NameClaims::new("linux-x64/x.linux-arm64.node", None);
        assert_eq!(claims.claim.map(|claim| claim.to_string()).as_deref(), Some("linux-arm64"));
        assert_eq!(claims.conflicts, ["the file's name x.linux-arm64.node and its folder linux-x64"]);
        let hostile = NameClaims::new("\u{1b}-linux-x64/x.linux-arm64.node", None);
        assert_eq!(
            hostile.conflicts,
            ["the file's name x.linux-arm64.node and its folder \\u{1b}-linux-x64"]
        );
        let musl = package("a-linux-x64-gnu", &[], &[], &[]);
        assert_eq!(NameClaims::new("x.linux-x64-musl.node", Some(&musl)).conflicts.len(), 1);
        assert_eq!(NameClaims::new("darwin-x64+arm64/x.darwin-x64.node", None).conflicts, [""; 0]);
    }

    #[test]
    fn the_abi_is_that_of_the_tag_or_the_folder() {
        for (path, expected) in [
            ("prebuilds/linux-x64/node.abi115.node", Some(115)),
            ("prebuilds/linux-x64/node.napi.abi115.node", None),
            ("lib/binding/node-v115-darwin-arm64/x.node", Some(115)),
            ("name-v1.2.3-node-v108-linux-x64.node", Some(108)),
            ("bin/linux-x64-node-22/deasync.node", Some(127)),
            ("bin/linux-x64-node-0.12/deasync.node", Some(14)),
            ("bin/linux-x64-node-0.99/deasync.node", None),
            ("lib/sentry_cpu_profiler-linux-x64-glibc-115.node", Some(115)),
            ("sharp-linux-x64-0.35.5.node", None),
            ("build/linux/x64/node/glibc-127-Release/addon.node", Some(127)),
            ("build/Release/addon.node", None),
            ("x-12-Release/addon.node", None),
            ("node-v20.11.1-linux-x64/x.node", None),
            ("node-v20/x.node", None),
            ("lib/binding/napi-v8-linux-glibc-x64/x.node", None),
            ("x.abi.node", None),
            ("x.abi99999999999.node", None),
        ] {
            assert_eq!(NameClaims::new(path, None).abi, expected, "{path}");
        }
    }
}
