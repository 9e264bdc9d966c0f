//! Reads the load commands.

use object::endian::Endianness;
use object::macho::{self, SymtabCommand};
use object::read::macho::{LoadCommandData, MachHeader, Section, Segment};

use super::bindings::BindParts;
use crate::facts::{Dylib, DylibKind, MacPlatform};
use crate::limits::{MAX_LOAD_COMMANDS, MAX_LOAD_PATH};
use crate::printable::printable;
use crate::version::Version;

/// The facts of the load commands.
#[derive(Default)]
pub(super) struct Commands<'data> {
    pub(super) install_name: Option<String>,
    pub(super) dylibs: Vec<Dylib>,
    pub(super) rpaths: Vec<String>,
    pub(super) platform: Option<MacPlatform>,
    pub(super) min_os: Option<Version>,
    pub(super) constructors: bool,
    pub(super) writable_code: Vec<String>,
    /// The mapped segments, at most [`MAX_LOAD_COMMANDS`].
    pub(super) segments: Vec<MappedSegment<'data>>,
    /// The length of segment `__DWARF`.
    pub(super) debug_bytes: u64,
    pub(super) symbols: Option<&'data SymtabCommand<Endianness>>,
    /// The export trie; None in a file from before export tries.
    pub(super) exports: Option<&'data [u8]>,
    pub(super) binds: BindParts<'data>,
    /// The start of the code signature, and its content.
    pub(super) signature: Option<(u64, &'data [u8])>,
}

/// A segment that the loader maps.
pub(super) struct MappedSegment<'data> {
    pub(super) name: String,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) content: &'data [u8],
    pub(super) writable: bool,
}

/// A file whose load commands are being read.
struct CommandReader<'data> {
    content: &'data [u8],
    endian: Endianness,
    found: Commands<'data>,
}

/// Reads the load commands of a file with this header.
pub(super) fn commands<'data, Mach>(
    header: &'data Mach,
    endian: Endianness,
    content: &'data [u8],
) -> Result<Commands<'data>, String>
where
    Mach: MachHeader<Endian = Endianness>,
{
    let mut list = header
        .load_commands(endian, content, 0)
        .map_err(|_| "the load commands are outside the file; the file may have been cut short")?;
    let mut reader = CommandReader { content, endian, found: Commands::default() };
    let mut number = 0;
    loop {
        let damaged = |what: &str| format!("load command {number} is damaged: {what}");
        let Some(command) =
            list.next().map_err(|_| damaged("the command is longer than the table of load commands"))?
        else {
            return Ok(reader.found);
        };
        match Mach::Segment::from_command(command)
            .map_err(|_| damaged("the command is shorter than a segment"))?
        {
            Some((segment, sections)) => reader.segment(segment, sections)?,
            None => reader.command(command).map_err(|error| damaged(&error))?,
        }
        number += 1;
    }
}

impl<'data> CommandReader<'data> {
    fn segment<S: Segment<Endian = Endianness>>(
        &mut self,
        segment: &S,
        sections: &[u8],
    ) -> Result<(), String> {
        let endian = self.endian;
        // A file may have millions of segments, so the reader escapes only the names that are printed.
        let name = || printable(segment.name());
        let (offset, length) = segment.file_range(endian);
        let Ok(content) = segment.data(endian, self.content) else {
            let size = self.content.len();
            return Err(format!(
                "segment {} of {length} bytes at {offset:#x} is outside the file of {size} bytes; it may have been cut \
                 short",
                name()
            ));
        };
        let protection = segment.initprot(endian);
        if segment.vmsize(endian).into() > 0 && self.found.segments.len() < MAX_LOAD_COMMANDS {
            self.found.segments.push(MappedSegment {
                name: name(),
                address: segment.vmaddr(endian).into(),
                offset,
                content,
                writable: protection.contains(macho::VM_PROT_WRITE),
            });
        }
        let both = macho::VM_PROT_WRITE | macho::VM_PROT_EXECUTE;
        if protection.contains(both) && self.found.writable_code.len() < MAX_LOAD_COMMANDS {
            self.found.writable_code.push(name());
        }
        if segment.name() == b"__DWARF" {
            self.found.debug_bytes = length;
        }
        let sections = segment.sections(endian, sections).map_err(|_| {
            format!("segment {} has more sections than the load command has space for", name())
        })?;
        self.found.constructors |= sections.iter().any(|section| {
            let kind = section.section_type(endian);
            matches!(kind, macho::S_MOD_INIT_FUNC_POINTERS | macho::S_INIT_FUNC_OFFSETS)
                && section.size(endian).into() > 0
        });
        Ok(())
    }

    fn command(&mut self, command: LoadCommandData<'data, Endianness>) -> Result<(), String> {
        let endian = self.endian;
        let short = |_| "the command is too short".to_owned();
        match command.cmd() {
            macho::LC_LOAD_DYLIB
            | macho::LC_LOAD_WEAK_DYLIB
            | macho::LC_REEXPORT_DYLIB
            | macho::LC_LAZY_LOAD_DYLIB
            | macho::LC_LOAD_UPWARD_DYLIB => {
                let dylib: &macho::DylibCommand<Endianness> = command.data().map_err(short)?;
                let flags = command.dylib_use_flags(endian, dylib).map_err(short)?;
                let kind = kind(command.cmd(), flags.unwrap_or(macho::DylibUseFlags(0)));
                let path = self.text(command, dylib.dylib.name)?;
                self.found.dylibs.push(Dylib { path, kind });
                at_most(self.found.dylibs.len(), "libraries")?;
            }
            macho::LC_ID_DYLIB => {
                let dylib: &macho::DylibCommand<Endianness> = command.data().map_err(short)?;
                self.found.install_name = Some(self.text(command, dylib.dylib.name)?);
            }
            macho::LC_RPATH => {
                let rpath: &macho::RpathCommand<Endianness> = command.data().map_err(short)?;
                let path = self.text(command, rpath.path)?;
                self.found.rpaths.push(path);
                at_most(self.found.rpaths.len(), "directories")?;
            }
            macho::LC_BUILD_VERSION => {
                let build: &macho::BuildVersionCommand<Endianness> = command.data().map_err(short)?;
                self.platform(build.platform.get(endian), build.minos.get(endian));
            }
            macho::LC_VERSION_MIN_MACOSX => self.min_version(command, macho::PLATFORM_MACOS)?,
            macho::LC_VERSION_MIN_IPHONEOS => self.min_version(command, macho::PLATFORM_IOS)?,
            macho::LC_VERSION_MIN_TVOS => self.min_version(command, macho::PLATFORM_TVOS)?,
            macho::LC_VERSION_MIN_WATCHOS => self.min_version(command, macho::PLATFORM_WATCHOS)?,
            macho::LC_ROUTINES | macho::LC_ROUTINES_64 => self.found.constructors = true,
            macho::LC_SYMTAB => self.found.symbols = Some(command.data().map_err(short)?),
            macho::LC_DYLD_INFO | macho::LC_DYLD_INFO_ONLY => {
                let info: &macho::DyldInfoCommand<Endianness> = command.data().map_err(short)?;
                let trie = self.range(info.export_off.get(endian), info.export_size.get(endian))?;
                self.found.exports = Some(trie);
                let at_once = self.range(info.bind_off.get(endian), info.bind_size.get(endian))?;
                let lazy = self.range(info.lazy_bind_off.get(endian), info.lazy_bind_size.get(endian))?;
                self.found.binds.opcodes = Some([at_once, lazy]);
            }
            macho::LC_DYLD_CHAINED_FIXUPS => {
                let place: &macho::LinkeditDataCommand<Endianness> = command.data().map_err(short)?;
                let fixups = self.range(place.dataoff.get(endian), place.datasize.get(endian))?;
                self.found.binds.fixups = Some(fixups);
            }
            macho::LC_DYLD_EXPORTS_TRIE => {
                let place: &macho::LinkeditDataCommand<Endianness> = command.data().map_err(short)?;
                let trie = self.range(place.dataoff.get(endian), place.datasize.get(endian))?;
                self.found.exports = Some(trie);
            }
            macho::LC_CODE_SIGNATURE => {
                let place: &macho::LinkeditDataCommand<Endianness> = command.data().map_err(short)?;
                let start = place.dataoff.get(endian);
                let signature = self.range(start, place.datasize.get(endian))?;
                self.found.signature = Some((start.into(), signature));
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns a string in a command, with control characters escaped.
    fn text(
        &self,
        command: LoadCommandData<'data, Endianness>,
        text: macho::LcStr<Endianness>,
    ) -> Result<String, String> {
        let text = command
            .string(self.endian, text)
            .map_err(|_| "the string is outside the command, or is not terminated")?;
        if text.len() > MAX_LOAD_PATH {
            return Err(format!("the string is longer than {MAX_LOAD_PATH} bytes"));
        }
        Ok(printable(text))
    }

    fn range(&self, offset: u32, length: u32) -> Result<&'data [u8], String> {
        // The offset of an empty range is arbitrary.
        if length == 0 {
            return Ok(&[]);
        }
        let range = (offset as usize).checked_add(length as usize).map(|end| offset as usize..end);
        let data = range.and_then(|range| self.content.get(range));
        data.ok_or_else(|| format!("{length} bytes at {offset:#x} are outside the file"))
    }

    fn min_version(
        &mut self,
        command: LoadCommandData<'data, Endianness>,
        platform: macho::Platform,
    ) -> Result<(), String> {
        let version: &macho::VersionMinCommand<Endianness> =
            command.data().map_err(|_| "the command is too short".to_owned())?;
        self.platform(platform, version.version.get(self.endian));
        Ok(())
    }

    /// Records a target system. A file may have several (macOS and Catalyst); Node runs on macOS.
    fn platform(&mut self, platform: macho::Platform, min_os: macho::Version) {
        if self.found.platform == Some(MacPlatform::MacOs) {
            return;
        }
        self.found.platform = Some(match platform {
            macho::PLATFORM_MACOS => MacPlatform::MacOs,
            other => MacPlatform::Other(other.0),
        });
        // The version has four hexadecimal digits for the first number, and two each for the second and the third.
        let packed = min_os.0;
        self.found.min_os =
            Some(Version { major: packed >> 16, minor: packed >> 8 & 0xff, patch: packed & 0xff });
    }
}

/// Returns how a library is loaded: the load command decides, and since macOS 15 also the flags in it.
fn kind(command: macho::LoadCommandType, flags: macho::DylibUseFlags) -> DylibKind {
    match command {
        macho::LC_REEXPORT_DYLIB => DylibKind::Reexported,
        macho::LC_LOAD_WEAK_DYLIB => DylibKind::Weak,
        _ if flags.contains(macho::DYLIB_USE_WEAK_LINK) => DylibKind::Weak,
        _ if flags.contains(macho::DYLIB_USE_REEXPORT) => DylibKind::Reexported,
        macho::LC_LOAD_DYLIB if flags.contains(macho::DYLIB_USE_UPWARD) => DylibKind::Other,
        macho::LC_LOAD_DYLIB => DylibKind::Required,
        _ => DylibKind::Other,
    }
}

fn at_most(count: usize, what: &str) -> Result<(), String> {
    if count > MAX_LOAD_COMMANDS {
        Err(format!("the file has more than {MAX_LOAD_COMMANDS} {what}"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_refine_how_a_library_is_loaded() {
        let none = macho::DylibUseFlags(0);
        for (command, flags, expected) in [
            (macho::LC_LOAD_DYLIB, none, DylibKind::Required),
            (macho::LC_LOAD_WEAK_DYLIB, none, DylibKind::Weak),
            (macho::LC_LOAD_DYLIB, macho::DYLIB_USE_WEAK_LINK, DylibKind::Weak),
            (macho::LC_LOAD_DYLIB, macho::DYLIB_USE_REEXPORT, DylibKind::Reexported),
            (macho::LC_LOAD_DYLIB, macho::DYLIB_USE_UPWARD, DylibKind::Other),
            (macho::LC_LOAD_DYLIB, macho::DYLIB_USE_DELAYED_INIT, DylibKind::Required),
            (macho::LC_REEXPORT_DYLIB, none, DylibKind::Reexported),
        ] {
            assert_eq!(kind(command, flags), expected, "{command:?} {flags:?}");
        }
    }
}
