//! The words for systems and processors in names: Node's own words, and the words of compilers, Linux distributions and
//! package authors.

use crate::platform::{Cpu, Libc, Os};

/// The system that a word names, and the processor and C library that the same word gives: `linux64`, `linuxmusl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct System {
    pub(crate) os: Os,
    pub(crate) cpu: Option<Cpu>,
    pub(crate) libc: Option<Libc>,
    /// `true` if the word also has another meaning in names, such as the windows of a desktop, or a MAC address.
    pub(crate) is_ambiguous: bool,
}

/// The words after a platform that name a variant of the build. A version may follow such a word.
const VARIANTS: [&str; 16] = [
    "release", "debug", "cuda", "vulkan", "metal", "rocm", "hip", "openblas", "openssl", "rhel", "gpu",
    "cpu", "ext", "avx", "noavx", "baseline",
];

/// Returns a name in lower case, in which each processor is one word.
pub(crate) fn normalized(name: &str) -> String {
    // `_` separates words, except in `x86_64`.
    name.to_ascii_lowercase().replace("x86_64", "x64").replace("x86-64", "x64").replace('_', "-")
}

/// Returns the system of a word.
pub(crate) fn system(word: &str) -> Option<System> {
    let system = |os| System { os, cpu: None, libc: None, is_ambiguous: false };
    Some(match word {
        "linuxmusl" | "musl" => System { libc: Some(Libc::Musl), ..system(Os::Linux) },
        "linuxglibc" => System { libc: Some(Libc::Glibc), ..system(Os::Linux) },
        "macos" | "macosx" | "osx" => system(Os::Darwin),
        "mac" => System { is_ambiguous: true, ..system(Os::Darwin) },
        "win" | "windows" => System { is_ambiguous: true, ..system(Os::Win32) },
        // `win32` names the system, for any processor.
        "linux32" => System { cpu: Some(Cpu::Ia32), ..system(Os::Linux) },
        "linux64" => System { cpu: Some(Cpu::X64), ..system(Os::Linux) },
        "darwin64" | "mac64" | "macos64" | "osx64" => System { cpu: Some(Cpu::X64), ..system(Os::Darwin) },
        "win64" => System { cpu: Some(Cpu::X64), ..system(Os::Win32) },
        word => system(Os::by_name(word)?),
    })
}

/// Returns the processor of a word.
pub(crate) fn processor(word: &str) -> Option<Cpu> {
    Some(match word {
        "amd64" => Cpu::X64,
        "aarch64" => Cpu::Arm64,
        "arm32" | "armhf" | "armv6" | "armv6l" | "armv7" | "armv7l" => Cpu::Arm,
        "x86" | "i386" | "i686" => Cpu::Ia32,
        "loongarch64" => Cpu::Loong64,
        "ppc64le" => Cpu::Ppc64,
        word => Cpu::by_name(word)?,
    })
}

/// Returns the processors of a word: `x64`, `x64+arm64`, and `universal` on macOS.
pub(crate) fn processors(os: Os, word: &str) -> Option<Vec<Cpu>> {
    match word {
        "universal" if os == Os::Darwin => Some(vec![Cpu::X64, Cpu::Arm64]),
        word => word.split('+').map(processor).collect(),
    }
}

/// Returns a name without the words at its end that name a variant: `linux-x64` of `linux-x64-cuda12`.
pub(crate) fn without_variant(name: &str) -> &str {
    let is_variant =
        |word: &str| VARIANTS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'));
    let mut name = name;
    while let Some((start, word)) = name.rsplit_once('-')
        && is_variant(word)
    {
        name = start;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_one_meaning() {
        for (word, os, cpu) in [
            ("linux", Os::Linux, None),
            ("linux64", Os::Linux, Some(Cpu::X64)),
            ("linux32", Os::Linux, Some(Cpu::Ia32)),
            ("osx64", Os::Darwin, Some(Cpu::X64)),
            ("macos", Os::Darwin, None),
            ("win32", Os::Win32, None),
            ("win64", Os::Win32, Some(Cpu::X64)),
            ("freebsd", Os::Freebsd, None),
        ] {
            let system = system(word).unwrap();
            assert_eq!((system.os, system.cpu, system.is_ambiguous), (os, cpu, false), "{word}");
        }
        assert!(["mac", "win", "windows"].iter().all(|word| system(word).unwrap().is_ambiguous));
        for word in ["", "linux-x64", "hmac", "window", "x64", "glibc", "selinux"] {
            assert_eq!(system(word), None, "{word}");
        }
    }

    #[test]
    fn a_variant_is_removed() {
        for (name, expected) in [
            ("linux-x64-cuda", "linux-x64"),
            ("linux-x64-cuda-ext", "linux-x64"),
            ("linux-x64-openssl3", "linux-x64"),
            ("linux-x64-openssl1.1.1", "linux-x64"),
            ("linux-x64", "linux-x64"),
            ("linux-x64-2", "linux-x64-2"),
            ("linux-x64-", "linux-x64-"),
            ("cuda", "cuda"),
        ] {
            assert_eq!(without_variant(name), expected, "{name}");
        }
    }
}
