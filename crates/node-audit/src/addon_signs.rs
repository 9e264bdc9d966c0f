//! Recognises packages that never had a native addon, by the absence of every sign of one.

use crate::install_program::InstallProgram;
use crate::manifest::Manifest;
use crate::name_claims::NameClaims;
use crate::neighbours::Presence;
use crate::package_contents::PackageContents;

/// The dependencies of packages with addons: headers, loaders and tools that compile or download the addon.
const DEPENDENCIES: [&str; 12] = [
    "@mapbox/node-pre-gyp",
    "bindings",
    "cmake-js",
    "nan",
    "napi-postinstall",
    "node-addon-api",
    "node-gyp",
    "node-gyp-build",
    "node-gyp-build-optional-packages",
    "node-pre-gyp",
    "pkg-prebuilds",
    "prebuild-install",
];

/// The programs, besides [`InstallProgram`]'s, in the scripts of packages with addons.
const PROGRAMS: [&str; 6] = ["cargo-cp-artifact", "napi", "neon", "node-audit", "prebuild", "prebuildify"];

/// The folders and files in the field `files` of packages with addons.
const FILES: [&str; 3] = ["binding.gyp", "build/Release", "prebuilds"];

/// Returns whether a package without an addon shows signs of one: in its names, its scripts, its dependencies or its
/// files.
pub(crate) fn has_addon_signs(package: &PackageContents) -> bool {
    let manifest = &package.manifest;
    let is_for_platform = NameClaims::of_package(manifest).claim.is_some()
        || !manifest.cpu.is_empty()
        || !manifest.libc.is_empty();
    package.concerns_addons()
        || manifest.napi.is_some()
        || is_for_platform
        || package.files.find("binding.gyp") == Presence::Present
        || manifest.install_scripts().next().is_some()
        || manifest.scripts.iter().any(|(_, script)| runs_addon_tool(script))
        || dependencies(manifest).any(|name| DEPENDENCIES.contains(&name))
        || manifest.files.iter().any(|file| names_addon(file))
}

fn dependencies(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.dependencies.iter().chain(&manifest.optional_dependencies).map(String::as_str)
}

fn runs_addon_tool(script: &str) -> bool {
    let mut words = script.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | '/'));
    InstallProgram::of(script).is_some() || words.any(|word| PROGRAMS.contains(&word))
}

/// Returns whether an entry of `files` is for addons: `prebuilds/`, `*.node`.
fn names_addon(file: &str) -> bool {
    let file = file.trim_start_matches("./").trim_start_matches('/');
    file.ends_with(".node")
        || FILES.iter().any(|start| {
            file.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}
