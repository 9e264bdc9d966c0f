//! Files that a C compiler builds, compared with readelf's output.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use node_audit::{Facts, Policy, audit, read_facts};
use tempfile::TempDir;

use crate::readelf::Readelf;

/// Compiles a shared object. Without Linux or a C compiler, prints a line and returns `None`.
fn compile(folder: &TempDir, name: &str, source: &str, arguments: &[&str]) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") || Command::new("cc").arg("--version").output().is_err() {
        println!("skipped: no C compiler for ELF");
        return None;
    }
    let file = folder.path().join(name);
    let input = folder.path().join(format!("{name}.c"));
    std::fs::write(&input, source).unwrap();
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-nostdlib", "-o"])
        .args([&file, &input])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(file)
}

fn only(facts: Vec<Facts>) -> Facts {
    assert_eq!(facts.len(), 1);
    facts.into_iter().next().unwrap()
}

fn facts(file: &Path) -> Facts {
    only(read_facts(file, &std::fs::read(file).unwrap()).unwrap())
}

const ADDON: &str = "
    extern void *from_libc(void), *from_new_libc(void);
    void *napi_register_module_v1(void *env, void *exports) { from_libc(); from_new_libc(); return exports; }
    __attribute__((visibility(\"hidden\"))) void SSL_hidden(void) {}
";

/// Compiles an addon with a RUNPATH, linked to a stand-in for libc.so.6.
fn addon(folder: &TempDir) -> Option<PathBuf> {
    let script = "GLIBC_2.17 { global: from_libc; local: *; };\nGLIBC_2.77 { global: from_new_libc; };\n";
    std::fs::write(folder.path().join("libc.map"), script).unwrap();
    let libc = "void *from_libc(void) { return 0; }\nvoid *from_new_libc(void) { return 0; }\n";
    let arguments = ["-Wl,--version-script=libc.map", "-Wl,-soname,libc.so.6"];
    compile(folder, "libstandin.so", libc, &arguments)?;
    let arguments = ["-L.", "-lstandin", "-Wl,-soname,addon", "-Wl,-rpath,/nix/store/abc/lib:$ORIGIN"];
    compile(folder, "addon.node", ADDON, &arguments)
}

#[test]
fn an_addon_from_a_real_linker_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = addon(&folder) else { return };
    let report = audit(&file, &Policy::default()).unwrap();
    let find = |rule| report.findings.iter().find(|finding| finding.rule == rule);
    assert_eq!(
        find("glibc-floor").unwrap().evidence,
        "GLIBC_2.77 of libc.so.6 for from_new_libc",
        "{:#?}",
        report.findings
    );
    assert_eq!(find("runpath").unwrap().evidence, "RUNPATH entry \"/nix/store/abc/lib\"");
    for rule in ["napi-entry", "needed", "symbols"] {
        assert_eq!(find(rule), None);
    }
}

/// If an addon has a GNU hash table and no exports, no table of the loader gives the number of imports.
#[test]
fn the_imports_of_an_addon_without_exports_are_read() {
    let source = "
        extern void napi_module_register(void *);
        __attribute__((constructor)) static void enter(void) { napi_module_register(0); }
    ";
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = compile(&folder, "addon.node", source, &["-Wl,--hash-style=gnu"]) else { return };
    let whole = facts(&file);
    assert_eq!((whole.exports.len(), whole.constructors), (0, true));
    assert!(whole.imports.contains(&"napi_module_register".to_owned()), "{whole:?}");

    let mut content = std::fs::read(&file).unwrap();
    // Clearing e_shoff, and e_shentsize to e_shstrndx, strips the section headers.
    let (offset, counts) = if whole.bits == 64 { (0x28..0x30, 0x3a..0x40) } else { (0x20..0x24, 0x2e..0x34) };
    content[offset].fill(0);
    content[counts].fill(0);
    assert_eq!(only(read_facts(&file, &content).unwrap()), Facts { leftovers: Vec::new(), ..whole });
}

/// C source with initial-exec variables, defined here and in another library, and optionally an address in the code.
const SOURCE: &str = "
    __attribute__((tls_model(\"initial-exec\"))) __thread int mine = 1;
    __attribute__((tls_model(\"initial-exec\"))) static __thread int hidden;
    __attribute__((tls_model(\"initial-exec\"))) extern __thread int theirs;
    int napi_register_module_v1(void) { return mine++ + hidden++ + theirs; }
    #ifdef TEXT
    __asm__(\".text\\n.8byte napi_register_module_v1\");
    #endif
";

/// Output files, each with the options of the compiler and the linker.
const MADE: [(&str, &[&str]); 5] = [
    ("plain.node", &["-Wl,-z,relro", "-Wl,-z,noexecstack", "-Wl,-z,lazy", "-s"]),
    ("hard.node", &["-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,nodelete"]),
    ("soft.node", &["-Wl,-z,norelro", "-Wl,-z,execstack"]),
    ("text.node", &["-DTEXT", "-Wl,-z,notext"]),
    ("debug.node", &["-g"]),
];

/// The facts show each option of the compiler and the linker, and the rules report them.
#[test]
fn options_of_the_compiler_and_the_linker_show_in_the_facts() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> =
        MADE.iter().filter_map(|(name, options)| compile(&folder, name, SOURCE, options)).collect();
    let [plain, hard, soft, text, debug] = &files[..] else { return };
    let elf = |file: &Path| facts(file).elf().unwrap().clone();
    assert!(elf(plain).relro && !elf(plain).bind_now && !elf(plain).executable_stack);
    assert!(facts(plain).leftovers.is_empty() && !elf(plain).text_relocations && !elf(plain).nodelete);
    assert!(elf(hard).bind_now && elf(hard).nodelete);
    assert!(!elf(soft).relro && elf(soft).executable_stack);
    assert!(elf(text).text_relocations);
    assert!(facts(debug).leftovers.iter().any(|leftover| leftover.name == ".debug_info"));

    let tls = elf(plain).static_tls;
    assert_eq!((tls.own, tls.size), (2, 8));
    assert_eq!((tls.symbols, tls.foreign), (vec!["mine".to_owned()], vec!["theirs".to_owned()]));
    let report = audit(plain, &Policy::default()).unwrap();
    assert!(report.findings.iter().any(|finding| finding.rule == "static-tls"), "{:#?}", report.findings);
}

/// Compares compiled files, Node and this test binary, whose tables differ widely in size.
#[test]
fn facts_match_readelf() {
    if !cfg!(target_os = "linux") || Command::new("readelf").arg("--version").output().is_err() {
        println!("skipped: no readelf");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&path).map(|folder| folder.join("node")).find(|file| is_elf(file));
    let whole = std::env::current_exe().ok().into_iter().chain(addon(&folder)).chain(node);
    let made = MADE.iter().filter_map(|(name, arguments)| compile(&folder, name, SOURCE, arguments));
    for file in whole.chain(made) {
        let facts = facts(&file);
        let readelf = Readelf::of(&file);
        let elf = facts.elf().unwrap();
        assert_eq!(facts.libraries, readelf.needed, "{}", file.display());
        assert_eq!(elf.soname.as_ref(), readelf.soname.as_ref());
        assert_eq!(elf.runpath.join(":"), readelf.runpath);
        let mut versions = BTreeSet::new();
        let mut bound = BTreeSet::new();
        for need in &elf.version_needs {
            versions.insert((need.library.clone(), need.version.clone(), need.weak));
            bound.extend(need.symbols.iter().map(|symbol| format!("{symbol}@{}", need.version)));
        }
        assert_eq!(versions, readelf.versions, "{}", file.display());
        assert_eq!(bound, readelf.bound, "{}", file.display());
        assert_eq!(elf.nodelete, readelf.nodelete, "{}", file.display());
        assert_eq!(elf.bind_now, readelf.bind_now, "{}", file.display());
        assert_eq!(elf.text_relocations, readelf.text_relocations, "{}", file.display());
        assert_eq!(elf.relro, readelf.relro, "{}", file.display());
        assert_eq!(Some(elf.executable_stack), readelf.executable_stack, "{}", file.display());
        assert_eq!(elf.static_tls, readelf.static_tls, "{}", file.display());
        assert_eq!(facts.writable_code.len(), readelf.writable_code, "{}", file.display());
        assert_eq!(facts.leftovers, readelf.leftovers, "{}", file.display());
        assert_eq!(facts.imports.into_iter().collect::<BTreeSet<_>>(), readelf.imports);
        assert_eq!(facts.exports.into_iter().collect::<BTreeSet<_>>(), readelf.exports);
    }
}

fn is_elf(file: &Path) -> bool {
    let mut start = [0; 4];
    let read =
        std::fs::File::open(file).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
    read.is_ok() && start == *b"\x7fELF"
}
