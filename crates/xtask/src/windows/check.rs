//! The Rust of the addon that is shipped for Windows, type-checked on a machine that is none.
//!
//! MSVC's linker and libraries are had on Windows only. To check the Rust none of the C is needed; but the -sys crates'
//! build scripts run. They are told that their libraries are there, and then compile nothing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use node_targets::Target;

use crate::addon;
use crate::paths::Workspace;
use crate::process;
use crate::tools::{Zig, make_executable};
use crate::zig_cc;

/// Checks the addon's crates for a target of Windows, and all that they are built of.
pub(crate) fn check(workspace: &Workspace, target: &Target) -> Result<()> {
    let zig = Zig::install(workspace)?;
    let arch = target.triple.split('-').next().unwrap_or_default();
    // Of the C, openssl-sys wants one thing done: its headers preprocessed. For that any compiler of Windows' will do.
    let zig_target = &format!("{arch}-windows-gnu");
    let path = zig_cc::install(workspace, &zig, zig_target)?;
    let prefix = stand_in(workspace, target)?;
    let mut cargo = addon::cargo(workspace, "check", &[target]);
    let variable = |name: &str| format!("{name}_{}", target.triple.replace('-', "_"));
    cargo
        .env("PATH", path)
        .env(variable("CC"), zig_cc::name(zig_target, "cc"))
        .env("OPENSSL_NO_VENDOR", "1")
        .env("OPENSSL_DIR", &prefix)
        .env("OPENSSL_STATIC", "0")
        .env("LIBSQLITE3_SYS_USE_PKG_CONFIG", "1")
        .env("SQLCIPHER_LIB_DIR", prefix.join("lib"))
        .env("ZSTD_SYS_USE_PKG_CONFIG", "1")
        .env(variable("PKG_CONFIG"), prefix.join("pkg-config"));
    process::run(workspace, &format!("check {target}"), cargo).map(drop)
}

/// Finds every library, and has nothing to say of it but that there is a version.
const PKG_CONFIG: &str = "#!/bin/sh\ncase $* in *--modversion*) echo 1 ;; esac\n";

/// A folder that passes for an installation of OpenSSL: two headers, which tell the version; and with a pkg-config.
fn stand_in(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let prefix = workspace.release_target_dir().join(&target.triple).join("stand-in");
    let (headers, libraries) = (prefix.join("include/openssl"), prefix.join("lib"));
    for folder in [&headers, &libraries] {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let lock = workspace.root().join("Cargo.lock");
    let lock = fs::read_to_string(&lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    write(&headers.join("opensslv.h"), &version_header(&lock)?)?;
    write(&headers.join("opensslconf.h"), "")?;
    write(&prefix.join("pkg-config"), PKG_CONFIG)?;
    make_executable(&prefix.join("pkg-config"))?;
    Ok(prefix)
}

/// What openssl-sys reads of `opensslv.h`, for the OpenSSL that Cargo.lock has.
fn version_header(lock: &str) -> Result<String> {
    let lock: toml::Table = lock.parse().context("Cargo.lock is no TOML")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let field = |package: &toml::Value, name: &str| Some(package.get(name)?.as_str()?.to_owned());
    let source = packages
        .into_iter()
        .flatten()
        .find(|package| field(package, "name").as_deref() == Some("openssl-src"))
        .and_then(|package| field(package, "version"))
        .context("Cargo.lock has no openssl-src")?;
    // `300.5.5+3.5.5`: the crate's version, then OpenSSL's.
    let version = source.split_once('+').map(|(_, version)| version).unwrap_or_default();
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    let [major, minor, patch] = parts[..] else {
        anyhow::bail!("openssl-src is {source} in Cargo.lock, which names no version of OpenSSL");
    };
    Ok(format!(
        "#define OPENSSL_VERSION_MAJOR {major}\n#define OPENSSL_VERSION_MINOR {minor}\n#define OPENSSL_VERSION_PATCH \
         {patch}\n"
    ))
}

fn write(file: &Path, content: &str) -> Result<()> {
    fs::write(file, content).with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_version_that_is_locked() {
        let lock = "[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"openssl-src\"\nversion = \"300.5.7+3.5.12\"\n";
        let header = version_header(lock).unwrap();
        assert!(header.ends_with("MINOR 5\n#define OPENSSL_VERSION_PATCH 12\n"), "{header}");
        let error = version_header("").unwrap_err().to_string();
        assert_eq!(error, "Cargo.lock has no openssl-src");
        let bare = "[[package]]\nname = \"openssl-src\"\nversion = \"300.5.7\"\n";
        assert!(version_header(bare).unwrap_err().to_string().contains("is 300.5.7 in Cargo.lock"));
        let own = fs::read_to_string(Workspace::find().unwrap().root().join("Cargo.lock")).unwrap();
        version_header(&own).unwrap();
    }
}
