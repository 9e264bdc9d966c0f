//! Recognises the format of a file by its first bytes.

use crate::limits::MAX_FAT_PARTS;

/// A format that an addon can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Linux and other Unix systems.
    Elf,
    /// Apple's systems; thin or fat.
    MachO,
    /// Windows.
    Pe,
}

/// A file that does not have an addon format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAnAddon {
    /// The file begins like a PE file, but has an older format: `a DOS program`.
    OldProgram(&'static str),
    /// Any other file.
    Other,
}

impl Format {
    /// Returns the format of a file with this content.
    pub(crate) fn of(content: &[u8]) -> Result<Format, NotAnAddon> {
        let start = content.get(..4).unwrap_or(content);
        match start {
            b"\x7fELF" => Ok(Format::Elf),
            _ if is_macho(content) => Ok(Format::MachO),
            [b'M', b'Z', ..] => match old_program(content) {
                Some(program) => Err(NotAnAddon::OldProgram(program)),
                None => Ok(Format::Pe),
            },
            _ => Err(NotAnAddon::Other),
        }
    }

    /// Returns the format's name: `ELF`, `Mach-O`, `PE`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Elf => "ELF",
            Format::MachO => "Mach-O",
            Format::Pe => "PE",
        }
    }
}

/// A Java class begins like a fat file, with its version where a fat file has the number of parts.
fn is_macho(content: &[u8]) -> bool {
    let word = |at: usize| {
        content.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_be_bytes(*word))
    };
    match word(0) {
        // Fat; thin with 32 or 64 bits, in either byte order; fat with 64-bit offsets.
        Some(0xcafe_babe) => word(4).is_none_or(|parts| parts <= MAX_FAT_PARTS),
        Some(0xfeed_face | 0xcefa_edfe | 0xfeed_facf | 0xcffa_edfe | 0xcafe_babf) => true,
        _ => false,
    }
}

/// Returns the kind of a file that begins with "MZ"; None for a PE file and for a file that is cut short.
fn old_program(content: &[u8]) -> Option<&'static str> {
    let word = |at: usize| content.get(at..)?.first_chunk::<4>();
    // The offset of the newer header.
    let start = u32::from_le_bytes(*word(0x3c)?);
    match word(start as usize)? {
        b"PE\0\0" => None,
        [b'N', b'E', ..] => Some("a program for 16-bit Windows"),
        _ => Some("a DOS program"),
    }
}

/// An archive format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArchiveFormat {
    /// A compressed tar archive.
    Gzip,
    /// A tar archive.
    Tar,
}

impl ArchiveFormat {
    /// The number of bytes at a file's start that identify an archive format.
    pub(crate) const START: u64 = 512;

    /// Returns the format of an archive that begins with these bytes.
    pub(crate) fn of(start: &[u8]) -> Option<ArchiveFormat> {
        if start.starts_with(&[0x1f, 0x8b]) {
            Some(ArchiveFormat::Gzip)
        } else if start.get(257..262) == Some(b"ustar") {
            Some(ArchiveFormat::Tar)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide_the_format() {
        for (content, expected) in [
            (&b"\x7fELF"[..], Ok(Format::Elf)),
            (b"\xfe\xed\xfa\xce", Ok(Format::MachO)),
            (b"\xcf\xfa\xed\xfe", Ok(Format::MachO)),
            (b"\xca\xfe\xba\xbf", Ok(Format::MachO)),
            (b"\xca\xfe\xba\xbe", Ok(Format::MachO)),
            (b"\xca\xfe\xba\xbe\0\0\0\x2c", Ok(Format::MachO)),
            (b"\xca\xfe\xba\xbe\0\0\0\x2d", Err(NotAnAddon::Other)),
            (b"MZ", Ok(Format::Pe)),
            (b"", Err(NotAnAddon::Other)),
            (b"hi", Err(NotAnAddon::Other)),
        ] {
            assert_eq!(Format::of(content), expected, "{content:x?}");
        }
    }

    #[test]
    fn a_dos_program_is_not_a_pe_file() {
        let mut content = vec![0; 0x44];
        content[..2].copy_from_slice(b"MZ");
        content[0x3c] = 0x40;
        for (header, expected) in [
            (b"PE\0\0", Ok(Format::Pe)),
            (b"NE\0\0", Err(NotAnAddon::OldProgram("a program for 16-bit Windows"))),
            (b"\0\0\0\0", Err(NotAnAddon::OldProgram("a DOS program"))),
        ] {
            content[0x40..].copy_from_slice(header);
            assert_eq!(Format::of(&content), expected);
        }
        assert_eq!(Format::of(&content[..0x42]), Ok(Format::Pe), "cut short");
    }

    #[test]
    fn gzip_and_tar_archives_are_recognised() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(ArchiveFormat::of(&tar), Some(ArchiveFormat::Tar));
        assert_eq!(ArchiveFormat::of(b"\x1f\x8b\x08"), Some(ArchiveFormat::Gzip));
        assert_eq!(ArchiveFormat::of(b"hello"), None);
    }
}
