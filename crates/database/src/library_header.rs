//! Finds the system and the processor that a library was built for.
//!
//! For a library built for another processor, glibc reports that the file does not exist.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The header of a file that did not load as a library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LibraryHeader {
    /// The system and the processor, such as `Linux on x86_64`.
    Library(String),
    /// The file is not a library.
    Other,
}

/// The system and the processor of this process, or an empty text if this list lacks the system.
pub(crate) const HERE: &str = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    "Linux on x86_64"
} else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
    "Linux on aarch64"
} else if cfg!(all(target_os = "macos", target_arch = "x86_64")) {
    "macOS on x86_64"
} else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
    "macOS on aarch64"
} else if cfg!(all(target_os = "windows", target_arch = "x86_64")) {
    "Windows on x86_64"
} else if cfg!(all(target_os = "windows", target_arch = "aarch64")) {
    "Windows on aarch64"
} else {
    ""
};

impl LibraryHeader {
    /// Reads the header of a file, or returns `None` if the file is unreadable.
    ///
    /// A universal library, which macOS uses for several processors, is treated as a library for this process.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let mut start = Vec::new();
        File::open(path).ok()?.take(4_096).read_to_end(&mut start).ok()?;
        Some(Self::of(&start))
    }

    fn of(start: &[u8]) -> Self {
        let found = elf(start).or_else(|| mach_o(start)).or_else(|| pe(start));
        match found {
            Some((_, "any")) => Self::Library(HERE.to_owned()),
            Some((system, processor)) => Self::Library(format!("{system} on {processor}")),
            None => Self::Other,
        }
    }
}

/// Source: System V ABI, chapter 4.
fn elf(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let machine = start.starts_with(b"\x7fELF").then(|| little_u16(start, 18))??;
    let processor = match machine {
        3 => "x86",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv64",
        _ => "another processor",
    };
    Some(("Linux", processor))
}

/// Source: Apple's mach-o/loader.h and mach-o/fat.h.
fn mach_o(start: &[u8]) -> Option<(&'static str, &'static str)> {
    if start.starts_with(&0xcafe_babe_u32.to_be_bytes()) && cfg!(target_vendor = "apple") {
        return Some(("macOS", "any"));
    }
    if start.starts_with(&0xcafe_babe_u32.to_be_bytes()) {
        return Some(("macOS", "several processors"));
    }
    let kind = start.starts_with(&0xfeed_facf_u32.to_le_bytes()).then(|| little_u32(start, 4))??;
    let processor = match kind {
        0x0100_0007 => "x86_64",
        0x0100_000c => "aarch64",
        _ => "another processor",
    };
    Some(("macOS", processor))
}

/// Source: Microsoft's PE format.
fn pe(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let header = start.starts_with(b"MZ").then(|| little_u32(start, 0x3c))??;
    let header = usize::try_from(header).ok()?;
    let machine = start.get(header..)?.starts_with(b"PE\0\0").then(|| little_u16(start, header + 4))??;
    let processor = match machine {
        0x014c => "x86",
        0x8664 => "x86_64",
        0xaa64 => "aarch64",
        _ => "another processor",
    };
    Some(("Windows", processor))
}

fn little_u16(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn little_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_yields_system_and_processor() {
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(18, 0);
        elf.extend(183_u16.to_le_bytes());
        let mut mach_o = 0xfeed_facf_u32.to_le_bytes().to_vec();
        mach_o.extend(0x0100_000c_u32.to_le_bytes());
        let mut pe = b"MZ".to_vec();
        pe.resize(0x3c, 0);
        pe.extend(0x40_u32.to_le_bytes());
        pe.extend(b"PE\0\0\x64\x86");
        let library = |text: &str| LibraryHeader::Library(text.to_owned());
        assert_eq!(LibraryHeader::of(&elf), library("Linux on aarch64"));
        assert_eq!(LibraryHeader::of(&mach_o), library("macOS on aarch64"));
        assert_eq!(LibraryHeader::of(&pe), library("Windows on x86_64"));
    }

    #[test]
    fn a_short_header_is_not_a_library() {
        for start in [&b""[..], b"\x7fELF", b"MZ", b"MZ\xff\xff", b"text", &[0xcf, 0xfa, 0xed, 0xfe]] {
            assert_eq!(LibraryHeader::of(start), LibraryHeader::Other, "{start:?}");
        }
        let mut far = b"MZ".to_vec();
        far.resize(0x3c, 0);
        far.extend(u32::MAX.to_le_bytes());
        assert_eq!(LibraryHeader::of(&far), LibraryHeader::Other);
    }

    #[test]
    fn this_process_has_the_header_of_this_system() {
        let own = LibraryHeader::read(&std::env::current_exe().unwrap()).unwrap();
        assert_eq!(own, LibraryHeader::Library(HERE.to_owned()));
    }
}
