//! The rule `page-size`: segments and pages.

use node_audit::{Finding, Policy, Severity, Version};
use object::elf;

use crate::macho_maker::{self, MachO};
use crate::object_maker::{Maker, NAME};

const RULE: &str = "page-size";
const ARM64: &str = "addon.linux-arm64-gnu.node";

fn arm64(align: u64) -> Maker {
    Maker { machine: elf::EM_AARCH64, align, ..Maker::addon() }
}

fn at_machine(machine: elf::Machine) -> Maker {
    Maker { machine, ..Maker::addon() }
}

/// Returns an object whose segment has an address that differs from its offset in the file.
fn moved(object: &Maker, by: u64) -> Vec<u8> {
    let mut content = object.make();
    // p_vaddr of the first program header.
    content[64 + 16..64 + 24].copy_from_slice(&by.to_le_bytes());
    if by > 0 {
        // The address of the dynamic table is now wrong, so its program header becomes PT_NULL.
        content[64 + 56..64 + 60].fill(0);
    }
    content
}

fn findings_by(content: &[u8], name: &str, policy: &Policy) -> Vec<Finding> {
    let report = node_audit::audit_bytes(name.as_ref(), content, policy);
    report.unwrap().findings.into_iter().filter(|finding| finding.rule == RULE).collect()
}

#[test]
fn usual_alignments_are_fine() {
    assert_eq!(Maker { align: 0x1000, ..Maker::addon() }.findings(NAME, RULE), []);
    assert_eq!(arm64(0x1_0000).findings(ARM64, RULE), []);
}

#[test]
fn an_alignment_below_64_kib_on_arm64_is_a_warning() {
    for (align, sizes) in [(0x1000, "16 or 64 KiB pages"), (0x4000, "64 KiB pages")] {
        let found = arm64(align).findings(ARM64, RULE);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{align:#x}");
        let expected = format!("the addon does not load on kernels with {sizes}");
        assert!(found[0].message.starts_with(&expected), "{}", found[0].message);
        assert_eq!(found[0].evidence, format!("PT_LOAD 0: address 0x0, offset 0x0, alignment {align:#x}"));
    }
}

/// glibc 2.35 and later only compare addresses with offsets, which agree here on pages of any size. musl checks neither.
#[test]
fn loaders_that_ignore_the_alignment_are_fine() {
    let mut policy = Policy::default();
    policy.floors.glibc = Version { major: 2, minor: 35, patch: 0 };
    assert_eq!(arm64(0x1000).findings_by(ARM64, RULE, &policy), []);
    let musl = Maker { machine: elf::EM_AARCH64, align: 0x1000, ..Maker::musl() };
    assert_eq!(musl.findings("addon.linux-arm64-musl.node", RULE), []);
}

/// glibc 2.31 refused such files when measured; glibc 2.36 and musl loaded the same files.
#[test]
fn an_alignment_that_an_old_glibc_refuses_is_an_error() {
    let policy = |minor| {
        let mut policy = Policy::default();
        policy.floors.glibc = Version { major: 2, minor, patch: 0 };
        policy
    };
    for (align, by) in [(0x10, 0), (1, 0), (0, 0x1000), (0x1_0000, 0x1000)] {
        let content = moved(&Maker { align, ..at_machine(elf::EM_X86_64) }, by);
        let found = findings_by(&content, NAME, &policy(34));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{align:#x} {by:#x}");
        assert!(found[0].message.contains("glibc before 2.35 refuses"), "{}", found[0].message);
        assert_eq!(findings_by(&content, NAME, &policy(35)), [], "{align:#x} {by:#x}");
        assert_eq!(findings_by(&content, "addon.linux-x64-musl.node", &policy(34)), [], "{align:#x} {by:#x}");
    }
    assert_eq!(findings_by(&moved(&Maker { align: 0, ..Maker::addon() }, 0), NAME, &policy(34)), []);
}

#[test]
fn a_segment_whose_address_and_offset_differ_within_a_page_is_an_error() {
    let object = Maker { align: 0x1000, ..at_machine(elf::EM_AARCH64) };
    let musl = "addon.linux-arm64-musl.node";
    for (by, glibc, on_musl) in [
        (0x10, Some(Severity::Error), Some(Severity::Warning)),
        (0x1000, Some(Severity::Warning), Some(Severity::Warning)),
        (0x4000, Some(Severity::Warning), Some(Severity::Warning)),
        (0x1_0000, Some(Severity::Warning), None),
    ] {
        let severity = |name| {
            let found = findings_by(&moved(&object, by), name, &Policy::default());
            found.first().map(|finding| finding.severity)
        };
        assert_eq!((severity(ARM64), severity(musl)), (glibc, on_musl), "{by:#x}");
    }
}

#[test]
fn android_addons_must_fit_pages_of_16_kib() {
    let android =
        |align| Maker { note: Some("Android"), needed: vec!["libc.so"], versions: vec![], ..arm64(align) };
    let found = android(0x1000).findings("addon.android-arm64.node", RULE);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].message.contains("Android devices with 16 KiB pages"), "{}", found[0].message);
    assert_eq!(android(0x4000).findings("addon.android-arm64.node", RULE), []);
}

#[test]
fn macos_pages_have_16_kib_on_arm64_and_4_kib_on_x64() {
    assert_eq!(MachO::addon().findings(macho_maker::NAME, RULE), []);
    let at = |object: &MachO, name, offset: u64| {
        let mut content = object.make();
        // The address of the first segment follows the header, the start of the command and the name.
        let place = 32 + 8 + 16;
        content[place..place + 8].copy_from_slice(&offset.to_le_bytes());
        macho_maker::findings(&content, name, RULE)
    };
    let found = at(&MachO::addon(), macho_maker::NAME, 0x5000);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert!(found[0].message.contains("a 16 KiB page boundary"), "{}", found[0].message);
    assert!(found[0].evidence.starts_with("__TEXT: address 0x5000"), "{}", found[0].evidence);
    assert_eq!(at(&MachO::x64(), "addon.darwin-x64.node", 0x5000), []);
    assert_eq!(at(&MachO::x64(), "addon.darwin-x64.node", 0x5010).len(), 1);
}
