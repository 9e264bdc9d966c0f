//! The rule `libstdcxx`: the oldest run-time libraries of the compiler that a file loads with.

use node_audit::{Finding, Policy, Severity, Version};
use object::elf;

use crate::object_maker::{Maker, NAME, Need};

fn needs(versions: &[(&'static str, &'static str, &'static str)]) -> Maker {
    let need = |(library, version, symbol): &(&'static str, &'static str, &'static str)| Need {
        library,
        version,
        weak: false,
        symbols: vec![symbol],
    };
    let needed = vec!["libstdc++.so.6", "libgcc_s.so.1", "libc.so.6"];
    Maker { needed, versions: versions.iter().map(need).collect(), ..Maker::addon() }
}

fn findings(object: &Maker) -> Vec<Finding> {
    object.findings(NAME, "libstdcxx")
}

#[test]
fn versions_up_to_the_floor_are_fine() {
    let object = needs(&[
        ("libstdc++.so.6", "GLIBCXX_3.4.25", "_ZSt3new"),
        ("libstdc++.so.6", "GLIBCXX_3.4", "_ZSt3old"),
        ("libstdc++.so.6", "CXXABI_1.3.11", "__cxa_init_primary_exception"),
        ("libgcc_s.so.1", "GCC_7.0.0", "__divmodti4"),
        ("libc.so.6", "GLIBC_2.28", "fcntl64"),
    ]);
    assert_eq!(findings(&object), []);
}

#[test]
fn each_family_above_its_floor_is_an_error_that_names_symbols() {
    let object = needs(&[
        ("libstdc++.so.6", "GLIBCXX_3.4.29", "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"),
        ("libstdc++.so.6", "GLIBCXX_3.4.32", "_ZSt21ios_base_library_initv"),
        ("libstdc++.so.6", "CXXABI_1.3.13", "_ZTIDF16_"),
        ("libgcc_s.so.1", "GCC_14.0.0", "__hardcfr_check"),
    ]);
    let found = findings(&object);
    assert!(found.iter().all(|finding| finding.severity == Severity::Error));
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the addon needs GLIBCXX_3.4.32; the oldest supported version is GLIBCXX_3.4.25",
            "the addon needs CXXABI_1.3.13; the oldest supported version is CXXABI_1.3.11",
            "the addon needs GCC_14.0.0; the oldest supported version is GCC_7.0",
        ]
    );
    assert_eq!(
        found[0].evidence,
        "GLIBCXX_3.4.32 of libstdc++.so.6 for _ZSt21ios_base_library_initv; GLIBCXX_3.4.29 of libstdc++.so.6 for \
         _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"
    );
    assert!(found[2].remedy.contains("-static-libgcc"));
}

#[test]
fn markers_and_weak_needs_are_not_compared() {
    let mut object = needs(&[
        ("libstdc++.so.6", "CXXABI_TM_1", "_ITM_addUserCommitAction"),
        ("libstdc++.so.6", "CXXABI_FLOAT128", "_ZTIg"),
        ("libstdc++.so.6", "CXXABI_LDBL_1.3", "_ZTIg"),
        ("libstdc++.so.6", "GLIBCXX_LDBL_3.4.29", "_ZSt4ldbl"),
        ("libstdc++.so.6", "GLIBCXX_3.4.32", "_ZSt21ios_base_library_initv"),
    ]);
    assert_eq!(findings(&object).len(), 1);
    object.versions[4].weak = true;
    assert_eq!(findings(&object), []);
}

#[test]
fn the_policy_sets_the_floor() {
    let object = needs(&[("libstdc++.so.6", "GLIBCXX_3.4.30", "_ZSt3new")]);
    let mut policy = Policy::default();
    policy.floors.glibcxx = Version { major: 3, minor: 4, patch: 30 };
    assert_eq!(object.findings_by(NAME, "libstdcxx", &policy), []);
    policy.floors.glibcxx = Version { major: 3, minor: 4, patch: 29 };
    assert_eq!(object.findings_by(NAME, "libstdcxx", &policy).len(), 1);
}

/// Alpine's libstdc++ defines no versions, and musl's loader does not check versions.
#[test]
fn musl_checks_no_versions() {
    let versions = vec![Need {
        library: "libgcc_s.so.1",
        version: "GCC_14.0.0",
        weak: false,
        symbols: vec!["__hardcfr_check"],
    }];
    let object = Maker { versions, ..Maker::musl() };
    assert_eq!(object.findings("addon.linux-x64-musl.node", "libstdcxx"), []);
}

/// GCC 12 is the first release for LoongArch.
#[test]
fn the_floor_of_a_processor_is_at_least_its_first_gcc() {
    let versions =
        [("libstdc++.so.6", "GLIBCXX_3.4.30", "_ZSt3new"), ("libgcc_s.so.1", "GCC_12.0.0", "__new")];
    assert_eq!(findings(&needs(&versions)).len(), 2);
    let object = Maker { machine: elf::EM_LOONGARCH, ..needs(&versions) };
    assert_eq!(object.findings("addon.linux-loong64-gnu.node", "libstdcxx"), []);
}
