//! The protections of PE files; those of ELF and Mach-O files are tested where they are read.

use node_audit::Severity;
use object::pe;

use crate::pe_maker::{NAME, PeMaker};

const RULE: &str = "hardening";

#[test]
fn the_linkers_defaults_are_fine() {
    assert_eq!(PeMaker::addon().findings(NAME, RULE), []);
    let flags = pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE | pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT;
    let ia32 = PeMaker { flags, ..PeMaker::ia32() };
    assert_eq!(ia32.findings("addon.win32-ia32-msvc.node", RULE), [], "an address has no more than 32 bits");
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
fn a_section_that_is_written_and_executed_is_named() {
    let sections = vec![(".jit", pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE, 16)];
    let found = PeMaker { sections, ..PeMaker::addon() }.findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert_eq!(found[0].evidence, "writable and executable: .jit");
}
