//! Damaged PE files cause an error that names the file, never a panic, and take no more memory than the limits allow.

use std::path::Path;

use node_audit::{Policy, audit_bytes};
use object::pe;

use crate::bad_input::damage_each_byte;
use crate::pe_maker::{NAME, PeMaker};

fn error(content: &[u8]) -> String {
    audit_bytes(Path::new("dir/x.node"), content, &Policy::default()).unwrap_err().to_string()
}

/// A DLL from [`PeMaker`], whose bytes a test changes.
struct Broken {
    content: Vec<u8>,
    /// The offset of the signature, which the headers follow.
    headers: usize,
}

impl Broken {
    fn of(object: &PeMaker) -> Broken {
        let content = object.make();
        let headers = u32::from_le_bytes(content[0x3c..0x40].try_into().unwrap()) as usize;
        Broken { content, headers }
    }

    /// Returns the offset of a data directory in a 64-bit file.
    fn directory(&self, index: usize) -> usize {
        self.headers + 24 + 112 + 8 * index
    }

    /// Returns the offset of a section header in a 64-bit file with 16 directories.
    fn section(&self, index: usize) -> usize {
        self.directory(16) + 40 * index
    }

    fn word(&self, at: usize) -> usize {
        u32::from_le_bytes(self.content[at..at + 4].try_into().unwrap()) as usize
    }

    /// Returns the offset of a directory's table, which must be in the first section.
    fn table(&self, index: usize) -> usize {
        let section = self.section(0);
        self.word(self.directory(index)) - self.word(section + 12) + self.word(section + 20)
    }

    fn set(&mut self, at: usize, value: u32) -> &mut Broken {
        self.content[at..at + 4].copy_from_slice(&value.to_le_bytes());
        self
    }
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    for object in [PeMaker::addon(), PeMaker::ia32()] {
        let content = object.make();
        for length in 1..content.len() {
            let message = error(&content[..length]);
            assert!(message.starts_with("dir/x.node: is "), "{length}: {message}");
        }
        let message = error(&content[..content.len() - 1]);
        let expected = format!(
            "is cut short: the PE headers describe {} bytes, but the last 1 byte is missing",
            content.len()
        );
        assert!(message.ends_with(&expected), "{message}");
        assert!(error(&content[..20]).contains("is a damaged PE file: the file ends within its header"));
    }
}

#[test]
fn no_damaged_byte_causes_a_panic() {
    let sections = vec![(".debug_info", pe::IMAGE_SCN_MEM_DISCARDABLE, 16)];
    let full = PeMaker {
        pdb: Some("a.pdb"),
        callback: true,
        hybrid: true,
        sections,
        symbols: 1,
        ..PeMaker::addon()
    };
    for object in [full.clone(), PeMaker { machine: pe::IMAGE_FILE_MACHINE_I386, is_64: false, ..full }] {
        let good = object.make();
        damage_each_byte(NAME, &good);
    }
}

#[test]
fn old_programs_are_named() {
    let mut content = PeMaker::addon().make();
    let headers = Broken::of(&PeMaker::addon()).headers;
    content[headers..headers + 4].copy_from_slice(b"NE\0\0");
    assert!(
        error(&content).ends_with("is a program for 16-bit Windows, not an addon"),
        "{}",
        error(&content)
    );
    content[headers..headers + 4].fill(0x90);
    assert!(error(&content).ends_with("is a DOS program, not an addon"), "{}", error(&content));
}

#[test]
fn invalid_headers_are_named() {
    let with = |at: usize, value: u32| {
        let mut broken = Broken::of(&PeMaker::addon());
        let at = broken.headers + at;
        error(&broken.set(at, value).content)
    };
    assert!(with(24, 0x107).contains("the optional header is neither PE32 nor PE32+"));
    assert!(with(4, 0xffff_8664).contains("the section table is outside the file"));
    assert!(with(24 + 108, u32::MAX).contains("the headers are damaged"));
}

#[test]
fn sections_outside_the_file_or_overlapping_are_named() {
    let with = |field: usize, value: u32| {
        let mut broken = Broken::of(&PeMaker::addon());
        let at = broken.section(1) + field;
        error(&broken.set(at, value).content)
    };
    assert!(with(16, u32::MAX).contains("section .reloc of 4294967295 bytes at 0x"));
    assert!(with(20, u32::MAX).contains("is outside the file of"));
    assert!(with(12, 0x1001).contains("section .reloc at 0x1001 begins within section .rdata"));
}

#[test]
fn more_sections_than_a_linker_makes_are_an_error() {
    let sections = vec![(".x", pe::IMAGE_SCN_MEM_READ, 1); 300];
    assert!(error(&PeMaker { sections, ..PeMaker::addon() }.make()).contains("more than 256 sections"));
}

#[test]
fn tables_outside_of_all_sections_are_named() {
    for (index, damage) in [
        (pe::IMAGE_DIRECTORY_ENTRY_IMPORT, "the import table runs past the end of its section at 0x70000000"),
        (pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT, "the delayed import table runs past the end of its section"),
        (pe::IMAGE_DIRECTORY_ENTRY_EXPORT, "the export table at 0x70000000 is outside all sections"),
    ] {
        let mut broken = Broken::of(&PeMaker::addon());
        let at = broken.directory(index);
        assert!(error(&broken.set(at, 0x7000_0000).content).contains(damage), "{damage}");
    }
}

/// An entry of zeros ends an import table; the directory's size does not.
#[test]
fn reading_an_unterminated_import_table_stops_at_the_section_end() {
    let mut broken = Broken::of(&PeMaker::addon());
    let (first, end) =
        (broken.table(1), broken.word(broken.section(0) + 8) + broken.word(broken.section(0) + 20));
    let entry = broken.content[first..first + 20].to_vec();
    for at in (first..end - 20).step_by(20) {
        broken.content[at..at + 20].copy_from_slice(&entry);
    }
    let message = error(&broken.content);
    assert!(message.contains("runs past the end of its section at 0x"), "{message}");

    // A list of imports by number has no end within its section.
    let sections = vec![(".fill", pe::IMAGE_SCN_MEM_READ, 0x20100)];
    let mut broken = Broken::of(&PeMaker { sections, ..PeMaker::addon() });
    let (at, fill) = (broken.table(1), u32::try_from(broken.word(broken.section(1) + 12)).unwrap());
    let message = error(&broken.set(at, fill).content);
    assert!(
        message.contains("the list of imports from KERNEL32.dll is outside all sections at 0x"),
        "{message}"
    );
    // The name of a library is not terminated.
    let message = error(&broken.set(at + 12, fill).content);
    assert!(message.contains("is longer than 65536 bytes"), "{message}");
}

/// 100 libraries share a list of 4,000 imports, so a small file describes 400,000 imports.
#[test]
fn overlapping_lists_count_towards_the_limit() {
    let imports = (0..100).map(|index| ("KERNEL32.dll", vec!["#1"; if index == 0 { 4000 } else { 0 }]));
    let mut broken = Broken::of(&PeMaker { imports: imports.collect(), ..PeMaker::addon() });
    let first = broken.table(1);
    let list = u32::try_from(broken.word(first)).unwrap();
    for index in 0..100 {
        broken.set(first + 20 * index, list);
    }
    assert!(error(&broken.content).contains("the file imports more than 262144 names"));

    let many = vec![("KERNEL32.dll", vec![]); 1100];
    let message = error(&PeMaker { imports: many, ..PeMaker::addon() }.make());
    assert!(message.contains("the file imports from more than 1024 libraries"), "{message}");
}

#[test]
fn a_large_export_count_reserves_no_memory() {
    let with = |count: u32| {
        let mut broken = Broken::of(&PeMaker::addon());
        let at = broken.table(0) + 24;
        error(&broken.set(at, count).content)
    };
    assert!(with(u32::MAX).contains("the file exports more than 262144 names"));
    let message = with(200_000);
    assert!(message.contains("is outside all sections"), "{message}");
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let imports = vec![("lib\x1b[2J\u{202e}.dll", vec!["a\nb"])];
    let found = PeMaker { imports, ..PeMaker::addon() }.findings(NAME, "imports");
    assert_eq!(found[0].evidence, "imports from lib\\u{1b}[2J\\u{202e}.dll: a\\nb");
}

/// Visual C++ 6 wrote absolute addresses, which assume the linker's image base.
#[test]
fn a_delay_load_table_with_absolute_addresses_is_read() {
    let mut broken = Broken::of(&PeMaker::addon());
    let entry = broken.table(pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT);
    broken.set(entry, 0);
    assert!(error(&broken.content).contains("is below the image base"));
    for field in [4, 16] {
        let address = u32::try_from(broken.word(entry + field)).unwrap() + 0x1000_0000;
        broken.set(entry + field, address);
    }
    let facts = node_audit::read_facts(Path::new(NAME), &broken.content).unwrap().remove(0);
    assert_eq!(facts, PeMaker::addon().facts());
}
