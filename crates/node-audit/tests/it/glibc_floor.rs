//! The rule `glibc-floor`: the oldest glibc that loads a file.

use node_audit::{Finding, Policy, Severity, Version};
use object::elf;

use crate::object_maker::{Maker, NAME, Need};

fn needs(versions: &[(&'static str, &[&'static str])]) -> Maker {
    let need = |(version, symbols): &(&'static str, &[&'static str])| Need {
        library: "libc.so.6",
        version,
        weak: false,
        symbols: symbols.to_vec(),
    };
    Maker { versions: versions.iter().map(need).collect(), ..Maker::addon() }
}

fn findings(object: &Maker) -> Vec<Finding> {
    object.findings(NAME, "glibc-floor")
}

#[test]
fn versions_up_to_the_floor_are_fine() {
    let object = needs(&[
        ("GLIBC_2.2.5", &["malloc"]),
        ("GLIBC_2.28", &["fcntl64"]),
        ("GLIBC_2.4", &["__stack_chk_fail"]),
    ]);
    assert_eq!(findings(&object), []);
}

#[test]
fn the_highest_version_and_its_symbols_are_named() {
    let object = needs(&[
        ("GLIBC_2.34", &["dlsym", "pthread_create"]),
        ("GLIBC_2.17", &["clock_gettime"]),
        ("GLIBC_2.38", &["__isoc23_strtol"]),
    ]);
    let found = findings(&object);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    assert_eq!(found[0].message, "the addon needs glibc 2.38; the oldest supported version is 2.28");
    assert_eq!(
        found[0].evidence,
        "GLIBC_2.38 of libc.so.6 for __isoc23_strtol; GLIBC_2.34 of libc.so.6 for dlsym, pthread_create"
    );
}

#[test]
fn the_policy_sets_the_floor() {
    let object = needs(&[("GLIBC_2.28", &["fcntl64"])]);
    let mut policy = Policy::default();
    policy.floors.glibc = Version { major: 2, minor: 17, patch: 0 };
    let found = object.findings_by(NAME, "glibc-floor", &policy);
    assert_eq!(found[0].message, "the addon needs glibc 2.28; the oldest supported version is 2.17");
}

#[test]
fn each_version_that_is_not_a_number_has_its_own_message() {
    let relr = findings(&needs(&[("GLIBC_ABI_DT_RELR", &[])]));
    assert!(
        relr[0].message.starts_with("the addon needs glibc 2.36 for its compressed relocations"),
        "{}",
        relr[0].message
    );
    assert_eq!(relr[0].evidence, "GLIBC_ABI_DT_RELR of libc.so.6 for no symbol");
    assert!(relr[0].remedy.contains("nopack-relative-relocs"));

    let private = findings(&needs(&[("GLIBC_PRIVATE", &["__libc_enable_secure"])]));
    assert!(private[0].message.contains("one build of glibc only"), "{}", private[0].message);
    assert!(private[0].evidence.contains("__libc_enable_secure"));

    let unknown = findings(&needs(&[("GLIBC_ABI_NEW_THING", &[])]));
    assert!(unknown[0].message.contains("GLIBC_ABI_NEW_THING"), "{}", unknown[0].message);

    let mut policy = Policy::default();
    policy.floors.glibc = Version { major: 2, minor: 36, patch: 0 };
    assert_eq!(needs(&[("GLIBC_ABI_DT_RELR", &[])]).findings_by(NAME, "glibc-floor", &policy), []);
}

#[test]
fn optional_versions_and_other_libraries_are_fine() {
    let mut weak = needs(&[("GLIBC_2.38", &["strlcpy"])]);
    weak.versions[0].weak = true;
    assert_eq!(findings(&weak), []);

    let mut other = needs(&[("OPENSSL_3.0.0", &["EVP_MD_fetch"])]);
    other.versions[0].library = "libcrypto.so.3";
    assert_eq!(findings(&other), []);
}

#[test]
fn addons_for_musl_have_no_glibc_floor() {
    let object = needs(&[("GLIBC_2.38", &["strlcpy"])]);
    assert_eq!(object.findings("addon.linux-x64-musl.node", "glibc-floor"), []);
}

/// glibc 2.36 is the first release for LoongArch, so every LoongArch system has 2.36 or later.
#[test]
fn the_floor_of_a_processor_is_at_least_its_first_glibc() {
    let mut object = needs(&[("GLIBC_2.36", &["malloc"])]);
    assert_eq!(findings(&object).len(), 1);
    object.machine = elf::EM_LOONGARCH;
    assert_eq!(object.findings("addon.linux-loong64-gnu.node", "glibc-floor"), []);
    let object = Maker { machine: elf::EM_LOONGARCH, ..needs(&[("GLIBC_2.38", &["strlcpy"])]) };
    let found = object.findings("addon.linux-loong64-gnu.node", "glibc-floor");
    assert_eq!(found[0].message, "the addon needs glibc 2.38; the oldest supported version is 2.36");
}

/// The loader also looks up a name without a version, and refuses the addon if glibc lacks the name.
#[test]
fn a_name_without_a_version_needs_the_first_glibc_that_has_it() {
    let object = |bind_now| Maker {
        imports: vec!["napi_create_function", "strlcpy"],
        relocations: vec![(elf::R_X86_64_JUMP_SLOT, "strlcpy")],
        bind_now,
        ..Maker::addon()
    };
    let found = object(true).findings(NAME, "glibc-floor");
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("the addon needs glibc 2.38; the oldest"), "{}", found[0].message);
    assert_eq!(found[0].evidence, "imports strlcpy without a version, which glibc has since 2.38");
    assert_eq!(object(false).findings(NAME, "glibc-floor"), []);
    let with_bsd = Maker { needed: vec!["libc.so.6", "libbsd.so.0"], ..object(true) };
    assert_eq!(with_bsd.findings(NAME, "glibc-floor"), []);
}
