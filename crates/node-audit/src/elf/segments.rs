//! Reads the facts of the program headers: memory protection, the thread-local block, Android's note.

use object::elf::{self, Machine};
use object::endian::Endianness;
use object::read::elf::{FileHeader, ProgramHeader};

use super::image::Image;
use crate::facts::LoadedSegment;
use crate::limits::MAX_SEGMENTS;

/// The name in Android's note, `.note.android.ident`.
const ANDROID: &[u8] = b"Android";

/// The facts of the program headers.
pub(super) struct Segments {
    /// The PT_LOAD entries with a length, up to [`MAX_SEGMENTS`].
    pub(super) loaded: Vec<LoadedSegment>,
    /// The PT_LOAD entries that are writable and executable.
    pub(super) writable_code: Vec<String>,
    /// `true` if the file has a PT_GNU_RELRO.
    pub(super) relro: bool,
    /// See [`crate::ElfFacts::executable_stack`].
    pub(super) executable_stack: bool,
    /// The size of PT_TLS in memory.
    pub(super) tls_size: u64,
    /// `true` if the file has Android's note.
    pub(super) android: bool,
}

/// Reads the program headers.
pub(super) fn segments<Elf>(image: &Image<'_, Elf>) -> Segments
where
    Elf: FileHeader<Endian = Endianness>,
{
    let endian = image.endian;
    let of = |kind| image.segments.iter().filter(move |segment| segment.p_type(endian) == kind);
    let both = elf::PF_W.0 | elf::PF_X.0;
    let writable_code = of(elf::PT_LOAD)
        .filter(|segment| segment.p_flags(endian).0 & both == both)
        .map(|segment| format!("PT_LOAD at {:#x}", segment.p_vaddr(endian).into()))
        .take(MAX_SEGMENTS)
        .collect();
    let loaded = of(elf::PT_LOAD).enumerate().filter(|(_, segment)| segment.p_memsz(endian).into() > 0);
    let loaded = loaded.take(MAX_SEGMENTS).map(|(position, segment)| LoadedSegment {
        name: format!("PT_LOAD {position}"),
        address: segment.p_vaddr(endian).into(),
        offset: segment.p_offset(endian).into(),
        align: Some(segment.p_align(endian).into()),
    });
    // Loaders use the last of several entries.
    let executable_stack = match of(elf::PT_GNU_STACK).next_back() {
        Some(stack) => stack.p_flags(endian).0 & elf::PF_X.0 != 0,
        None => executable_without(image.header.e_machine(endian), image.header.is_type_64()),
    };
    Segments {
        loaded: loaded.collect(),
        writable_code,
        relro: of(elf::PT_GNU_RELRO).next().is_some(),
        executable_stack,
        tls_size: of(elf::PT_TLS).next_back().map_or(0, |segment| segment.p_memsz(endian).into()),
        android: of(elf::PT_NOTE).take(MAX_SEGMENTS).any(|segment| is_android(image, segment)),
    }
}

/// Returns whether glibc makes the stack executable for a library without PT_GNU_STACK: such a library may be older than
/// PT_GNU_STACK, and may put code on its stack. Machines that are newer than PT_GNU_STACK have no such libraries.
fn executable_without(machine: Machine, is_64: bool) -> bool {
    match machine {
        elf::EM_AARCH64 | elf::EM_RISCV | elf::EM_LOONGARCH => false,
        elf::EM_PPC64 => !is_64,
        _ => true,
    }
}

fn is_android<Elf>(image: &Image<'_, Elf>, segment: &Elf::ProgramHeader) -> bool
where
    Elf: FileHeader<Endian = Endianness>,
{
    let Ok(Some(mut notes)) = segment.notes(image.endian, image.content) else { return false };
    for _ in 0..MAX_SEGMENTS {
        match notes.next() {
            Ok(Some(note)) if note.name() == ANDROID => return true,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
    }
    false
}
