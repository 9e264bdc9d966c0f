//! The environment of the build script.

use std::env;
use std::ffi::OsString;

/// A variable that a user may set; when it changes, cargo runs the build script again.
pub(crate) fn from_user(name: &str) -> Option<OsString> {
    println!("cargo::rerun-if-env-changed={name}");
    env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable that cargo sets for the build script, which it runs again by itself.
pub(crate) fn from_cargo(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// What is being built for.
pub(crate) struct Target {
    pub(crate) triple: String,
    /// `CARGO_CFG_TARGET_ARCH`: `x86_64`, `aarch64`.
    pub(crate) arch: String,
    /// `CARGO_CFG_TARGET_OS`: `linux`, `macos`, `windows`.
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

    /// A variable that openssl-sys reads with the target's name in front, or without.
    pub(crate) fn setting(&self, name: &str) -> Option<OsString> {
        from_user(&format!("{}_{name}", self.triple.to_uppercase().replace('-', "_")))
            .or_else(|| from_user(name))
    }
}
