//! Combines the claims that the names of an addon and of its package make.

use crate::claim::Claim;
use crate::facts::Facts;
use crate::manifest::Manifest;
use crate::name_abi::AbiClaim;
use crate::name_hints::{Hint, of_fields, of_file, of_package_name, of_path};
use crate::partial_claim::PartialClaim;
use crate::platform::{Cpu, Libc, Os};

/// The claims of an addon's file name, its folders, its package's name and its package.json.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NameClaims {
    /// The platform that the first name with a platform claims, completed by the other names.
    pub(crate) claim: Option<Claim>,
    /// The partial claim, if all names together lack the system or the processor.
    pub(crate) partial: PartialClaim,
    /// The ABI that a name claims, and the program that has this ABI.
    pub(crate) abi: AbiClaim,
    /// Pairs of names that claim different platforms, as text.
    pub(crate) conflicts: Vec<String>,
}

impl NameClaims {
    /// Reads the claims of a path with `/` between its parts, relative to the folder of the package.json, if present.
    pub(crate) fn new(path: &str, package: Option<&Manifest>) -> NameClaims {
        let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
        let folders: Vec<&str> = folders.split('/').filter(|folder| !folder.is_empty()).collect();
        let mut hints = vec![of_file(file)];
        hints.extend(of_path(&folders));
        let in_package = hints.len();
        hints.extend(package.and_then(|package| package.name.as_deref()).and_then(of_package_name));
        let names = hints.len();
        hints.extend(package.map(of_fields));
        let abi = AbiClaim::new(file, &folders);
        let Some((position, first)) = first(&hints, in_package) else {
            return NameClaims { partial: partial(&hints, in_package), abi, ..NameClaims::default() };
        };
        let same = |hint: &&Hint| hint.os.is_none() || hint.os == first.os;
        let libc = hints.iter().filter(same).find_map(|hint| hint.libc);
        let os = first.os;
        let claim = os.and_then(|os| Claim::new(os, &first.cpus, libc.filter(|_| os == Os::Linux)));
        // The rule `package` compares the claim with package.json's fields.
        let others = hints.iter().take(names).enumerate().filter(|(other, _)| *other != position);
        let conflicts = others
            .filter(|(_, other)| contradicts(&first, libc, other))
            .map(|(_, other)| format!("{} and {}", first.place, other.place));
        NameClaims { abi, conflicts: conflicts.collect(), claim, partial: PartialClaim::default() }
    }

    /// Reads the claims of a package as a whole.
    pub(crate) fn of_package(package: &Manifest) -> NameClaims {
        NameClaims::new("", Some(package))
    }

    /// Returns the claim, completed by the file's own system or processors.
    pub(crate) fn completed(&self, facts: &[Facts]) -> Option<Claim> {
        self.claim.clone().or_else(|| self.partial.completed(facts))
    }

    /// Returns whether a name gives a system, a processor, a C library, or an ABI.
    pub(crate) fn has_any(&self) -> bool {
        let NameClaims { claim, partial, abi, .. } = self;
        claim.is_some() || *partial != PartialClaim::default() || *abi != AbiClaim::default()
    }
}

/// Returns the first hint with a system and a processor, and its position. If no hint has both, the first system and the
/// first processor form a hint, provided that a name in the package gives one of them.
fn first(hints: &[Hint], in_package: usize) -> Option<(usize, Hint)> {
    let copy = |hint: &Hint, os, cpus: &[Cpu]| Hint {
        place: hint.place.clone(),
        os,
        cpus: cpus.to_vec(),
        libc: hint.libc,
        is_ambiguous: false,
    };
    let is_whole = |hint: &&Hint| hint.os.is_some() && !hint.cpus.is_empty();
    if let Some((position, hint)) = hints.iter().enumerate().find(|(_, hint)| is_whole(hint)) {
        return Some((position, copy(hint, hint.os, &hint.cpus)));
    }
    let with_os = hints.iter().position(|hint| hint.os.is_some() && !hint.is_ambiguous)?;
    let with_cpu = hints.iter().position(|hint| !hint.cpus.is_empty())?;
    let position = with_os.min(with_cpu);
    let (os, cpus) = (hints.get(with_os)?.os, &hints.get(with_cpu)?.cpus);
    (position < in_package).then_some((position, copy(hints.get(position)?, os, cpus)))
}

/// Returns the parts of a claim that the names in the package give.
fn partial(hints: &[Hint], in_package: usize) -> PartialClaim {
    let hints = hints.iter().take(in_package);
    let certain = hints.clone().find(|hint| hint.os.is_some() && !hint.is_ambiguous);
    let system = certain.or_else(|| hints.clone().find(|hint| hint.os.is_some()));
    let libc = hints.clone().find_map(|hint| hint.libc);
    // Only Linux has musl.
    let os = system.and_then(|hint| hint.os).or((libc == Some(Libc::Musl)).then_some(Os::Linux));
    let cpus = hints.clone().find(|hint| !hint.cpus.is_empty());
    PartialClaim {
        os,
        is_ambiguous: system.is_some_and(|hint| hint.is_ambiguous),
        cpus: cpus.map(|hint| hint.cpus.clone()).unwrap_or_default(),
        libc,
    }
}

fn contradicts(first: &Hint, libc: Option<Libc>, other: &Hint) -> bool {
    let os = other.os.is_some() && other.os != first.os && !other.is_ambiguous;
    let cpus = !other.cpus.is_empty() && !other.cpus.iter().any(|cpu| first.cpus.contains(cpu));
    let libc = other.libc.is_some() && other.libc != libc;
    os || cpus || libc
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
            // NW.js, greenworks, steamworks.js
            ("lib/greenworks-linux64.node", "linux-x64"),
            ("lib/greenworks-linux32.node", "linux-ia32"),
            ("lib/greenworks-osx64.node", "darwin-x64"),
            ("lib/greenworks-win64.node", "win32-x64-msvc"),
            ("lib/x-linux-64.node", "linux-x64"),
            ("dist/osx/steamworksjs.darwin-arm64.node", "darwin-arm64"),
            ("dist/win64/steamworksjs.win32-x64-msvc.node", "win32-x64-msvc"),
            ("dist/linux64/x.node", "linux-x64"),
            // koffi, wireguard-tools.js
            ("build/koffi/linux_x64/koffi.node", "linux-x64"),
            ("build/koffi/linux_arm32/koffi.node", "linux-arm"),
            ("build/koffi/musl_x64/koffi.node", "linux-x64-musl"),
            ("build/koffi/freebsd_i386/koffi.node", "freebsd-ia32"),
            ("prebuilds/win32_arm64/keygen.node", "win32-arm64-msvc"),
            // @datadog/native-metrics, farmhash, oracledb, webbluetooth, usearch
            ("prebuilds/linuxglibc-x64/node-napi.node", "linux-x64-gnu"),
            ("build/farmhash-linuxmusl-arm64.node", "linux-arm64-musl"),
            ("build/Release/oracledb-6.5.1-linux-x64.node", "linux-x64"),
            ("prebuilds/simpleble-win32-ia32/node-napi-v6.node", "win32-ia32-msvc"),
            ("prebuilds/darwin-arm64+x64/usearch.node", "darwin-universal"),
            // fibers, fs-ext-extra-prebuilt
            ("bin/linux-x64-72-musl/fibers.node", "linux-x64-musl"),
            ("bin/linux-x64-72-glibc/fibers.node", "linux-x64-gnu"),
            ("bin/win32-x64-83/fibers.node", "win32-x64-msvc"),
            ("binaries/fs-ext-linux-x64-node-20.0.0.node", "linux-x64"),
            ("binaries/fs-ext-darwin-arm64-electron-39.2.7.node", "darwin-arm64"),
            // electron-edge-js
            ("lib/native/win32/ia32/40/edge_coreclr.node", "win32-ia32-msvc"),
            // node-llama-cpp, couchbase
            ("llamaBins/mac-arm64/llama-addon.node", "darwin-arm64"),
            ("llamaBins/win-x64/llama-addon.node", "win32-x64-msvc"),
            ("llamaBins/linux-armv7l/llama-addon.node", "linux-arm"),
            ("bins/linux-x64-cuda/llama-addon.node", "linux-x64"),
            ("bins/mac-arm64-metal/llama-addon.node", "darwin-arm64"),
            ("couchbase-v4.2.7-napi-v6-linuxmusl-x64-openssl3.node", "linux-x64-musl"),
            // @picovoice/porcupine-node
            ("lib/linux/x86_64/pv_porcupine.node", "linux-x64"),
            ("lib/mac/arm64/pv_porcupine.node", "darwin-arm64"),
            ("lib/windows/amd64/pv_porcupine.node", "win32-x64-msvc"),
            // ftdi-d2xx
            ("build/Release/ftdi-d2xx.Linux.x86_64.node", "linux-x64"),
            ("build/Release/ftdi-d2xx.Windows.AMD64.node", "win32-x64-msvc"),
            ("build/Release/ftdi-d2xx.Darwin.arm64.node", "darwin-arm64"),
            // vcpkg, Debian
            ("x.x64-linux.node", "linux-x64"),
            ("x64-windows/x.node", "win32-x64-msvc"),
            ("aarch64-linux-gnu/x.node", "linux-arm64-gnu"),
            // two names combined
            ("linux/lib/x64/x.node", "linux-x64"),
            ("prebuilds/arm64/x.linux.node", "linux-arm64"),
            // the innermost name takes precedence
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
            ".node",
            "",
            "x.linux-x64+.node",
            "x.linux-universal.node",
        ] {
            assert_eq!(claim(path), "-", "{path}");
        }
    }

    /// Describes a partial claim: `linux?` with a word that has other meanings, `x64`.
    fn partial(path: &str) -> String {
        let PartialClaim { os, is_ambiguous, cpus, libc } = NameClaims::new(path, None).partial;
        let os = os.map(|os| format!("{os}{}", if is_ambiguous { "?" } else { "" }));
        let words = os
            .into_iter()
            .chain(cpus.iter().map(ToString::to_string))
            .chain(libc.map(|libc| libc.to_string()));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_may_claim_only_a_part_of_a_platform() {
        for (path, expected) in [
            ("lib/bcrypt.linux.node", "linux"),
            ("lib/bcrypt.win32.node", "win32"),
            ("lib/bcrypt.musl.node", "linux musl"),
            ("lib/bcrypt.linux-musl.node", "linux musl"),
            ("lib/bcrypt.glibc.node", "glibc"),
            ("lib/bcrypt.windows.node", "win32"),
            ("lib/bcrypt.mac.node", "darwin"),
            ("lib/bcrypt-macos.node", "darwin"),
            ("lib/bcrypt_darwin.node", "darwin"),
            ("lib/greenworks-win32.node", "win32"),
            ("uws_linux_57.node", "linux"),
            ("uws_darwin_57.node", "darwin"),
            ("osx/x.node", "darwin"),
            ("linux/x.node", "linux"),
            ("lib/linux.node", "linux"),
            ("crypt32-ia32.node", "ia32"),
            ("x64/fswin.node", "x64"),
            // The claim includes a word with other meanings only if the content agrees.
            ("lib/get-windows.node", "win32?"),
            ("lib/hash-mac.node", "darwin?"),
            ("windows/x.node", "win32?"),
            // Ordinary words.
            ("linuxbrew/x.node", ""),
            ("home/linux/project/build/Release/x.node", ""),
            ("lib/selinux.node", ""),
            ("lib/linux-input.node", ""),
            ("lib/darwin-kit.node", ""),
            ("lib/hmac.node", ""),
            ("lib/robot-arm.node", ""),
            ("arm/x.node", ""),
            ("lib/window.node", ""),
            ("lib/x86.node", ""),
        ] {
            assert_eq!(partial(path), expected, "{path}");
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
            ("crypt32-ia32.node", package("win-ca", &["win32"], &[], &[]), "win32-ia32-msvc"),
            ("x.linux.node", package("a", &[], &["arm64"], &["musl"]), "linux-arm64-musl"),
            ("x.node", package("sherpa-onnx-win-x64", &[], &[], &[]), "win32-x64-msvc"),
            ("x.node", package("libnut-linux", &[], &["x64"], &[]), "-"),
        ] {
            let claims = NameClaims::new(path, Some(&package));
            let claim = claims.claim.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            assert_eq!(claim, expected, "{path} {package:?}");
            assert_eq!(claims.conflicts, [""; 0], "{path} {package:?}");
        }
    }

    #[test]
    fn contradicting_names_are_listed_and_the_first_name_takes_precedence() {
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
        for path in [
            "darwin-x64+arm64/x.darwin-x64.node",
            "osx/x.darwin-x64.node",
            "windows/x.linux-x64.node",
            "darwin-x64/node.napi.glibc.node",
        ] {
            assert_eq!(NameClaims::new(path, None).conflicts, [""; 0], "{path}");
        }
        for path in ["linux-x64/x.darwin.node", "linux-x64/x-arm64.node", "osx/x.linux-x64.node"] {
            assert_eq!(NameClaims::new(path, None).conflicts.len(), 1, "{path}");
        }
    }
}
