//! Facts from the program headers, the flags of the dynamic table and the section headers.

use std::path::Path;

use node_audit::{ElfFacts, Facts, Libc, RULES, read_facts};
use object::elf;

use crate::object_maker::{Maker, NAME};

fn facts(object: &Maker) -> Facts {
    read_facts(Path::new(NAME), &object.make()).unwrap().remove(0)
}

fn elf(object: &Maker) -> ElfFacts {
    facts(object).elf().unwrap().clone()
}

#[test]
fn the_builders_addon_passes_every_rule() {
    for rule in RULES {
        assert_eq!(Maker::addon().findings(NAME, rule.id), [], "{}", rule.id);
        assert_eq!(Maker::musl().findings("addon.linux-x64-musl.node", rule.id), [], "{}", rule.id);
    }
    let ElfFacts { relro, bind_now, executable_stack, text_relocations, nodelete, .. } = elf(&Maker::addon());
    assert!(relro && bind_now && !executable_stack && !text_relocations && !nodelete);
    let Facts { writable_code, leftovers, .. } = facts(&Maker::addon());
    assert!(writable_code.is_empty() && leftovers.is_empty());
}

#[test]
fn all_spellings_of_a_flag_are_read() {
    let lazy = Maker { bind_now: false, ..Maker::addon() };
    assert!(!elf(&lazy).bind_now);
    let with = |tag, value| elf(&Maker { numbers: vec![(tag, value)], ..lazy.clone() });
    assert!(with(elf::DT_BIND_NOW, 0).bind_now);
    assert!(with(elf::DT_FLAGS, elf::DF_BIND_NOW.0).bind_now);
    assert!(with(elf::DT_FLAGS_1, elf::DF_1_NOW.0).bind_now);
    assert!(!with(elf::DT_FLAGS, elf::DF_SYMBOLIC.0).bind_now);
    assert!(with(elf::DT_TEXTREL, 0).text_relocations);
    assert!(with(elf::DT_FLAGS, elf::DF_TEXTREL.0).text_relocations);
    assert!(with(elf::DT_FLAGS_1, elf::DF_1_NODELETE.0).nodelete);
    assert!(!elf(&Maker { relro: false, ..Maker::addon() }).relro);
}

/// On old architectures, a library without PT_GNU_STACK may predate that header and need an executable stack.
#[test]
fn without_a_stack_header_the_machine_decides_whether_the_stack_is_executable() {
    let stack =
        |machine, is_64, stack| elf(&Maker { machine, is_64, stack, ..Maker::addon() }).executable_stack;
    for (machine, is_64, executable) in [
        (elf::EM_X86_64, true, true),
        (elf::EM_386, false, true),
        (elf::EM_ARM, false, true),
        (elf::EM_AARCH64, true, false),
        (elf::EM_PPC64, true, false),
        (elf::EM_RISCV, true, false),
        (elf::EM_LOONGARCH, true, false),
    ] {
        assert_eq!(stack(machine, is_64, None), executable, "{machine:?}");
        assert!(stack(machine, is_64, Some(elf::PF_R | elf::PF_W | elf::PF_X)), "{machine:?}");
        assert!(!stack(machine, is_64, Some(elf::PF_R | elf::PF_W)), "{machine:?}");
    }
}

#[test]
fn a_writable_and_executable_segment_is_named() {
    let code = |load| facts(&Maker { load, ..Maker::addon() }).writable_code;
    assert_eq!(code(elf::PF_R | elf::PF_W | elf::PF_X), ["PT_LOAD at 0x0"]);
    assert!(code(elf::PF_R | elf::PF_X).is_empty() && code(elf::PF_R | elf::PF_W).is_empty());
}

#[test]
fn sections_that_no_loader_reads_are_listed() {
    let sections = vec![
        (".text", 4),
        (".debug_info", 10),
        (".zdebug_str", 3),
        (".symtab", 24),
        (".strtab", 5),
        (".debug", 1),
    ];
    let object = Maker { sections, ..Maker::addon() };
    let listed = |facts: &Facts| {
        let pairs = facts.leftovers.iter().map(|leftover| (leftover.name.clone(), leftover.bytes));
        pairs.collect::<Vec<_>>()
    };
    let expected = [(".debug_info", 10), (".zdebug_str", 3), (".symtab", 24), (".strtab", 5)];
    assert_eq!(listed(&facts(&object)), expected.map(|(name, bytes)| (name.to_owned(), bytes)));

    // Section headers of an unknown size are not an error, since loaders do not read section headers.
    let mut content = object.make();
    content[0x3a..0x3c].copy_from_slice(&1_u16.to_le_bytes());
    assert_eq!(listed(&read_facts(Path::new(NAME), &content).unwrap()[0]), []);
}

/// The file name libc.so belongs to both bionic and musl.
#[test]
fn androids_c_library_is_not_musl() {
    let object = Maker { needed: vec!["libc.so"], versions: vec![], ..Maker::addon() };
    assert_eq!(elf(&object).libc, Some(Libc::Musl));
    let android = Maker { note: Some("Android"), ..object.clone() };
    assert_eq!(elf(&android).libc, Some(Libc::Bionic));
    assert_eq!(elf(&Maker { note: Some("GNU"), ..object.clone() }).libc, Some(Libc::Musl));

    let needed = vec!["libc.so", "libdl.so", "liblog.so"];
    let android = Maker { needed, ..android };
    assert_eq!(android.findings("addon.android-x64.node", "arch"), []);
    assert_eq!(android.findings("addon.android-x64.node", "needed"), []);
    let found = android.findings("addon.linux-x64-musl.node", "arch");
    assert_eq!(
        found[0].message,
        "the addon claims linux-x64-musl, but is linked to bionic, Android's C library"
    );
    let found = android.findings("addon.linux-x64.node", "arch");
    assert_eq!(found[0].message, "the addon claims linux-x64, but is linked to bionic, Android's C library");
    let found = object.findings("addon.android-x64.node", "arch");
    assert_eq!(found[0].message, "the addon claims android-x64, but is linked to musl");
}

#[test]
fn freebsds_c_library_is_named_by_its_file() {
    let object = Maker { needed: vec!["libc.so.7"], versions: vec![], ..Maker::addon() };
    assert_eq!(elf(&object).libc, None);
    assert_eq!(object.findings("addon.freebsd-x64.node", "arch"), []);
    assert_eq!(object.findings("addon.freebsd-x64.node", "needed"), []);
    let found = object.findings("addon.linux-arm64-gnu.node", "arch");
    assert!(found[0].evidence.ends_with("linked to libc.so.7"), "{}", found[0].evidence);
}
