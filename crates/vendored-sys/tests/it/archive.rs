//! Tests how the build script reads static libraries, on libraries built here byte by byte.

use std::fs;
use std::path::PathBuf;

use crate::environment::Target;

#[path = "../../build/archive.rs"]
mod reader;

const ELF: [u8; 5] = [0x7f, b'E', b'L', b'F', 2];

fn target(triple: &str, os: &str) -> Target {
    let arch = triple.split('-').next().unwrap().to_owned();
    Target { triple: triple.to_owned(), arch, os: os.to_owned() }
}

fn linux(arch: &str) -> Target {
    target(&format!("{arch}-unknown-linux-gnu"), "linux")
}

/// Writes an archive of members, each with its name and content.
fn archive(file: &str, members: &[(&str, Vec<u8>)]) -> PathBuf {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "644", content.len()).bytes(),
        );
        bytes.extend(content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    fs::write(&path, bytes).unwrap();
    path
}

fn elf(machine: u16) -> Vec<u8> {
    let mut object = ELF.to_vec();
    object.resize(18, 0);
    object.extend(machine.to_le_bytes());
    object.resize(64, 0);
    object
}

fn mach_o(machine: u32) -> Vec<u8> {
    let mut object = vec![0xcf, 0xfa, 0xed, 0xfe];
    object.extend(machine.to_le_bytes());
    object.resize(32, 0);
    object
}

fn coff(machine: u16) -> Vec<u8> {
    let mut object = machine.to_le_bytes().to_vec();
    object.resize(20, 0);
    object
}

#[test]
fn each_format_is_verified_for_its_own_machine_and_refused_for_any_other() {
    let with_long_name = |object: Vec<u8>| [b"long_name.o\0".to_vec(), object].concat();
    let libraries = [
        (archive("elf-x86_64.a", &[("a.o/", elf(62))]), linux("x86_64")),
        (archive("elf-aarch64.a", &[("a.o/", elf(183))]), linux("aarch64")),
        (
            archive("mach-x86_64.a", &[("#1/12", with_long_name(mach_o(0x0100_0007)))]),
            target("x86_64-apple-darwin", "macos"),
        ),
        (archive("mach-aarch64.a", &[("a.o", mach_o(0x0100_000c))]), target("aarch64-apple-darwin", "macos")),
        (
            archive("coff-x86_64.lib", &[("a.obj/", coff(0x8664))]),
            target("x86_64-pc-windows-msvc", "windows"),
        ),
        (
            archive("coff-aarch64.lib", &[("a.obj/", coff(0xaa64))]),
            target("aarch64-pc-windows-msvc", "windows"),
        ),
    ];
    for (made, of) in &libraries {
        for (_, wanted) in &libraries {
            let verified = reader::verify(made, wanted);
            assert_eq!(verified.is_ok(), of.triple == wanted.triple, "{} for {}", of.triple, wanted.triple);
            let variable = format!("CC_{}", wanted.triple.replace('-', "_"));
            let line = verified.err().unwrap_or_else(|| variable.clone());
            assert!(line.contains(&variable) && line.lines().count() == 1, "{line}");
        }
    }
}

#[test]
fn indexes_and_odd_sizes_before_the_first_object_are_skipped() {
    let gnu = [("/", vec![1; 33]), ("//", vec![b'n'; 7]), ("/0", elf(183))];
    reader::verify(&archive("indices.a", &gnu), &linux("aarch64")).unwrap();
    let bsd = [
        ("#1/20", [b"__.SYMDEF SORTED\0\0\0\0".to_vec(), vec![0; 9]].concat()),
        ("a.o", mach_o(0x0100_000c)),
    ];
    reader::verify(&archive("symdef.a", &bsd), &target("aarch64-apple-darwin", "macos")).unwrap();
    let microsoft = [("/", vec![0; 5]), ("/", vec![0; 6]), ("//", vec![0; 3]), ("/0", coff(0x8664))];
    reader::verify(&archive("lists.lib", &microsoft), &target("x86_64-pc-windows-msvc", "windows")).unwrap();
}

#[test]
fn a_file_that_is_not_a_static_library_is_a_one_line_error() {
    let not_there = PathBuf::from("/nonexistent/libcrypto.a");
    let shared = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shared.a");
    fs::write(&shared, elf(62)).unwrap();
    let cases = [
        (not_there, "No such file"),
        (shared, "does not begin like an archive"),
        (archive("empty.a", &[]), "ends before its first object"),
        (archive("only-index.a", &[("/", vec![0; 4])]), "ends before its first object"),
        (archive("text.a", &[("a.txt/", b"hello".to_vec())]), "an unknown format"),
        (archive("bitcode.a", &[("a.o/", b"BC\xc0\xde....".to_vec())]), "bitcode"),
    ];
    for (file, words) in cases {
        let line = reader::verify(&file, &linux("x86_64")).unwrap_err();
        assert!(line.contains(words) && line.contains(file.to_str().unwrap()), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn an_unknown_system_is_an_error_that_lists_the_known_systems() {
    let line =
        reader::verify(&archive("any.a", &[("a.o/", elf(62))]), &target("x86_64-unknown-freebsd", "freebsd"));
    assert!(line.unwrap_err().contains("linux, macos and windows"));
}
