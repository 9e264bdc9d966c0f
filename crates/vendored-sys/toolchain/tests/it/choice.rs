//! Tests which compiler the crate cc would run.

use vendored_toolchain::{Choice, choice};

const HOST: &str = "x86_64-unknown-linux-gnu";
const OTHER: &str = "aarch64-unknown-linux-musl";

/// Returns the compiler for a target on this host, in an environment with the given variables.
fn chosen(target: &str, environment: &[(&str, &str)]) -> Choice {
    let mut env = |name: &str| {
        let found = environment.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    choice(target, HOST, &mut env).unwrap()
}

#[test]
fn a_more_specific_variable_takes_precedence() {
    let mut environment = vec![
        ("CC_aarch64-unknown-linux-musl", "1"),
        ("CC_aarch64_unknown_linux_musl", "2"),
        ("TARGET_CC", "3"),
        ("CC", "4"),
        ("HOST_CC", "never: the target is not the host"),
    ];
    for expected in ["1", "2", "3", "4"] {
        let choice = chosen(OTHER, &environment);
        let variable = environment.remove(0).0.to_owned();
        assert_eq!(choice, Choice { compiler: expected.to_owned(), variable: Some(variable) });
    }
}

#[test]
fn a_build_for_the_host_reads_host_cc_and_never_target_cc() {
    assert_eq!(chosen(HOST, &[("TARGET_CC", "t"), ("CC", "c"), ("HOST_CC", "h")]).compiler, "h");
}

#[test]
fn the_default_is_cc_for_the_host_and_a_cross_gcc_for_others() {
    assert_eq!(chosen(HOST, &[]), Choice { compiler: "cc".to_owned(), variable: None });
    assert_eq!(chosen(OTHER, &[]).compiler, "aarch64-linux-musl-gcc");
    assert_eq!(chosen(OTHER, &[("CROSS_COMPILE", "aarch64-mine-")]).compiler, "aarch64-mine-gcc");
    assert_eq!(
        chosen(OTHER, &[("RUSTC_LINKER", "/opt/aarch64-theirs-gcc")]).compiler,
        "/opt/aarch64-theirs-gcc"
    );
    assert_eq!(chosen("aarch64-apple-darwin", &[]).compiler, "cc");
}

#[test]
fn msvc_on_windows_is_left_to_its_own_setup() {
    let [x64, arm64] = ["x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"];
    for (target, host) in [(x64, x64), (arm64, arm64), (arm64, x64), (x64, arm64)] {
        assert_eq!(choice(target, host, &mut |_| None), None, "{target} on {host}");
    }
    for target in [x64, arm64] {
        assert_eq!(chosen(target, &[]).compiler, "cl.exe", "{target}");
    }
}
