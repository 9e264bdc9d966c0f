//! Libraries that a real linker links and signs, compared with the output of LLVM's tools.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use node_audit::{Cpu, Facts, Signature, read_facts};
use object::write::{Object, Relocation, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationEncoding, RelocationFlags, RelocationKind, SymbolFlags,
    SymbolKind, SymbolScope,
};
use tempfile::TempDir;

/// Returns the path of LLVM's linker, which comes with Rust.
fn linker() -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let hosts = std::fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
    hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|linker| linker.is_file())
}

/// Returns an object file with one exported function that calls an imported function.
fn object(cpu: Cpu) -> Vec<u8> {
    let (architecture, encoding, size) = match cpu {
        Cpu::Arm64 => (Architecture::Aarch64, RelocationEncoding::AArch64Call, 26),
        _ => (Architecture::X86_64, RelocationEncoding::X86Branch, 32),
    };
    let code: [&[u8]; 2] = match cpu {
        Cpu::Arm64 => [&[0, 0, 0, 0x94], &[0xc0, 3, 0x5f, 0xd6]], // bl, ret
        _ => [&[0xe8, 0, 0, 0, 0], &[0xc3]],                      // call, ret
    };
    let mut object = Object::new(BinaryFormat::MachO, architecture, Endianness::Little);
    let text = object.section_id(object::write::StandardSection::Text);
    let start = object.append_section_data(text, &code.concat(), 16);
    let mut symbol = |name: &str, section, scope| {
        object.add_symbol(Symbol {
            name: name.into(),
            value: start,
            size: 0,
            kind: SymbolKind::Text,
            scope,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    };
    symbol("napi_register_module_v1", SymbolSection::Section(text), SymbolScope::Dynamic);
    symbol("hidden", SymbolSection::Section(text), SymbolScope::Linkage);
    let imported = symbol("napi_create_function", SymbolSection::Undefined, SymbolScope::Unknown);
    let (offset, addend) = if cpu == Cpu::Arm64 { (0, 0) } else { (1, -4) };
    let flags = RelocationFlags::Generic { kind: RelocationKind::Relative, encoding, size };
    object
        .add_relocation(text, Relocation { offset: start + offset, symbol: imported, addend, flags })
        .unwrap();
    object.write().unwrap()
}

/// Links a library. Without a linker, prints a line and returns `None`.
fn link(folder: &TempDir, cpu: Cpu, kind: &str) -> Option<PathBuf> {
    let Some(linker) = linker() else {
        println!("skipped: no rust-lld");
        return None;
    };
    let name = if cpu == Cpu::Arm64 { "arm64" } else { "x86_64" };
    let input = folder.path().join(format!("{name}.o"));
    let file = folder.path().join(format!("{name}.node"));
    std::fs::write(&input, object(cpu)).unwrap();
    let output = Command::new(linker)
        .args(["-flavor", "darwin", kind, "-arch", name, "-platform_version", "macos", "11.0", "12.3"])
        .args(["-undefined", "dynamic_lookup", "-rpath", "@loader_path/../lib", "-o"])
        .args([&file, &input])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(file)
}

fn facts(file: &Path) -> Facts {
    read_facts(file, &std::fs::read(file).unwrap()).unwrap().remove(0)
}

#[test]
fn a_library_from_a_real_linker_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for (cpu, kind, name) in [(Cpu::Arm64, "-dylib", "dynamic library"), (Cpu::X64, "-bundle", "bundle")] {
        let Some(file) = link(&folder, cpu, kind) else { return };
        let facts = facts(&file);
        assert_eq!((facts.cpu, facts.kind, facts.loadable), (Some(cpu), name, true));
        assert_eq!(facts.exports, ["napi_register_module_v1"]);
        assert!(facts.imports.contains(&"napi_create_function".to_owned()), "{:?}", facts.imports);
        let macho = facts.macho().unwrap();
        assert_eq!(macho.rpaths, ["@loader_path/../lib"]);
        assert_eq!(macho.min_os.map(|version| version.to_string()).as_deref(), Some("11.0"));
        assert!(macho.two_level);
        assert_eq!(macho.install_name.is_some(), kind == "-dylib");
        // The linker signs only for arm64, which requires a signature.
        let signed = if cpu == Cpu::Arm64 { Signature::Valid { adhoc: true } } else { Signature::None };
        assert_eq!(macho.signature, signed);
    }
}

#[test]
fn facts_match_llvm() {
    let missing = |tool: &&str| Command::new(tool).arg("--version").output().is_err();
    if let Some(tool) = ["llvm-objdump", "llvm-nm"].iter().find(|tool| missing(tool)) {
        println!("skipped: no {tool}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (cpu, kind) in [(Cpu::Arm64, "-dylib"), (Cpu::X64, "-bundle")] {
        let Some(file) = link(&folder, cpu, kind) else { return };
        let facts = facts(&file);
        let macho = facts.macho().unwrap();

        // The library's own name comes first.
        let used = run("llvm-objdump", &["--macho", "--dylibs-used"], &file);
        let used = used.lines().skip(1).filter_map(|line| line.trim().split(" (").next());
        assert_eq!(
            used.collect::<Vec<_>>(),
            macho.install_name.iter().chain(&facts.libraries).collect::<Vec<_>>()
        );

        let trie = run("llvm-objdump", &["--macho", "--exports-trie"], &file);
        let exported = trie.lines().filter(|line| line.starts_with("0x"));
        assert_eq!(names(exported.filter_map(|line| line.split_whitespace().nth(1))), all(&facts.exports));
        let undefined = run("llvm-nm", &["--undefined-only", "--just-symbol-name"], &file);
        assert_eq!(names(undefined.lines().map(str::trim)), all(&facts.imports));

        let headers = run("llvm-objdump", &["--macho", "--private-headers"], &file);
        let after = |label: &str| {
            let line = headers.lines().find_map(|line| line.trim().strip_prefix(label));
            line.and_then(|rest| rest.split_whitespace().next()).map(str::to_owned)
        };
        assert_eq!(after("minos "), macho.min_os.map(|version| version.to_string()));
        assert_eq!(after("path "), macho.rpaths.first().cloned());
        assert_eq!(headers.contains("LC_CODE_SIGNATURE"), macho.signature != Signature::None);
        assert_eq!(headers.contains("TWOLEVEL"), macho.two_level);
    }
}

fn names<'a>(listed: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    listed.map(|name| name.strip_prefix('_').unwrap_or(name).to_owned()).collect()
}

fn all(names: &[String]) -> BTreeSet<String> {
    names.iter().cloned().collect()
}

fn run(tool: &str, options: &[&str], file: &Path) -> String {
    let output = Command::new(tool).args(options).arg(file).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
