//! Type-checks the Rust of a Windows addon on another machine.
//!
//! Only Windows has MSVC's linker and libraries. The check compiles no C, but it runs the -sys crates' build scripts,
//! which find fake installations of their libraries.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_lock::Lockfile;
use machine::{Workspace, make_executable};
use node_targets::Target;

use crate::cargo::{ADDON, cargo};
use crate::zig::Zig;
use crate::zig_wrappers;

/// Type-checks the addon's crates and their dependencies for a Windows target.
pub(crate) fn type_check(workspace: &Workspace, target: &Target) -> Result<()> {
    let zig = Zig::install(workspace)?;
    let arch = target.triple.split('-').next().unwrap_or_default();
    // openssl-sys preprocesses OpenSSL's headers, which any C compiler for Windows can do.
    let zig_target = &format!("{arch}-windows-gnu");
    let path = zig_wrappers::install(workspace, &zig, zig_target)?;
    let prefix = fake_openssl(workspace, target)?;
    let mut check = cargo(workspace, "check", ADDON, &[target]);
    let variable = |name: &str| format!("{name}_{}", target.underscored());
    check
        .env("PATH", path)
        .env(variable("CC"), zig_wrappers::name(zig_target, "cc"))
        .env("OPENSSL_NO_VENDOR", "1")
        .env("OPENSSL_DIR", &prefix)
        .env("OPENSSL_STATIC", "0")
        .env("LIBSQLITE3_SYS_USE_PKG_CONFIG", "1")
        .env("SQLCIPHER_LIB_DIR", prefix.join("lib"))
        .env("ZSTD_SYS_USE_PKG_CONFIG", "1")
        .env(variable("PKG_CONFIG"), prefix.join("pkg-config"));
    workspace.run(&format!("check {target}"), check).map(drop)
}

/// A pkg-config that reports version 1 of every library.
const PKG_CONFIG: &str = "#!/bin/sh\ncase $* in *--modversion*) echo 1 ;; esac\n";

/// Makes a folder that looks like an installation of OpenSSL: two headers with the version, and a pkg-config.
fn fake_openssl(workspace: &Workspace, target: &Target) -> Result<PathBuf> {
    let prefix = workspace.release_target_dir().join(&target.triple).join("fake-openssl");
    let (headers, libraries) = (prefix.join("include/openssl"), prefix.join("lib"));
    for folder in [&headers, &libraries] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let lock = Lockfile::load(workspace.root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    write(&headers.join("opensslv.h"), &version_header(&lock)?)?;
    write(&headers.join("opensslconf.h"), "")?;
    write(&prefix.join("pkg-config"), PKG_CONFIG)?;
    make_executable(&prefix.join("pkg-config"))?;
    Ok(prefix)
}

/// Returns the part of `opensslv.h` that openssl-sys reads, for the version of OpenSSL in Cargo.lock.
fn version_header(lock: &Lockfile) -> Result<String> {
    let source = lock.packages.iter().find(|package| package.name.as_str() == "openssl-src");
    let source = &source.context("Cargo.lock has no openssl-src: restore the file with git")?.version;
    // `300.5.5+3.5.5`: the crate's version, then OpenSSL's.
    let parts: Vec<u32> = source.build.split('.').filter_map(|part| part.parse().ok()).collect();
    let [major, minor, patch] = parts[..] else {
        anyhow::bail!("openssl-src is {source} in Cargo.lock, without a version of OpenSSL after the `+`");
    };
    Ok(format!(
        "#define OPENSSL_VERSION_MAJOR {major}\n#define OPENSSL_VERSION_MINOR {minor}\n#define OPENSSL_VERSION_PATCH \
         {patch}\n"
    ))
}

fn write(file: &Path, content: &str) -> Result<()> {
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_locked_version() {
        let header = |packages: &str| version_header(&format!("version = 4\n{packages}").parse().unwrap());
        let package =
            |version: &str| format!("[[package]]\nname = \"openssl-src\"\nversion = \"{version}\"\n");
        let text = header(&package("300.5.7+3.5.12")).unwrap();
        assert!(text.ends_with("MINOR 5\n#define OPENSSL_VERSION_PATCH 12\n"), "{text}");
        assert_eq!(
            header("").unwrap_err().to_string(),
            "Cargo.lock has no openssl-src: restore the file with git"
        );
        assert!(header(&package("300.5.7")).unwrap_err().to_string().contains("is 300.5.7 in Cargo.lock"));
        let own = Lockfile::load(Workspace::find().unwrap().root().join("Cargo.lock")).unwrap();
        version_header(&own).unwrap();
    }
}
