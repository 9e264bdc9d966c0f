//! The rule `hardening`: protections that the linker and the compiler add to PE and ELF files.

use node_audit::Severity;
use object::{elf, pe};

use crate::object_maker::{self, Maker};
use crate::pe_maker::{NAME, PeMaker};

const RULE: &str = "hardening";

#[test]
fn the_linkers_defaults_are_fine() {
    assert_eq!(PeMaker::addon().findings(NAME, RULE), []);
    let flags = pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE | pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT;
    let ia32 = PeMaker { flags, ..PeMaker::ia32() };
    assert_eq!(ia32.findings("addon.win32-ia32-msvc.node", RULE), [], "an address has only 32 bits");
}

#[test]
fn each_flag_that_is_missing_is_named() {
    let found = PeMaker { flags: pe::DllFlags(0), ..PeMaker::addon() }.findings(NAME, RULE);
    let evidence: Vec<&str> = found.iter().map(|finding| finding.evidence.as_str()).collect();
    assert_eq!(
        evidence,
        ["the header lacks DYNAMIC_BASE with relocations and HIGH_ENTROPY_VA", "the header lacks NX_COMPAT"]
    );
    assert!(found.iter().all(|finding| finding.severity == Severity::Warning));
    let kind = PeMaker::addon().kind | pe::IMAGE_FILE_RELOCS_STRIPPED;
    let fixed = PeMaker { kind, ..PeMaker::addon() }.findings(NAME, RULE);
    assert_eq!(fixed[0].evidence, "the header lacks DYNAMIC_BASE with relocations");
}

#[test]
fn a_writable_and_executable_section_is_named() {
    let sections = vec![(".jit", pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE, 16)];
    let found = PeMaker { sections, ..PeMaker::addon() }.findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(found[0].evidence, "writable and executable: .jit");
}

#[test]
fn an_elf_file_needs_full_relro_and_a_non_executable_stack() {
    let found = |object: Maker| {
        let found = object.findings(object_maker::NAME, RULE);
        found.into_iter().map(|finding| (finding.severity, finding.evidence)).collect::<Vec<_>>()
    };
    assert_eq!(found(Maker::addon()), []);
    let warning = |evidence: &str| vec![(Severity::Warning, evidence.to_owned())];
    assert_eq!(found(Maker { relro: false, ..Maker::addon() }), warning("no PT_GNU_RELRO"));
    let lazy = Maker { bind_now: false, ..Maker::addon() };
    assert_eq!(found(lazy), warning("neither DF_BIND_NOW nor DF_1_NOW"));
    let everything = elf::PF_R | elf::PF_W | elf::PF_X;
    assert_eq!(found(Maker { load: everything, ..Maker::addon() })[0].0, Severity::Warning);
    for bad in [
        Maker { stack: Some(everything), ..Maker::addon() },
        Maker { numbers: vec![(elf::DT_TEXTREL, 0)], ..Maker::addon() },
    ] {
        let found = found(bad);
        assert_eq!((found.len(), found[0].0), (1, Severity::Error), "{found:?}");
    }
}

/// musl loads an addon with an executable stack, but the message once named glibc.
#[test]
fn musl_ignores_an_executable_stack() {
    let object = Maker { stack: Some(elf::PF_R | elf::PF_W | elf::PF_X), ..Maker::musl() };
    let found = object.findings("addon.linux-x64-musl.node", RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(found[0].message, "the addon asks for an executable stack, and musl ignores the request");
}
