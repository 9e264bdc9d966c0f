//! The rule `arch`: compares format, processor and C library with the platform that an addon claims.

use node_audit::{Finding, Policy, Severity};
use object::elf;

use crate::object_maker::{Maker, NAME, Need};

fn only(findings: Vec<Finding>) -> Finding {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.into_iter().next().unwrap()
}

#[test]
fn a_true_claim_has_no_finding() {
    let arm64 = Maker { machine: elf::EM_AARCH64, ..Maker::addon() };
    let s390x = Maker { machine: elf::EM_S390, little_endian: false, ..Maker::addon() };
    let arm = Maker { machine: elf::EM_ARM, is_64: false, ..Maker::addon() };
    for (object, name) in [
        (Maker::addon(), NAME),
        (Maker::addon(), "addon.linux-x64.node"),
        (Maker::musl(), "addon.linux-x64-musl.node"),
        (arm64, "addon.linux-arm64-gnu.node"),
        (s390x, "addon.linux-s390x-gnu.node"),
        (arm, "addon.linux-arm-gnueabihf.node"),
    ] {
        assert_eq!(object.findings(name, "arch"), [], "{name}");
    }
}

#[test]
fn another_processor_is_an_error() {
    let finding = only(Maker::addon().findings("addon.linux-arm64-gnu.node", "arch"));
    assert_eq!((finding.severity, finding.platform.as_deref()), (Severity::Error, Some("linux-arm64-gnu")));
    assert_eq!(finding.message, "the addon claims linux-arm64-gnu, but is compiled for x64");
    assert_eq!(
        finding.evidence,
        "ELF shared object, 64 bit, little-endian, machine 62 (x86-64), linked to glibc"
    );
}

#[test]
fn a_machine_in_another_byte_order_or_width_is_another_processor() {
    let big = Maker { machine: elf::EM_AARCH64, little_endian: false, ..Maker::addon() };
    let finding = only(big.findings("addon.linux-arm64-gnu.node", "arch"));
    assert!(finding.message.contains("compiled for 64 bit big-endian machine 183"), "{}", finding.message);
    let x32 = Maker { is_64: false, ..Maker::addon() };
    assert_eq!(only(x32.findings(NAME, "arch")).severity, Severity::Error);
}

#[test]
fn another_c_library_is_an_error() {
    let finding = only(Maker::addon().findings("addon.linux-x64-musl.node", "arch"));
    assert_eq!(
        finding.message,
        "the addon claims linux-x64-musl, but is linked to glibc: musl may refuse the addon, since musl lacks some of glibc's functions"
    );
    let needed = vec!["libm.so.6", "libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"];
    let loader = Maker { needed, ..Maker::addon() };
    assert_eq!(
        only(loader.findings("addon.linux-x64-musl.node", "arch")).message,
        "the addon claims linux-x64-musl, but is linked to glibc: require() fails on a system without ld-linux-x86-64.so.2, such as \
         Alpine"
    );
    let finding = only(Maker::musl().findings(NAME, "arch"));
    assert_eq!(
        finding.message,
        "the addon claims linux-x64-gnu, but is linked to musl: require() fails, since no glibc system has libc.musl-x86_64.so.1"
    );
    let none = Maker { needed: vec![], versions: vec![], ..Maker::addon() };
    assert_eq!(none.findings("addon.linux-x64-musl.node", "arch"), []);
}

/// node-audit once did not compare the processor if the name gave only the processor and the file named no C library.
#[test]
fn a_processor_in_the_name_of_a_file_without_a_c_library_is_compared() {
    let object = Maker { needed: vec![], versions: vec![], ..Maker::addon() };
    let finding = only(object.findings("addon-arm64.node", "arch"));
    assert_eq!(finding.message, "the addon claims linux-arm64, but is compiled for x64");
    assert_eq!(object.findings("addon-x64.node", "arch"), []);
    let versions =
        vec![Need { library: "libc.so.7", version: "FBSD_1.0", weak: false, symbols: vec!["malloc"] }];
    let freebsd = Maker { needed: vec!["libc.so.7"], versions, ..Maker::addon() };
    let finding = only(freebsd.findings("addon-arm64.node", "arch"));
    assert_eq!(finding.message, "the addon claims freebsd-arm64, but is compiled for x64");
    assert_eq!(freebsd.findings("addon.freebsd-x64.node", "arch"), []);
}

/// node-audit once compared the C library only for names of Linux and Android.
#[test]
fn a_linux_addon_with_another_systems_name_is_an_error() {
    for name in ["freebsd-x64", "sunos-x64", "openbsd-x64", "netbsd-x64", "openharmony-x64"] {
        let finding = only(Maker::addon().findings(&format!("addon.{name}.node"), "arch"));
        assert_eq!(finding.severity, Severity::Error);
        let expected = format!(
            "the addon claims {name}, but is linked to glibc, which that system lacks: require() fails"
        );
        assert_eq!(finding.message, expected);
    }
    assert_eq!(only(Maker::musl().findings("addon.freebsd-x64.node", "arch")).severity, Severity::Error);
    assert_eq!(Maker::musl().findings("addon.openharmony-x64.node", "arch"), []);
}

/// node-audit once took the musl addon for arm64 of bcrypt 6.0.0 for a glibc addon: on arm64, libgcc_s has a symbol version
/// GLIBC_2.0 with either C library.
#[test]
fn the_compilers_glibc_version_does_not_make_a_glibc_addon() {
    let need = Need {
        library: "libgcc_s.so.1",
        version: "GLIBC_2.0",
        weak: false,
        symbols: vec!["__register_frame_info"],
    };
    let needed = vec!["libgcc_s.so.1", "libc.so"];
    let object = Maker { machine: elf::EM_AARCH64, needed, versions: vec![need], ..Maker::addon() };
    assert_eq!(object.findings("addon.linux-arm64-musl.node", "arch"), []);
    assert_eq!(object.findings("addon.node", "needed"), []);
}

#[test]
fn another_system_is_an_error() {
    for name in ["addon.darwin-arm64.node", "addon.win32-x64-msvc.node"] {
        let finding = only(Maker::addon().findings(name, "arch"));
        assert!(finding.message.contains("is an ELF file, which only Linux loads"), "{}", finding.message);
    }
}

#[test]
fn a_file_that_is_not_a_shared_object_is_an_error() {
    let executable = Maker { kind: elf::ET_EXEC, ..Maker::addon() };
    assert!(only(executable.findings(NAME, "arch")).message.contains("not a shared library"));
    let numbers = vec![(elf::DT_FLAGS_1, elf::DF_1_PIE.0)];
    let pie = Maker { numbers, ..Maker::addon() };
    assert!(only(pie.findings(NAME, "arch")).evidence.contains("position-independent executable"));
}

/// zeromq 6.8.0 has such an addon in build/linux/x64/node/108. A system with glibc cannot load such an addon.
#[test]
fn a_musl_addon_whose_name_has_no_c_library_is_a_warning() {
    let finding = only(Maker::musl().findings("prebuilds/linux-x64/node.napi.node", "arch"));
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(
        finding.message,
        "the addon claims linux-x64 and no C library, but is linked to musl: require() fails, since no glibc system has \
         libc.musl-x86_64.so.1"
    );
    assert_eq!(Maker::musl().findings("prebuilds/linux-x64/node.napi.musl.node", "arch"), []);
}

#[test]
fn a_name_without_a_claim_is_a_warning() {
    let finding = only(Maker::addon().findings("addon.node", "arch"));
    assert_eq!((finding.severity, finding.platform), (Severity::Warning, None));
    assert!(finding.remedy.contains("--platform"));
}

#[test]
fn the_policy_overrides_the_claim() {
    let policy = Policy { claim: Some("linux-arm64-gnu".parse().unwrap()), ..Policy::default() };
    let finding = only(Maker::addon().findings_by(NAME, "arch", &policy));
    assert_eq!(finding.message, "the addon claims linux-arm64-gnu, but is compiled for x64");
}

/// glibc refuses these header fields, and musl ignores them. node-audit once reported nothing.
#[test]
fn a_header_that_glibc_refuses_is_an_error() {
    let found = |object: &Maker, name: &str, position: usize, byte: u8| {
        let mut content = object.make();
        content[position] = byte;
        let report =
            node_audit::audit_bytes(std::path::Path::new(name), &content, &Policy::default()).unwrap();
        report.findings.into_iter().filter(|finding| finding.rule == "arch").collect::<Vec<_>>()
    };
    // EI_OSABI, EI_ABIVERSION, e_version.
    for (position, byte, words) in [
        (7, 9, "has the OS ABI 9, and glibc refuses it: require() fails with \"ELF file OS ABI invalid\""),
        (
            8,
            7,
            "has the ABI version 7, and glibc refuses it: require() fails with \"ELF file ABI version invalid\"",
        ),
        (
            20,
            2,
            "has the ELF version 2, and glibc refuses it: require() fails with \"ELF file version does not match",
        ),
    ] {
        let finding = only(found(&Maker::addon(), NAME, position, byte));
        assert_eq!(finding.severity, Severity::Error);
        assert!(finding.message.contains(words), "{}", finding.message);
        assert_eq!(found(&Maker::musl(), "addon.linux-x64-musl.node", position, byte), []);
    }
    assert_eq!(found(&Maker::addon(), NAME, 7, 3), []);
}
