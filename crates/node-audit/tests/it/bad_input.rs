//! Files that are no addon, or a broken one: an error that names the file, and never a panic.

use std::path::Path;

use node_audit::{Policy, audit, audit_bytes};
use object::elf;

use crate::object_maker::{Maker, NAME};

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
    assert!(error(&content[..content.len() - 1]).contains("it may have been cut short"));
    assert!(error(&content[..20]).contains("it ends within its header"));
}

#[test]
fn no_damaged_byte_is_a_panic() {
    for object in [Maker::addon(), Maker { is_64: false, machine: elf::EM_386, ..Maker::addon() }] {
        let good = object.make();
        let mut refused = 0;
        for position in 0..good.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, good[position] ^ 1] {
                let mut bad = good.clone();
                bad[position] = value;
                if let Err(error) = audit_bytes(Path::new(NAME), &bad, &Policy::default()) {
                    assert!(error.to_string().starts_with(NAME), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 100, "only {refused} refused");
    }
}

#[test]
fn tables_outside_the_file_are_named() {
    let with = |numbers: &[_]| error(&Maker { numbers: numbers.to_vec(), ..Maker::addon() }.make());
    // Where an entry is given twice, the first counts, so that only entries that the object lacks can be added.
    let table = [(elf::DT_GNU_HASH, u64::MAX)];
    let hashless = Maker { numbers: table.to_vec(), ..Maker::addon() };
    let mut content = hashless.make();
    replace_tag(&mut content, elf::DT_HASH, elf::DT_DEBUG);
    assert!(error(&content).contains("its hash table is in no segment"), "{}", error(&content));

    for (tag, damage) in [
        (elf::DT_SYMTAB, "its dynamic symbol table"),
        (elf::DT_STRTAB, "its dynamic string table is in no segment"),
        (elf::DT_STRSZ, "its dynamic string table runs past its segment"),
        (elf::DT_VERNEED, "its version needs are in no segment"),
    ] {
        let mut content = Maker::addon().make();
        set_value(&mut content, tag, 1 << 40);
        assert!(error(&content).contains(damage), "{}", error(&content));
    }
    let many = vec!["libx.so"; 5000];
    let message = error(&Maker { needed: many, ..Maker::addon() }.make());
    assert!(message.contains("more than 4096 libraries"), "{message}");
    assert!(with(&[(elf::DT_RUNPATH, 1 << 40)]).contains("is outside its string table"));
}

/// Version needs are two nested chains of offsets. Both may be made to stand still, and their counts to be any number:
/// 65,535 times 2^64 entries out of 32 bytes.
#[test]
fn version_needs_that_overlap_end() {
    let mut content = Maker::addon().make();
    let start = value(&content, elf::DT_VERNEED);
    content[start + 2..start + 4].copy_from_slice(&[0xff, 0xff]); // vn_cnt
    set_value(&mut content, elf::DT_VERNEEDNUM, u64::MAX);
    assert!(error(&content).contains("more than 32767 symbol versions"), "{}", error(&content));
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
fn other_formats_are_told_apart() {
    for (content, expected) in [
        (&b""[..], "is empty"),
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01", "is a Mach-O file, which is not read yet: ELF (Linux) only"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "is a Mach-O file"),
        (b"MZ\x90\0", "is a PE file, which is not read yet: ELF (Linux) only"),
        (
            b"version https://git-lfs",
            "is no addon: it begins with 76 65 72 73, and an ELF file with 7f 45 4c 46",
        ),
        (b"\x7fELF", "is a damaged ELF file: it ends within its header"),
        (b"\x7fELF\x09\x09\0\0\0\0", "is a damaged ELF file: its header names neither 32 nor 64 bit"),
    ] {
        let message = error(content);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn paths_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| audit(path, &Policy::default()).unwrap_err().to_string();
    assert!(message(folder.path()).ends_with(": is a directory, and no file"));
    let missing = folder.path().join("missing.node");
    assert!(
        message(&missing).contains("missing.node: cannot be read: No such file"),
        "{}",
        message(&missing)
    );
    #[cfg(unix)]
    assert!(message(Path::new("/dev/null")).ends_with("/dev/null: is no regular file"));
}

/// Where an entry of the dynamic table of a 64-bit little-endian object is.
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
