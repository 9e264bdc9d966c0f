//! The field `napi` of a package.json, which napi-rs' command line reads.

use serde_json::Value;

use crate::claim::Claim;
use crate::limits::MAX_NAPI_TARGETS;
use crate::platform::{Cpu, Libc, Os};
use crate::printable::printable;

/// The targets that `napi.triples` includes unless its `defaults` is false.
const DEFAULTS: [&str; 3] = ["x86_64-apple-darwin", "x86_64-pc-windows-msvc", "x86_64-unknown-linux-gnu"];

/// The field `napi` of a package.json.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NapiConfig {
    /// `packageName`: the prefix of the platform packages' names, if that is not the package's own name.
    pub(crate) package_name: Option<String>,
    /// The names of Rust targets: `targets`, and `triples` in version 2.
    pub(crate) targets: Vec<String>,
}

impl NapiConfig {
    /// Reads the field; None if the package.json lacks it.
    pub(crate) fn parse(value: &Value) -> Option<NapiConfig> {
        let fields = value.as_object()?;
        let text = |value: &Value| value.as_str().map(|text| printable(text.as_bytes()));
        let list =
            |value: &Value| value.as_array().into_iter().flatten().filter_map(text).collect::<Vec<_>>();
        // Version 2 uses `package.name`.
        let package_name = text(&value["packageName"]).or_else(|| text(&value["package"]["name"]));
        let mut targets = list(&value["targets"]);
        if fields.get("triples").is_some_and(Value::is_object) {
            if value["triples"]["defaults"] != Value::Bool(false) {
                targets.extend(DEFAULTS.map(str::to_owned));
            }
            targets.extend(list(&value["triples"]["additional"]));
        }
        targets.truncate(MAX_NAPI_TARGETS);
        Some(NapiConfig { package_name, targets })
    }

    /// Returns the platforms of the targets. Skips WebAssembly and unknown targets.
    pub(crate) fn platforms(&self) -> Vec<Claim> {
        let mut platforms: Vec<Claim> = Vec::new();
        for platform in self.targets.iter().filter_map(|target| platform(target)) {
            if !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        platforms
    }
}

/// Returns the platform that napi-rs builds for a Rust target.
fn platform(target: &str) -> Option<Claim> {
    let (machine, system) = target.split_once('-')?;
    let cpus = match machine {
        "universal" => vec![Cpu::X64, Cpu::Arm64],
        "x86_64" => vec![Cpu::X64],
        "aarch64" => vec![Cpu::Arm64],
        "i686" | "i586" => vec![Cpu::Ia32],
        "arm" | "armv7" | "armv6" | "thumbv7neon" => vec![Cpu::Arm],
        "loongarch64" => vec![Cpu::Loong64],
        "riscv64gc" => vec![Cpu::Riscv64],
        "powerpc64le" | "powerpc64" => vec![Cpu::Ppc64],
        "s390x" => vec![Cpu::S390x],
        "mips64el" => vec![Cpu::Mips64el],
        "mipsel" => vec![Cpu::Mipsel],
        _ => return None,
    };
    let (os, libc) = match system {
        "apple-darwin" => (Os::Darwin, None),
        "pc-windows-msvc" | "pc-windows-gnu" | "pc-windows-gnullvm" => (Os::Win32, None),
        "linux-android" | "linux-androideabi" => (Os::Android, None),
        "unknown-linux-ohos" => (Os::Openharmony, None),
        "unknown-freebsd" => (Os::Freebsd, None),
        "unknown-openbsd" => (Os::Openbsd, None),
        "unknown-netbsd" => (Os::Netbsd, None),
        _ => match system.strip_prefix("unknown-linux-")? {
            abi if abi.starts_with("gnu") => (Os::Linux, Some(Libc::Glibc)),
            abi if abi.starts_with("musl") => (Os::Linux, Some(Libc::Musl)),
            _ => return None,
        },
    };
    Claim::new(os, &cpus, libc)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(napi: &str) -> Vec<String> {
        let config = NapiConfig::parse(&serde_json::from_str(napi).unwrap()).unwrap();
        config.platforms().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn targets_map_to_nodes_platform_names() {
        for (target, expected) in [
            ("x86_64-unknown-linux-gnu", "linux-x64-gnu"),
            ("armv7-unknown-linux-musleabihf", "linux-arm-musleabihf"),
            ("riscv64gc-unknown-linux-musl", "linux-riscv64-musl"),
            ("powerpc64le-unknown-linux-gnu", "linux-ppc64-gnu"),
            ("loongarch64-unknown-linux-gnu", "linux-loong64-gnu"),
            ("aarch64-unknown-linux-ohos", "openharmony-arm64"),
            ("armv7-linux-androideabi", "android-arm"),
            ("aarch64-linux-android", "android-arm64"),
            ("universal-apple-darwin", "darwin-universal"),
            ("i686-pc-windows-msvc", "win32-ia32-msvc"),
            ("x86_64-unknown-freebsd", "freebsd-x64"),
        ] {
            assert_eq!(platforms(&format!(r#"{{"targets": ["{target}"]}}"#)), [expected]);
        }
        assert_eq!(
            platforms(r#"{"targets": ["wasm32-wasip1-threads", "x", "sparc-unknown-linux-gnu", 3]}"#),
            [""; 0]
        );
        let twice = r#"{"targets": ["arm-linux-androideabi", "armv7-linux-androideabi"]}"#;
        assert_eq!(platforms(twice), ["android-arm"]);
    }

    #[test]
    fn triples_include_the_defaults_unless_defaults_is_false() {
        let defaults = ["darwin-x64", "win32-x64-msvc", "linux-x64-gnu"];
        assert_eq!(platforms(r#"{"triples": {}}"#), defaults);
        let more = r#"{"triples": {"additional": ["x86_64-unknown-linux-musl", "x86_64-apple-darwin"]}}"#;
        assert_eq!(platforms(more), [&defaults[..], &["linux-x64-musl"]].concat());
        let only = r#"{"triples": {"defaults": false, "additional": ["x86_64-apple-darwin"]}}"#;
        assert_eq!(platforms(only), ["darwin-x64"]);
        // A name alone promises nothing.
        assert_eq!(platforms(r#"{"name": "lightningcss"}"#), [""; 0]);
    }

    #[test]
    fn the_package_name_is_read_from_both_fields() {
        let name = |napi: &str| NapiConfig::parse(&serde_json::from_str(napi).unwrap()).unwrap().package_name;
        assert_eq!(name(r#"{"packageName": "@a/b"}"#).as_deref(), Some("@a/b"));
        assert_eq!(name(r#"{"package": {"name": "@a/b"}}"#).as_deref(), Some("@a/b"));
        assert_eq!(NapiConfig::parse(&Value::Null), None);
    }
}
