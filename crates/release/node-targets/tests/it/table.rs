//! The compiled-in table.

use std::path::Path;

use node_audit::{Platform, Policy, audit_bytes};
use node_targets::{Libc, Target, Toolchain, host, targets};

#[test]
fn a_target_is_found_by_either_name() {
    assert!(!targets().is_empty());
    for target in targets() {
        assert_eq!(Target::find(&target.triple), Ok(target));
        assert_eq!(Target::find(&target.platform), Ok(target));
        assert_eq!(Target::by_triple(&target.triple), Ok(target));
        assert_eq!(Target::by_platform(&target.platform), Ok(target));
        assert!(Target::by_triple(&target.platform).is_err());
    }
    let target = Target::by_platform("linux-arm64-gnu").unwrap();
    assert_eq!((target.libc, target.toolchain), (Some(Libc::Glibc), Toolchain::Zig));
    assert_eq!(target.floor.unwrap().to_string(), "2.28");
    assert_eq!(target.artifact_file(), "bindings_node.linux-arm64-gnu.node");
}

/// An addon for Linux on x64. The tests here depend only on its file name.
const ADDON: &[u8] = include_bytes!("../../../../node-audit/fuzz/seeds/elf/gnu-x64");

#[test]
fn node_audit_reads_the_platform_from_the_artifact_name() {
    for target in targets() {
        assert_eq!(Platform::from(target).to_string(), target.platform);
        let report = audit_bytes(Path::new(&target.artifact_file()), ADDON, &Policy::default()).unwrap();
        assert_eq!(report.platform.as_ref(), Some(&target.platform));
    }
}

#[test]
fn the_library_has_the_name_that_cargo_gives_it() {
    for target in targets() {
        let (prefix, suffix) = match target.platform.split('-').next().unwrap() {
            "linux" => ("lib", "so"),
            "darwin" => ("lib", "dylib"),
            _ => ("", "dll"),
        };
        assert_eq!(target.library_file(), format!("{prefix}bindings_node.{suffix}"));
    }
}

#[test]
fn a_flag_applies_only_to_the_platforms_it_names() {
    let has = |platform: &str, flag: &str| {
        let target = Target::by_platform(platform).unwrap();
        target.c_flags.iter().chain(&target.rust_flags).any(|own| own == flag)
    };
    assert!(
        has("linux-x64-musl", "-fstack-protector-strong") && has("darwin-x64", "-fstack-protector-strong")
    );
    assert!(has("linux-x64-gnu", "-D_FORTIFY_SOURCE=2") && !has("linux-x64-musl", "-D_FORTIFY_SOURCE=2"));
    assert!(
        has("darwin-arm64", "-Clinker-flavor=ld64.lld") && !has("linux-x64-gnu", "-Clinker-flavor=ld64.lld")
    );
}

#[test]
fn the_release_host_is_the_first_build_host() {
    let mac = Target::by_platform("darwin-x64").unwrap();
    assert_eq!(mac.release_host(), "aarch64-darwin");
    assert!(mac.builds_on("x86_64-linux") && !mac.builds_on("x86_64-darwin"));
}

#[test]
fn the_host_is_the_machine_that_runs_the_test() {
    let Ok(target) = host() else {
        println!("skipped: this machine is not in the table");
        return;
    };
    assert_eq!(target.triple.split('-').next(), Some(std::env::consts::ARCH));
    assert_eq!(target.library_file().rsplit('.').next(), Some(std::env::consts::DLL_EXTENSION));
}

#[test]
fn the_package_of_a_platform_is_in_the_scope_of_the_main_package() {
    for target in targets() {
        assert_eq!(target.package_name(), format!("@strongroom/{}", target.platform));
    }
}

#[test]
fn an_unknown_target_lists_the_known_ones() {
    let message = Target::find("linux-riscv64-gnu").unwrap_err().to_string();
    assert!(
        message.starts_with("unknown target `linux-riscv64-gnu`; known targets: linux-x64-gnu ("),
        "{message}"
    );
    for target in targets() {
        assert!(message.contains(&target.platform) && message.contains(&target.triple), "{message}");
    }
}
