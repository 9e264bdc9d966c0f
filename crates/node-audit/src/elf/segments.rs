//! What the program headers alone say: protection of memory, the thread-local block, Android's note.

use object::elf::{self, Machine};
use object::endian::Endianness;
use object::read::elf::{FileHeader, ProgramHeader};

use super::Image;

/// More segments of a kind than this are not looked at; linkers make one to three.
const MOST: usize = 64;

/// The name in Android's note, `.note.android.ident`.
const ANDROID: &[u8] = b"Android";

/// What the rules ask of the program headers.
pub(super) struct Segments {
    /// Each PT_LOAD that can be written to and executed.
    pub(super) writable_code: Vec<String>,
    /// There is a PT_GNU_RELRO.
    pub(super) relro: bool,
    /// See [`crate::ElfFacts::executable_stack`].
    pub(super) executable_stack: bool,
    /// The size of PT_TLS in memory.
    pub(super) tls_size: u64,
    /// It has Android's note.
    pub(super) android: bool,
}

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
        .take(MOST)
        .collect();
    // Loaders take the last one, should there be several.
    let executable_stack = match of(elf::PT_GNU_STACK).next_back() {
        Some(stack) => stack.p_flags(endian).0 & elf::PF_X.0 != 0,
        None => executable_without(image.header.e_machine(endian), image.header.is_type_64()),
    };
    Segments {
        writable_code,
        relro: of(elf::PT_GNU_RELRO).next().is_some(),
        executable_stack,
        tls_size: of(elf::PT_TLS).next_back().map_or(0, |segment| segment.p_memsz(endian).into()),
        android: of(elf::PT_NOTE).take(MOST).any(|segment| is_android(image, segment)),
    }
}

/// What glibc takes a library without PT_GNU_STACK for: one from before there was such a thing, which may put code on
/// its stack. Architectures that are younger than that have no such libraries.
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
    for _ in 0..MOST {
        match notes.next() {
            Ok(Some(note)) if note.name() == ANDROID => return true,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
    }
    false
}
