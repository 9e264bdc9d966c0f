//! Finds the machine of a static library in the header of the library's first object.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::environment::Target;
use crate::variables::compiler_variable;

/// Checks that `archive` holds code for `target`.
pub(crate) fn verify(archive: &Path, target: &Target) -> Result<(), String> {
    let format = match target.os.as_str() {
        "linux" => "ELF",
        "macos" => "Mach-O",
        "windows" => "COFF",
        os => {
            return Err(format!(
                "cannot verify libraries for {os}; known systems are linux, macos and windows"
            ));
        }
    };
    let wanted = format!("{format} for {}", target.arch);
    let held = object_in(archive)
        .map_err(|cause| format!("{} is not a static library: {cause}", archive.display()))?;
    if held == wanted {
        return Ok(());
    }
    Err(format!(
        "{} holds {held}, but {} requires {wanted}; set {} to a C compiler for this target and build again",
        archive.display(),
        target.triple,
        compiler_variable(&target.triple)
    ))
}

/// Returns the format and the machine of the first object in an archive, such as "ELF for x86_64".
fn object_in(archive: &Path) -> Result<String, String> {
    let file = File::open(archive).map_err(|error| error.to_string())?;
    let mut reader = BufReader::new(file);
    let mut magic = [0; 8];
    read(&mut reader, &mut magic)?;
    if magic != *b"!<arch>\n" {
        return Err("it does not begin like an archive".to_owned());
    }
    loop {
        let mut header = [0; 60];
        read(&mut reader, &mut header)?;
        let field = |range| String::from_utf8_lossy(&header[range]).trim().to_owned();
        let (name, size) = (field(0..16), field(48..58));
        let size: u64 =
            size.parse().map_err(|_| format!("the size of a member is `{size}`, not a number"))?;
        // In BSD archives, which Apple's tools write, a long name precedes the data.
        let name_length = name.strip_prefix("#1/").and_then(|length| length.parse::<u64>().ok()).unwrap_or(0);
        let mut start = Vec::new();
        let read = (&mut reader).take(size.min(name_length + 20)).read_to_end(&mut start);
        let read = read.map_err(|error| error.to_string())? as u64;
        let split = start.len().min(usize::try_from(name_length).unwrap_or(usize::MAX));
        let (long_name, object) = start.split_at(split);
        // Indexes, not objects: "/", "//" and "/SYM64/" of GNU and Microsoft, "__.SYMDEF" of BSD.
        let is_index = name.starts_with("__.SYMDEF")
            || long_name.starts_with(b"__.SYMDEF")
            || ["/", "//", "/SYM64/"].contains(&name.as_str());
        if !is_index {
            return Ok(describe(object));
        }
        let rest = i64::try_from(size - read + size % 2).map_err(|_| "a member is too long".to_owned())?;
        reader.seek_relative(rest).map_err(|error| error.to_string())?;
    }
}

/// Describes an object by format and processor. Source of the numbers: the formats' standards (e_machine, cputype,
/// Machine).
fn describe(object: &[u8]) -> String {
    let half = |at: usize| object.get(at..at + 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let (format, machine) = match object {
        [0x7f, b'E', b'L', b'F', ..] => ("ELF", half(18).map(u32::from)),
        [0xcf, 0xfa, 0xed, 0xfe, ..] => {
            ("Mach-O", half(4).zip(half(6)).map(|(low, high)| u32::from(low) | u32::from(high) << 16))
        }
        // An object with more sections than COFF's first header can count begins with 0 and 0xffff.
        [0, 0, 0xff, 0xff, ..] => ("COFF", half(6).map(u32::from)),
        [0x64, 0x86, ..] | [0x64, 0xaa, ..] | [0x4c, 0x01, ..] => ("COFF", half(0).map(u32::from)),
        [b'B', b'C', 0xc0, 0xde, ..] => return "LLVM bitcode, which does not name a machine".to_owned(),
        _ => return "an object of an unknown format".to_owned(),
    };
    let arch = match machine {
        Some(62 | 0x0100_0007 | 0x8664) => "x86_64",
        Some(183 | 0x0100_000c | 0xaa64) => "aarch64",
        Some(3 | 7 | 0x014c) => "x86",
        Some(40 | 12) => "arm",
        _ => "another machine",
    };
    format!("{format} for {arch}")
}

fn read(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), String> {
    reader.read_exact(bytes).map_err(|_| "it ends before its first object".to_owned())
}
