//! The machine that a compiler compiles for.

use std::fmt;

/// A machine, in cargo's terms for `CARGO_CFG_TARGET_ARCH`, `_OS` and `_ENV`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    arch: &'static str,
    os: &'static str,
    /// Empty if the system has only one C library, or if no C library was found.
    env: &'static str,
}

impl Machine {
    /// Returns the machine that a Rust triple names, or `None` for a triple unknown to [`check`](crate::check).
    pub fn of_triple(triple: &str) -> Option<Self> {
        let (arch, system) = triple.split_once('-')?;
        let arch = ["x86_64", "aarch64"].into_iter().find(|known| *known == arch)?;
        let (os, env) = match system {
            "unknown-linux-gnu" => ("linux", "gnu"),
            "unknown-linux-musl" => ("linux", "musl"),
            "apple-darwin" => ("macos", ""),
            "pc-windows-msvc" => ("windows", "msvc"),
            "pc-windows-gnu" | "pc-windows-gnullvm" => ("windows", "gnu"),
            _ => return None,
        };
        Some(Self { arch, os, env })
    }

    /// The triples that [`Machine::of_triple`] knows, as text for an error.
    pub const KNOWN: &str = "x86_64 and aarch64, each with unknown-linux-gnu, unknown-linux-musl, apple-darwin, \
                             pc-windows-msvc and pc-windows-gnu";

    /// A source file for a C preprocessor. [`Machine::of_probe`] reads the output.
    ///
    /// The output is plain words, not a list of predefined macros, which MSVC's compiler cannot print. musl has no macro of
    /// its own: a features.h without `__GLIBC__` means musl.
    pub(crate) const PROBE: &str = "\
#if defined(__x86_64__) || defined(_M_X64)
probe_arch_x86_64
#elif defined(__aarch64__) || defined(_M_ARM64)
probe_arch_aarch64
#elif defined(__i386__) || defined(_M_IX86)
probe_arch_x86
#elif defined(__arm__) || defined(_M_ARM)
probe_arch_arm
#elif defined(__riscv)
probe_arch_riscv
#elif defined(__powerpc64__)
probe_arch_powerpc64
#elif defined(__s390x__)
probe_arch_s390x
#endif
#if defined(__ANDROID__)
probe_os_android
#elif defined(__linux__)
probe_os_linux
#if __has_include(<features.h>)
#include <features.h>
#if defined(__UCLIBC__)
probe_env_uclibc
#elif defined(__GLIBC__)
probe_env_gnu
#else
probe_env_musl
#endif
#endif
#elif defined(__APPLE__)
probe_os_macos
#elif defined(_WIN32)
probe_os_windows
#if defined(__MINGW32__)
probe_env_gnu
#else
probe_env_msvc
#endif
#endif
";

    /// Returns the machine from a preprocessed [`Machine::PROBE`], or `None` if the text names no machine.
    pub(crate) fn of_probe(preprocessed: &str) -> Option<Self> {
        let word = |kind: &str, words: &[&'static str]| {
            let told = preprocessed.lines().find_map(|line| line.trim().strip_prefix(kind))?;
            words.iter().copied().find(|word| *word == told)
        };
        let arch = word("probe_arch_", &["x86_64", "aarch64", "x86", "arm", "riscv", "powerpc64", "s390x"]);
        let os = word("probe_os_", &["linux", "macos", "windows", "android"]);
        let env = word("probe_env_", &["gnu", "musl", "msvc", "uclibc"]);
        arch.or(os)?;
        Some(Self {
            arch: arch.unwrap_or("an unknown processor"),
            os: os.unwrap_or("without a known system"),
            env: env.unwrap_or_default(),
        })
    }
}

/// Writes text such as "aarch64 linux (musl)".
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.arch, self.os)?;
        match (self.os, self.env) {
            ("linux", "") => f.write_str(" (without the headers of a C library)"),
            (_, "") => Ok(()),
            (_, env) => write!(f, " ({env})"),
        }
    }
}
