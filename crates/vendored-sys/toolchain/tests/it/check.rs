//! Tests the check with the machine's own compiler, and with scripts that imitate other compilers.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use vendored_toolchain::{CheckError, check};

/// Creates a folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a script that imitates a compiler: it prints `text` and exits with `code`.
fn compiler(folder: &Path, text: &str, code: i32) -> String {
    let file = folder.join("fake cc");
    fs::write(&file, format!("#!/bin/sh\nprintf '%s\\n' '{text}'\nexit {code}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn the_compiler_of_this_machine_compiles_only_for_this_machine() {
    let folder = folder("own");
    let own = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    check("cc", &own, &folder).unwrap();
    check("cc -O2 -Wall", &own, &folder).unwrap();
    let other =
        if own.starts_with("x86_64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };
    for triple in [other, "x86_64-unknown-linux-musl", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"] {
        let error = check("cc", triple, &folder).unwrap_err();
        assert!(matches!(error, CheckError::WrongMachine { .. }), "{error}");
        assert!(error.to_string().contains(triple) && error.to_string().contains("linux (gnu)"), "{error}");
    }
}

#[test]
fn each_target_accepts_only_its_own_compiler() {
    let answers = [
        ("x86_64-unknown-linux-gnu", "probe_arch_x86_64\nprobe_os_linux\nprobe_env_gnu"),
        ("aarch64-unknown-linux-gnu", "probe_arch_aarch64\nprobe_os_linux\nprobe_env_gnu"),
        ("x86_64-unknown-linux-musl", "probe_arch_x86_64\nprobe_os_linux\nprobe_env_musl"),
        ("aarch64-unknown-linux-musl", "probe_arch_aarch64\nprobe_os_linux\nprobe_env_musl"),
        ("aarch64-apple-darwin", "probe_arch_aarch64\nprobe_os_macos"),
        ("x86_64-apple-darwin", "probe_arch_x86_64\nprobe_os_macos"),
        ("x86_64-pc-windows-msvc", "probe_arch_x86_64\nprobe_os_windows\nprobe_env_msvc"),
        ("aarch64-pc-windows-msvc", "probe_arch_aarch64\nprobe_os_windows\nprobe_env_msvc"),
    ];
    let folder = folder("answers");
    for (of, answer) in answers {
        let cc = compiler(&folder, answer, 0);
        for (triple, _) in answers {
            let checked = check(&cc, triple, &folder);
            assert_eq!(checked.is_ok(), triple == of, "{of} for {triple}: {checked:?}");
        }
    }
}

#[test]
fn a_wrong_machine_is_detected_even_if_the_compiler_fails_at_its_headers() {
    let folder = folder("headers");
    let cc = compiler(&folder, "probe_arch_aarch64\nprobe_os_linux", 1);
    let error = check(&cc, "x86_64-unknown-linux-gnu", &folder).unwrap_err().to_string();
    assert!(error.contains("aarch64 linux (without the headers of a C library)"), "{error}");
}

#[test]
fn a_program_that_is_not_a_compiler_is_a_one_line_error() {
    let folder = folder("none");
    let silent = compiler(&folder, "", 0);
    for cc in ["/nonexistent/cc", "false", silent.as_str()] {
        let error = check(cc, "x86_64-unknown-linux-gnu", &folder).unwrap_err();
        assert!(matches!(error, CheckError::Failed { .. }), "{error}");
        assert!(error.to_string().contains(cc) && error.to_string().lines().count() == 1, "{error}");
    }
}

#[test]
fn an_unknown_target_is_an_error_that_lists_the_known_targets() {
    let error = check("cc", "mips-unknown-linux-gnu", &folder("unknown")).unwrap_err().to_string();
    assert!(error.contains("mips-unknown-linux-gnu") && error.contains("aarch64"), "{error}");
}
