//! Reads which release of Node, or of a program that embeds Node, a name claims: by its ABI (NODE_MODULE_VERSION) or by
//! its version.

use crate::claim::{Claim, at_the_end, system_at_the_end};
use crate::node_abi;
use crate::platform::Libc;
use crate::platform_words::normalized;

/// A program that loads addons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Node,
    Electron,
    NwJs,
}

/// The claim that a file's name and its folders make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AbiClaim {
    /// The ABI.
    pub(crate) abi: Option<u32>,
    /// The program, if a name gives one.
    pub(crate) runtime: Option<Runtime>,
    /// `true` if loaders open the file only for this ABI (prebuildify's `abi115`, node-pre-gyp's `node-v115`), even if
    /// the addon would load in releases with other ABIs.
    pub(crate) is_exact: bool,
}

/// A platform before an ABI or a release.
pub(crate) struct Bound {
    pub(crate) claim: Option<Claim>,
    abi: Option<u32>,
    runtime: Option<Runtime>,
}

impl AbiClaim {
    /// Reads prebuildify's tags `electron` and `abi115` (ignored beside `napi`), `node-v115` of prebuild and
    /// node-pre-gyp, or the number after a platform.
    pub(crate) fn new(file: &str, folders: &[&str]) -> AbiClaim {
        let stem = file.strip_suffix(".node").unwrap_or(file);
        let tags: Vec<&str> = stem.split('.').collect();
        let of_tags = match tags[..] {
            // A file name without a tag is arbitrary.
            [_] => None,
            _ => tags.iter().find_map(|tag| runtime(tag)),
        };
        if tags.contains(&"napi") {
            return AbiClaim { runtime: of_tags, ..AbiClaim::default() };
        }
        if let Some(abi) = tags.iter().find_map(|tag| number(tag.strip_prefix("abi")?)) {
            return AbiClaim { abi: Some(abi), runtime: of_tags, is_exact: true };
        }
        let names = std::iter::once(&stem).chain(folders.iter().rev());
        let claim = names.clone().find_map(|name| in_words(name));
        claim.unwrap_or(AbiClaim { runtime: of_tags, ..AbiClaim::default() })
    }
}

fn runtime(word: &str) -> Option<Runtime> {
    match word {
        "node" => Some(Runtime::Node),
        "electron" => Some(Runtime::Electron),
        "node-webkit" | "nw" | "nwjs" => Some(Runtime::NwJs),
        _ => None,
    }
}

fn in_words(name: &str) -> Option<AbiClaim> {
    let words: Vec<&str> = name.split('-').collect();
    // cmake-ts: `glibc-127-Release`, `libc-115-Release`, `msvc-115-Release`.
    if let [_, abi, "Release" | "Debug"] = words[..] {
        return Some(AbiClaim { abi: Some(number(abi)?), ..AbiClaim::default() });
    }
    let versioned = words.windows(2).find_map(|pair| match pair {
        ["webkit", version] => Some((Runtime::NwJs, number(version.strip_prefix('v')?)?)),
        [program, version] => Some((runtime(program)?, number(version.strip_prefix('v')?)?)),
        _ => None,
    });
    if let Some((runtime, abi)) = versioned {
        return Some(AbiClaim { abi: Some(abi), runtime: Some(runtime), is_exact: true });
    }
    let Bound { abi, runtime, .. } = bound(name)?;
    Some(AbiClaim { abi, runtime, is_exact: false })
}

/// Reads a platform before an ABI or a release: `x-linux-x64-glibc-115`, `linux-x64-72-musl`, `x_linux_57`, `linux-x64-node-22`,
/// `x-linux-x64-electron-39.2.7`.
pub(crate) fn bound(name: &str) -> Option<Bound> {
    let name = normalized(name);
    let (name, libc) = match name.rsplit_once('-') {
        // The package fibers orders its folders in this way.
        Some((start, end @ ("glibc" | "musl"))) => (start, Libc::by_name(end)),
        _ => (name.as_str(), None),
    };
    let (start, last) = name.rsplit_once('-')?;
    let program = start.rsplit_once('-').and_then(|(start, word)| Some((start, runtime(word)?)));
    if let Some((platform, program)) = program {
        last.split('.').all(|part| part.parse::<u32>().is_ok()).then_some(())?;
        let abi = match program {
            Runtime::Node => node_abi::of_node(last),
            Runtime::Electron => node_abi::of_electron(last),
            Runtime::NwJs => None,
        };
        return Some(Bound { claim: Some(at_the_end(platform)?), abi, runtime: Some(program) });
    }
    let abi = number(last)?;
    // In `linux-64`, the number gives the processor.
    if at_the_end(name).is_some() {
        return None;
    }
    let claim = at_the_end(start).map(|claim| Claim { libc: claim.libc.or(libc), ..claim });
    (claim.is_some() || system_at_the_end(start).is_some()).then_some(Bound {
        claim,
        abi: Some(abi),
        runtime: None,
    })
}

/// Parses an ABI. Numbers up to 40 are releases of Node, since ABIs are above 40 from Node 1 on.
fn number(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|abi| (41..=9999).contains(abi))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> AbiClaim {
        let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
        AbiClaim::new(file, &folders.split('/').collect::<Vec<_>>())
    }

    #[test]
    fn the_abi_comes_from_the_tag_or_the_folder() {
        for (path, expected) in [
            ("prebuilds/linux-x64/node.abi115.node", Some(115)),
            ("prebuilds/linux-x64/@a+b.abi115.uv1.armv8.glibc.node", Some(115)),
            ("prebuilds/linux-x64/electron.abi98.node", Some(98)),
            ("prebuilds/linux-x64/node.napi.abi115.node", None),
            ("prebuilds/simpleble-linux-x64/node-napi-v6.node", None),
            ("lib/binding/node-v115-darwin-arm64/x.node", Some(115)),
            ("lib/node/binding/Release/node-v48-darwin-x64/snowboy.node", Some(48)),
            ("name-v1.2.3-node-v108-linux-x64.node", Some(108)),
            ("name-v1.2.3-electron-v98-linux-x64.node", Some(98)),
            ("name-v1.2.3-node-webkit-v59-linux-x64.node", Some(59)),
            ("bin/linux-x64-node-22/deasync.node", Some(127)),
            ("bin/linux-x64-node-0.12/deasync.node", Some(14)),
            ("bin/linux-x64-node-0.99/deasync.node", None),
            ("binaries/fs-ext-linux-x64-node-20.0.0.node", Some(115)),
            ("binaries/fs-ext-linux-x64-electron-39.2.7.node", Some(140)),
            ("bin/linux-x64-72-musl/fibers.node", Some(72)),
            ("bin/darwin-arm64-108/fibers.node", Some(108)),
            ("uws_linux_57.node", Some(57)),
            ("uws_win32_59.node", Some(59)),
            ("lib/sentry_cpu_profiler-linux-x64-glibc-115.node", Some(115)),
            ("sharp-linux-x64-0.35.5.node", None),
            ("build/linux/x64/node/glibc-127-Release/addon.node", Some(127)),
            ("build/Release/addon.node", None),
            ("x-12-Release/addon.node", None),
            ("node-v20.11.1-linux-x64/x.node", None),
            ("node-v20/x.node", None),
            ("lib/binding/napi-v8-linux-glibc-x64/x.node", None),
            ("couchbase-v4.2.7-napi-v6-linux-x64-openssl3.node", None),
            ("greenworks-linux-64.node", None),
            ("x.abi.node", None),
            ("x.abi99999999999.node", None),
        ] {
            assert_eq!(of(path).abi, expected, "{path}");
        }
    }

    #[test]
    fn the_program_comes_from_the_tag_or_the_word_before_the_abi() {
        for (path, expected, is_exact) in [
            ("prebuilds/linux-x64/node.abi115.node", Some(Runtime::Node), true),
            ("prebuilds/linux-x64/electron.abi98.node", Some(Runtime::Electron), true),
            ("prebuilds/linux-x64/electron.napi.node", Some(Runtime::Electron), false),
            ("lib/binding/node-v115-darwin-arm64/x.node", Some(Runtime::Node), true),
            ("name-v1.2.3-node-webkit-v59-linux-x64.node", Some(Runtime::NwJs), true),
            ("binaries/fs-ext-linux-x64-electron-39.2.7.node", Some(Runtime::Electron), false),
            ("linux-x64/glibc-127-Release/addon.node", None, false),
            ("prebuilds/linux-x64/electron-overlay-window.node", None, false),
            ("build/Release/electron.node", None, false),
            ("build/Release/x.node", None, false),
        ] {
            let claim = of(path);
            assert_eq!((claim.runtime, claim.is_exact), (expected, is_exact), "{path}");
        }
    }
}
