//! Mach-O files that are cut short, damaged, or crafted to keep the reader busy cause an error that names the file, never a
//! panic.

use std::path::Path;

use node_audit::{Policy, audit_bytes};
use object::macho;

use crate::bad_input::damage_each_byte;
use crate::macho_maker::{MachO, NAME, fat};

fn error(content: &[u8]) -> String {
    audit_bytes(Path::new("dir/x.node"), content, &Policy::default()).unwrap_err().to_string()
}

fn big() -> MachO {
    MachO { is_64: false, little_endian: false, cpu: macho::CPU_TYPE_POWERPC, trie: false, ..MachO::addon() }
}

fn two_parts(is_64: bool) -> Vec<u8> {
    let parts =
        [(macho::CPU_TYPE_X86_64, MachO::x64().make()), (macho::CPU_TYPE_ARM64, MachO::addon().make())];
    fat(&parts, is_64)
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    for content in [MachO::addon().make(), MachO::x64().make(), big().make()] {
        for length in 1..content.len() {
            let message = error(&content[..length]);
            assert!(message.starts_with("dir/x.node: is "), "{length}: {message}");
        }
        let message = error(&content[..content.len() - 1]);
        let expected =
            format!("the Mach-O headers describe {} bytes, but the last 1 byte is missing", content.len());
        assert!(message.ends_with(&expected), "{message}");
        assert!(error(&content[..20]).contains("the file ends within its header"));
    }
    let content = two_parts(false);
    // The end of the last part, without the padding to 64 bytes that follows each part.
    let end = MachO::addon().make().len() + content.len() - MachO::addon().make().len().next_multiple_of(64);
    for length in 1..end {
        assert!(error(&content[..length]).starts_with("dir/x.node: is "), "{length}");
    }
    let message = error(&content[..end - 1]);
    assert!(
        message
            .ends_with(&format!("the Mach-O headers describe {end} bytes, but the last 1 byte is missing")),
        "{message}"
    );
}

#[test]
fn no_damaged_byte_causes_a_panic() {
    let unsigned = MachO { signing: None, rpaths: vec!["@loader_path"], id: Some("/x"), ..MachO::addon() };
    for good in [unsigned.make(), MachO::addon().make(), big().make(), two_parts(false), two_parts(true)] {
        damage_each_byte(NAME, &good);
    }
}

#[test]
fn invalid_parts_of_a_fat_file_are_named() {
    let addon = MachO::addon().make();
    let arm64 = macho::CPU_TYPE_ARM64;
    let nested = fat(&[(arm64, fat(&[(arm64, addon.clone())], false))], false);
    assert!(error(&nested).contains("part 0: the part is another fat file"), "{}", error(&nested));
    let archive = fat(&[(arm64, b"!<arch>\n".to_vec())], false);
    assert!(error(&archive).contains("part 0: the part is not a Mach-O file"), "{}", error(&archive));
    let other = fat(&[(macho::CPU_TYPE_X86_64, addon.clone())], false);
    assert!(error(&other).contains("the table of parts names machine 16777223"), "{}", error(&other));
    assert!(error(&fat(&[], false)).contains("the table of parts is empty"));

    let many = vec![(arm64, addon.clone()); 45];
    assert!(error(&fat(&many, true)).contains("the file has 45 parts"));
    assert!(error(&fat(&many, false)).contains("is not an addon"), "as a Java class");

    // Copies the first part's offset into the second entry: an entry has 20 bytes, follows a header of 8 bytes, and holds its
    // offset at 8.
    let mut overlapping = fat(&[(arm64, addon.clone()), (arm64, addon)], false);
    overlapping.copy_within(16..20, 36);
    assert!(error(&overlapping).contains("the parts overlap"), "{}", error(&overlapping));
    let mut header = overlapping;
    header[16..20].fill(0);
    assert!(error(&header).contains("the parts overlap"), "{}", error(&header));
}

#[test]
fn invalid_load_commands_are_named() {
    let good = MachO { signing: None, ..MachO::addon() }.make();
    let damaged = |position: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[position..position + bytes.len()].copy_from_slice(bytes);
        error(&bad)
    };
    let huge = [0xff; 4];
    let dylib = 32 + 152 + 72;
    let version = dylib + 24 + 32;
    let (symtab, trie) = (version + 24, version + 24 + 24);
    for (position, bytes, expected) in [
        (16, &huge[..], "load command 6 is damaged"),
        (20, &huge, "the load commands are outside the file"),
        (36, &[0, 0, 0, 0], "load command 0 is damaged"),
        (32 + 48, &huge, "segment __TEXT of"),
        (32 + 64, &huge, "segment __TEXT has more sections"),
        (dylib + 8, &huge, "the string is outside the command"),
        (symtab + 8, &huge, "the symbol table of 1 symbols is outside the file"),
        (symtab + 12, &huge, "the symbol table of 4294967295 symbols is outside the file"),
        (symtab + 16, &huge, "the string table is outside the file"),
        (trie + 8, &huge, "are outside the file"),
        (trie + 12, &huge, "are outside the file"),
    ] {
        assert!(damaged(position, bytes).contains(expected), "{expected}: {}", damaged(position, bytes));
    }
    let many = vec![(macho::LC_LOAD_DYLIB, "/usr/lib/x"); 513];
    assert!(error(&MachO { dylibs: many, ..MachO::addon() }.make()).contains("more than 512 libraries"));
    let many = MachO { rpaths: vec!["@loader_path"; 513], ..MachO::addon() };
    assert!(error(&many.make()).contains("more than 512 directories"));
    let long: &str = Box::leak("x".repeat(4097).into_boxed_str());
    assert!(error(&MachO { id: Some(long), ..MachO::addon() }.make()).contains("longer than 4096 bytes"));
}

/// If a node is its own child, the walk has no end, and each step lengthens the name.
#[test]
fn an_export_trie_with_a_cycle_is_refused() {
    let mut content = MachO { signing: None, ..MachO::addon() }.make();
    // The trie is the last part of the file: the child's offset takes 2 bytes, and the child's node the last 4.
    let end = content.len();
    content[end - 6..end - 4].copy_from_slice(&[0x80, 0]);
    assert!(error(&content).contains("the export trie contains a cycle"), "{}", error(&content));
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let object = MachO { rpaths: vec!["/x\x1b[2J\u{202e}"], exports: vec!["_x\x1b[2J"], ..MachO::addon() };
    assert_eq!(object.findings(NAME, "load-command")[0].evidence, "LC_RPATH /x\\u{1b}[2J\\u{202e}");
    assert_eq!(object.facts().exports, ["x\\u{1b}[2J"]);
}
