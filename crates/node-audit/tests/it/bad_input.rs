//! Damaged files, and files that are not addons, cause an error that names the file, never a panic.

use std::path::Path;

use node_audit::{Policy, audit, audit_bytes};
use object::elf;

use crate::object_maker::{Maker, NAME, Need};

fn error(content: &[u8]) -> String {
    audit_bytes(Path::new("dir/x.node"), content, &Policy::default()).unwrap_err().to_string()
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    let content = Maker::addon().make();
    for length in 1..content.len() {
        let message = error(&content[..length]);
        assert!(message.starts_with("dir/x.node: is "), "{length}: {message}");
    }
    let message = error(&content[..content.len() - 1]);
    let expected = format!(
        "is cut short: the ELF headers describe {} bytes, but the last 1 byte is missing",
        content.len()
    );
    assert!(message.ends_with(&expected), "{message}");
    assert!(error(&content[..20]).contains("the file ends within its header"));
}

/// Linkers write the section headers last, after every loaded part. The reader once checked only the loaded parts, so an addon
/// without its last bytes passed the audit and was packed.
#[test]
fn a_file_cut_within_its_section_headers_is_an_error() {
    let whole = Maker { sections: vec![(".comment", 40)], ..Maker::addon() }.make();
    // As in a linker's output, the segments end before the sections.
    let mut content = whole.clone();
    let start = u64::from_le_bytes(whole[0x28..0x30].try_into().unwrap());
    for header in [64, 64 + 56, 64 + 3 * 56] {
        let at = |field: usize| header + field..header + field + 8;
        let offset = u64::from_le_bytes(content[at(8)].try_into().unwrap());
        // p_filesz, rounded down to whole entries of a dynamic table.
        content[at(32)].copy_from_slice(&((start - offset) & !15).to_le_bytes());
    }
    audit_bytes(Path::new("dir/x.node"), &content, &Policy::default()).unwrap();
    for length in [usize::try_from(start).unwrap(), content.len() - 1] {
        let message = error(&content[..length]);
        let missing = content.len() - length;
        assert!(message.contains(&format!("but the last {missing} byte")), "{message}");
    }
    // If e_shnum is 0, the first section header holds the number of sections.
    let mut counted = content.clone();
    counted[0x3c..0x3e].fill(0);
    let first = usize::try_from(start).unwrap();
    counted[first + 32..first + 36].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(error(&counted).contains("the section headers, 274877906880 bytes at "), "{}", error(&counted));
    for (place, expected) in
        [(u64::MAX, "is a damaged ELF file: the section headers"), (content.len() as u64, "is cut short: ")]
    {
        content[0x28..0x30].copy_from_slice(&place.to_le_bytes());
        assert!(error(&content).contains(expected), "{}", error(&content));
    }
    // Some tools strip the section header table to save space.
    content.truncate(first);
    content[0x28..0x30].fill(0);
    content[0x3c..0x3e].fill(0);
    audit_bytes(Path::new("dir/x.node"), &content, &Policy::default()).unwrap();
}

/// Damages each byte of a file in several ways, and audits every variant. Each error must name the file.
pub(crate) fn damage_each_byte(name: &str, good: &[u8]) {
    let mut refused = 0;
    for position in 0..good.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, good[position] ^ 1] {
            let mut bad = good.to_vec();
            bad[position] = value;
            if let Err(error) = audit_bytes(Path::new(name), &bad, &Policy::default()) {
                assert!(error.to_string().starts_with(name), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "no damage was refused");
}

#[test]
fn no_damaged_byte_causes_a_panic() {
    let full = Maker {
        tls: 8,
        note: Some("Android"),
        hidden: vec!["counter"],
        relocations: vec![(elf::R_X86_64_TPOFF64, "counter"), (elf::R_X86_64_TPOFF64, "malloc")],
        sections: vec![(".debug_info", 4), (".symtab", 8)],
        texts: vec![(elf::DT_RUNPATH, "$ORIGIN/lib:/opt")],
        ..Maker::addon()
    };
    let narrow = Maker {
        is_64: false,
        machine: elf::EM_386,
        relocations: vec![(elf::R_386_TLS_TPOFF, "")],
        table: (elf::DT_REL, elf::DT_RELSZ),
        ..Maker::addon()
    };
    for object in [Maker::addon(), full, narrow] {
        let good = object.make();
        damage_each_byte(NAME, &good);
    }
}

#[test]
fn tables_outside_the_file_are_named() {
    let with = |numbers: &[_]| error(&Maker { numbers: numbers.to_vec(), ..Maker::addon() }.make());
    // The reader uses the first of two equal entries, so the test adds only entries that the object lacks.
    let table = [(elf::DT_GNU_HASH, u64::MAX)];
    let hashless = Maker { numbers: table.to_vec(), ..Maker::addon() };
    let mut content = hashless.make();
    replace_tag(&mut content, elf::DT_HASH, elf::DT_DEBUG);
    assert!(error(&content).contains("the hash table is outside all segments"), "{}", error(&content));

    for (tag, damage) in [
        (elf::DT_SYMTAB, "the dynamic symbol table"),
        (elf::DT_STRTAB, "the dynamic string table is outside all segments"),
        (elf::DT_STRSZ, "the dynamic string table runs past the end of its segment"),
        (elf::DT_VERNEED, "the table of needed versions is outside all segments"),
    ] {
        let mut content = Maker::addon().make();
        set_value(&mut content, tag, 1 << 40);
        assert!(error(&content).contains(damage), "{}", error(&content));
    }
    let relocated = Maker { relocations: vec![(elf::R_X86_64_TPOFF64, "malloc")], ..Maker::addon() }.make();
    for (tag, value) in [(elf::DT_RELA, 1 << 40), (elf::DT_RELASZ, u64::MAX)] {
        let mut content = relocated.clone();
        set_value(&mut content, tag, value);
        let message = error(&content);
        assert!(
            message
                .contains("the relocations are outside all segments, or run past the end of their segment"),
            "{message}"
        );
    }
    // The second number of the hash table is the symbol count; 1 leaves only the null symbol.
    let mut content = relocated;
    let start = value(&content, elf::DT_HASH);
    content[start + 4..start + 8].copy_from_slice(&1_u32.to_le_bytes());
    let message = error(&content);
    assert!(message.contains("a relocation refers to dynamic symbol 1 of 1"), "{message}");
    let many = vec!["libx.so"; 600];
    let message = error(&Maker { needed: many, ..Maker::addon() }.make());
    assert!(message.contains("more than 512 libraries"), "{message}");
    let message = with(&[(elf::DT_DEBUG, 0); 5000]);
    assert!(message.contains("the dynamic table has more than 4096 entries"), "{message}");
    assert!(with(&[(elf::DT_RUNPATH, 1 << 40)]).contains("is outside the string table"));
}

/// Version needs are two nested chains of offsets. An offset may be 0, and a count has no bound: 32 bytes once described 65,535
/// times 2^64 entries.
#[test]
fn overlapping_version_needs_do_not_keep_the_reader_busy() {
    // Long names enlarge the string table, so that it allows this many versions.
    let long: &'static str = "l".repeat(60_000).leak();
    let mut content = Maker { imports: vec![long, &long[1..]], ..Maker::addon() }.make();
    let start = value(&content, elf::DT_VERNEED);
    content[start + 2..start + 4].copy_from_slice(&[0xff, 0xff]); // vn_cnt
    set_value(&mut content, elf::DT_VERNEEDNUM, u64::MAX);
    assert!(error(&content).contains("more than 32767 symbol versions"), "{}", error(&content));
}

/// Each version once held a copy of its library's name, but the budget counted the name only once. With a 64 KB name and a
/// version that points to itself, the reader took 2 GB of memory.
#[test]
fn version_needs_do_not_multiply_the_name_of_their_library() {
    let library: &'static str = "l".repeat(60_000).leak();
    let need = Need { library, version: "GLIBC_2.17", weak: false, symbols: vec!["malloc"] };
    let mut content = Maker { versions: vec![need], ..Maker::addon() }.make();
    let start = value(&content, elf::DT_VERNEED);
    content[start + 2..start + 4].copy_from_slice(&1000_u16.to_le_bytes()); // vn_cnt
    assert!(error(&content).contains("the names add up to more than"), "{}", error(&content));
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let object = Maker { needed: vec!["lib\x1b[2J\u{202e}.so"], ..Maker::addon() };
    let found = object.findings(NAME, "needed");
    assert_eq!(found[0].evidence, "DT_NEEDED lib\\u{1b}[2J\\u{202e}.so");
    let message = audit_bytes(Path::new("a\nb.node"), b"", &Policy::default()).unwrap_err().to_string();
    assert_eq!(message, "a\\nb.node: is empty");
}

#[test]
fn the_error_names_the_format_of_a_damaged_file() {
    for (content, expected) in [
        (&b""[..], "is empty"),
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01", "is a damaged Mach-O file: the file ends within its header"),
        (
            b"\xca\xfe\xba\xbe\0\0\0\x34",
            "is not an addon: the file begins with ca fe ba be, which no addon format does",
        ),
        (b"MZ\x90\0", "is a damaged PE file: the file ends within its header"),
        (b"\x7fELF", "is a damaged ELF file: the file ends within its header"),
        (b"\x7fELF\x09\x09\0\0\0\0", "is a damaged ELF file: the header has an invalid class"),
    ] {
        let message = error(content);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn paths_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| audit(path, &Policy::default()).unwrap_err().to_string();
    assert!(message(folder.path()).ends_with(": is a directory; pass a .node file or an npm tarball"));
    let missing = folder.path().join("missing.node");
    assert!(
        message(&missing).contains("missing.node: cannot be read: No such file"),
        "{}",
        message(&missing)
    );
    #[cfg(unix)]
    assert!(message(Path::new("/dev/null")).contains("/dev/null: is a pipe, a socket or a device"));
}

/// Returns the offset of an entry in the dynamic table of a 64-bit little-endian object.
fn entry(content: &[u8], tag: elf::DynamicTag) -> usize {
    // The program headers follow the file header; the second one is PT_DYNAMIC.
    let word = |at: usize| u64::from_le_bytes(content[at..at + 8].try_into().unwrap());
    let table = usize::try_from(word(64 + 56 + 8)).unwrap();
    let found = (table..content.len()).step_by(16).find(|at| word(*at) == u64::try_from(tag.0).unwrap());
    found.unwrap_or_else(|| panic!("no entry {tag:?}"))
}

fn value(content: &[u8], tag: elf::DynamicTag) -> usize {
    let at = entry(content, tag) + 8;
    usize::try_from(u64::from_le_bytes(content[at..at + 8].try_into().unwrap())).unwrap()
}

fn set_value(content: &mut [u8], tag: elf::DynamicTag, value: u64) {
    let at = entry(content, tag) + 8;
    content[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn replace_tag(content: &mut [u8], from: elf::DynamicTag, to: elf::DynamicTag) {
    let at = entry(content, from);
    content[at..at + 8].copy_from_slice(&to.0.to_le_bytes());
}
