//! One function in front of the readers of the three formats.

use std::path::Path;

use crate::damage::Damage;
use crate::damage_kind::{damage_of_kind, first_bytes};
use crate::error::AuditError;
use crate::facts::Facts;
use crate::format::{Format, NotAnAddon};
use crate::limits::MAX_FILE;
use crate::printable::display_path;
use crate::{elf, macho, pe};

/// Reads the facts of a file, without a verdict. Returns one element, or one for each processor of a fat Mach-O file.
///
/// `path` names the file in errors.
///
/// # Errors
/// The content is not an addon, or is damaged.
pub fn read_facts(path: &Path, content: &[u8]) -> Result<Vec<Facts>, AuditError> {
    recognize(content).map_err(|damage| AuditError::Damaged { file: display_path(path), damage })
}

/// Decides whether the content of a file with an addon's name is an addon, and returns its facts or its damage.
///
/// Files on disk and in archives all go through this function.
pub(crate) fn recognize(content: &[u8]) -> Result<Vec<Facts>, Damage> {
    let format = Format::of(content).map_err(|reason| match reason {
        NotAnAddon::OldProgram(kind) => {
            let remedy = "build the addon as a DLL, which has a PE header";
            Damage::Other { kind, start: first_bytes(content), remedy }
        }
        NotAnAddon::Other => damage_of_kind(content),
    })?;
    let facts = match format {
        Format::Elf => elf::read(content).map(|facts| vec![facts]),
        Format::MachO => macho::read(content),
        Format::Pe => pe::read(content).map(|facts| vec![facts]),
    };
    facts.map_err(|detail| damage(format, content, detail))
}

/// Returns the damage of a file whose format is known.
fn damage(format: Format, content: &[u8], detail: String) -> Damage {
    let end = match format {
        Format::Elf => elf::end(content),
        Format::MachO => macho::end(content),
        Format::Pe => pe::end(content),
    };
    let (format, length) = (format.name(), content.len() as u64);
    match end {
        // A larger number comes from damaged headers, not from a file that was cut short.
        Some(promised) if promised > length && promised <= MAX_FILE => {
            Damage::CutShort { format, length, promised, detail }
        }
        _ => Damage::Broken { format, detail },
    }
}
