//! Reads the environment of the build script.

use std::env;
use std::ffi::OsString;

/// Reads a variable that a user may set. If the variable changes, cargo reruns the build script.
pub(crate) fn from_user(name: &str) -> Option<OsString> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Reads a variable that cargo sets. If the variable changes, cargo reruns the build script anyway.
pub(crate) fn from_cargo(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// The target of the build.
pub(crate) struct Target {
    pub(crate) triple: String,
    /// `CARGO_CFG_TARGET_ARCH`: `x86_64` or `aarch64`.
    pub(crate) arch: String,
    /// `CARGO_CFG_TARGET_OS`: `linux`, `macos` or `windows`.
    pub(crate) os: String,
}

impl Target {
    pub(crate) fn from_cargo() -> Result<Self, String> {
        let text = |name| {
            let value = from_cargo(name).and_then(|value| value.into_string().ok());
            value.ok_or_else(|| format!("{name} is not set; is this build script run by cargo?"))
        };
        Ok(Self {
            triple: text("TARGET")?,
            arch: text("CARGO_CFG_TARGET_ARCH")?,
            os: text("CARGO_CFG_TARGET_OS")?,
        })
    }

    /// Reads a variable as openssl-sys does: first prefixed with the target's name, then without the prefix.
    pub(crate) fn setting(&self, name: &str) -> Option<OsString> {
        from_user(&format!("{}_{name}", self.triple.to_uppercase().replace('-', "_")))
            .or_else(|| from_user(name))
    }
}
