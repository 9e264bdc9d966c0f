//! Platform packages: packages of one platform each, which a main package lists, such as `@swc/core-linux-x64-gnu`.

use std::collections::BTreeSet;

use crate::claim::Claim;
use crate::limits::MAX_PLATFORM_PACKAGES;
use crate::manifest::Manifest;

/// A platform package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlatformPackage<'a> {
    pub(crate) name: &'a str,
    /// The name without the platform: `@swc/core-`, `@libsql/`.
    pub(crate) family: &'a str,
    pub(crate) claim: Claim,
    /// The version range, if package.json gives one.
    pub(crate) range: Option<&'a str>,
}

impl<'a> PlatformPackage<'a> {
    /// Returns the package if its name ends with a platform.
    pub(crate) fn by_name(name: &'a str) -> Option<PlatformPackage<'a>> {
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        // A platform has at most four words. The function takes the longest match, since `musl` alone also names a
        // system.
        let dashes: Vec<usize> = name.rmatch_indices('-').take(4).map(|(dash, _)| dash + 1).collect();
        let mut starts = std::iter::once(last).chain(dashes.into_iter().rev().filter(|start| *start > last));
        let start = starts.find(|start| claim_of(name.get(*start..)).is_some())?;
        let (family, platform) = name.split_at_checked(start)?;
        Some(PlatformPackage { name, family, claim: claim_of(Some(platform))?, range: None })
    }

    /// Returns whether the name is that of a platform package of a main package: `name-PLATFORM`, `@name/PLATFORM`,
    /// `@name/name-PLATFORM`, or `@scope/PLATFORM` for `@scope/name`.
    pub(crate) fn is_of(&self, main: &Manifest) -> bool {
        let configured = main.napi.as_ref().and_then(|napi| napi.package_name.as_deref());
        configured.into_iter().chain(main.name.as_deref()).any(|name| {
            let scope = match name.split_once('/') {
                Some((scope, _)) => format!("{scope}/"),
                None => format!("@{name}/"),
            };
            let in_scope = self.family.strip_prefix(scope.as_str());
            in_scope == Some("")
                || self
                    .family
                    .strip_suffix('-')
                    .is_some_and(|start| start == name || start.strip_prefix(scope.as_str()) == Some(name))
        })
    }
}

/// Returns the claim of a string that is exactly a platform.
fn claim_of(text: Option<&str>) -> Option<Claim> {
    text?.parse().ok()
}

/// Returns the platform packages that a package.json lists, the optional ones first. Returns each name once.
pub(crate) fn platform_packages(manifest: &Manifest) -> Vec<PlatformPackage<'_>> {
    let ranges = manifest.optional_ranges.iter().map(|range| Some(range.as_str()));
    let optional = manifest.optional_dependencies.iter().zip(ranges);
    let others = manifest.dependencies.iter().map(|name| (name, None));
    let mut seen = BTreeSet::new();
    let packages = optional
        .chain(others)
        .filter_map(|(name, range)| Some(PlatformPackage { range, ..PlatformPackage::by_name(name)? }));
    packages.filter(|package| seen.insert(package.name)).take(MAX_PLATFORM_PACKAGES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_consists_of_a_family_and_a_platform() {
        for (name, family, platform) in [
            ("@swc/core-linux-x64-gnu", "@swc/core-", "linux-x64-gnu"),
            ("@libsql/linux-x64-musl", "@libsql/", "linux-x64-musl"),
            ("@img/sharp-linuxmusl-arm64", "@img/sharp-", "linux-arm64-musl"),
            ("@img/sharp-libvips-darwin-x64", "@img/sharp-libvips-", "darwin-x64"),
            ("@parcel/watcher-linux-arm-glibc", "@parcel/watcher-", "linux-arm-gnueabihf"),
            ("@node-rs/argon2-android-arm-eabi", "@node-rs/argon2-", "android-arm"),
            ("@esbuild/win32-ia32", "@esbuild/", "win32-ia32-msvc"),
            ("lightningcss-darwin-x64", "lightningcss-", "darwin-x64"),
            ("linux-x64", "", "linux-x64"),
        ] {
            let package = PlatformPackage::by_name(name).unwrap();
            assert_eq!((package.family, package.claim.to_string().as_str()), (family, platform), "{name}");
        }
        for name in [
            "fsevents",
            "@rspack/binding-wasm32-wasi",
            "a-linux",
            "@linux-x64/a",
            "",
            "-",
            "a-",
            "\u{e4}-x64",
        ] {
            assert_eq!(PlatformPackage::by_name(name), None, "{name}");
        }
        assert_eq!(PlatformPackage::by_name(&"-x64".repeat(100_000)), None);
    }

    #[test]
    fn a_main_package_has_the_platform_packages_that_its_name_begins() {
        for (main, package, expected) in [
            ("strongroom", "@strongroom/linux-x64-gnu", true),
            ("rollup", "@rollup/rollup-linux-x64-gnu", true),
            ("lightningcss", "lightningcss-linux-x64-gnu", true),
            ("@swc/core", "@swc/core-linux-x64-gnu", true),
            ("@libsql/client", "@libsql/linux-x64-gnu", true),
            ("app", "@rollup/rollup-linux-x64-gnu", false),
            ("app", "lightningcss-linux-x64-gnu", false),
            ("app", "my-app-linux-x64-gnu", false),
            ("@swc/helpers", "@swc/core-linux-x64-gnu", false),
            ("app", "linux-x64-gnu", false),
        ] {
            let manifest = Manifest { name: Some(main.to_owned()), ..Manifest::default() };
            let package = PlatformPackage::by_name(package).unwrap();
            assert_eq!(package.is_of(&manifest), expected, "{main} {}", package.name);
        }
        let named = br#"{"name": "a", "napi": {"packageName": "@b/c"}}"#;
        let package = PlatformPackage::by_name("@b/c-darwin-x64").unwrap();
        assert!(package.is_of(&Manifest::parse(named).unwrap()));
    }
}
