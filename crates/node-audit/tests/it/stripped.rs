//! The rule `stripped`: debug information in an addon.

use node_audit::Severity;
use object::pe;

use crate::pe_maker::{NAME, PeMaker};

const RULE: &str = "stripped";

#[test]
fn a_stripped_file_is_fine() {
    assert_eq!(PeMaker::addon().findings(NAME, RULE), []);
    let pdb = PeMaker { pdb: Some("addon.pdb"), ..PeMaker::addon() };
    assert_eq!(pdb.findings(NAME, RULE), [], "the debug information is in another file");
}

#[test]
fn sections_are_listed_with_their_sizes_largest_first() {
    let debug = |name, length| (name, pe::IMAGE_SCN_MEM_DISCARDABLE, length);
    let sections = vec![debug(".debug_line", 0x400), debug(".debug_info", 0x10000)];
    let found = PeMaker { sections, symbols: 2, ..PeMaker::addon() }.findings(NAME, RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
    assert_eq!(found[0].evidence, ".debug_info 65.5 kB, .debug_line 1.0 kB, COFF symbols 64 bytes");
    assert!(found[0].message.starts_with("66.6 kB of the file's "), "{}", found[0].message);
}
