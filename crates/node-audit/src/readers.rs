//! The readers of the three formats, behind one function.

use std::path::Path;

use crate::error::AuditError;
use crate::facts::Facts;
use crate::format::{Format, NotAnAddon};
use crate::printable::display_path;
use crate::{elf, macho, pe};

/// Reads the facts of a file, without a verdict: one element, or one for each processor of a fat Mach-O file.
///
/// `path` names the file in errors.
///
/// # Errors
/// The content is not an addon, or is damaged.
pub fn read_facts(path: &Path, content: &[u8]) -> Result<Vec<Facts>, AuditError> {
    let file = || display_path(path);
    let format = Format::of(content).map_err(|reason| match reason {
        NotAnAddon::Empty => AuditError::Empty { file: file() },
        NotAnAddon::OldProgram(program) => AuditError::OldProgram { file: file(), program },
        NotAnAddon::Other(start) => AuditError::NotAnAddon { file: file(), start },
    })?;
    let facts = match format {
        Format::Elf => elf::read(content).map(|facts| vec![facts]),
        Format::MachO => macho::read(content),
        Format::Pe => pe::read(content).map(|facts| vec![facts]),
    };
    facts.map_err(|damage| AuditError::Damaged { file: file(), format: format.name(), damage })
}
