//! The rule `node-abi`: addons that are bound to one ABI, and the releases of Node that load an addon of a package.

use std::path::Path;

use node_audit::{Finding, Policy, Severity, audit_bytes, audit_paths};
use object::elf;

use crate::object_maker::Maker;
use crate::pe_maker::PeMaker;
use crate::tarball_maker::Tarball;

const RULE: &str = "node-abi";

/// Returns an addon for V8 with an entry point for an ABI.
fn v8(abi: &'static str) -> Vec<u8> {
    Maker { exports: vec![abi], ..Maker::addon() }.make()
}

fn node_api() -> Vec<u8> {
    Maker::addon().make()
}

/// Returns the finding for a package of these files, if any.
fn finding(manifest: &str, files: &[(&str, Vec<u8>)]) -> Option<Finding> {
    let mut tarball = Tarball::package(manifest);
    for (path, content) in files {
        tarball = tarball.file(&format!("package/{path}"), content);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.tgz");
    std::fs::write(&path, tarball.gz()).unwrap();
    let audit = audit_paths(&[path], &Policy::default(), &());
    let findings = audit.packages.into_iter().flat_map(|package| package.report.findings);
    let mut found: Vec<Finding> = findings.filter(|finding| finding.rule == RULE).collect();
    assert!(found.len() <= 1, "{found:#?}");
    found.pop()
}

/// node-lmdb 0.9.7 has files only for the ABIs 72 to 102, so Node 20 cannot load the package. The summary once said "loads".
#[test]
fn a_package_only_for_old_releases_is_an_error() {
    let files = [
        ("prebuilds/linux-x64/node.abi72.node", v8("node_register_module_v72")),
        ("prebuilds/linux-x64/node.abi83.node", v8("node_register_module_v83")),
        ("prebuilds/linux-x64/node.abi93.musl.node", v8("node_register_module_v93")),
        ("prebuilds/linux-x64/electron.abi98.node", v8("node_register_module_v98")),
    ];
    let found = finding(r#"{"name": "a"}"#, &files).unwrap();
    assert_eq!(found.severity, Severity::Error);
    assert_eq!(
        found.message,
        "the package's addons load only in Node 12 to 16; Node 20 is the oldest line that the package should support"
    );
    assert!(found.evidence.starts_with("prebuilds/linux-x64/electron.abi98.node, "), "{}", found.evidence);
    assert!(found.evidence.ends_with("; package.json has no engines.node"), "{}", found.evidence);

    // The same files, with an addon for a supported Node.
    for (path, content) in [
        ("prebuilds/linux-x64/node.abi115.node", v8("node_register_module_v115")),
        ("prebuilds/linux-x64/node.napi.node", node_api()),
        ("build/Release/x.node", node_api()),
    ] {
        let files: Vec<_> = files.iter().cloned().chain([(path, content)]).collect();
        assert_eq!(finding(r#"{"name": "a"}"#, &files), None, "{path}");
    }
}

#[test]
fn engines_select_the_promised_releases() {
    let files = [("x.linux-x64-gnu.node", v8("node_register_module_v108"))];
    let severity = |engines: &str| {
        let manifest = format!(r#"{{"name": "a", "engines": {{"node": "{engines}"}}}}"#);
        finding(&manifest, &files).map(|found| found.severity)
    };
    assert_eq!(severity(">=14"), Some(Severity::Error), "Node 20 is promised");
    assert_eq!(severity(">=16 <20"), None, "Node 18 is promised, and no supported release");
    assert_eq!(severity("^16"), Some(Severity::Error), "Node 18 is not promised");
    assert_eq!(severity("no range"), Some(Severity::Error));
}

#[test]
fn a_platform_without_an_addon_for_a_supported_node_is_a_warning() {
    let arm64 = |export| Maker { exports: vec![export], machine: elf::EM_AARCH64, ..Maker::addon() }.make();
    let files = [
        ("prebuilds/linux-x64/node.abi108.node", v8("node_register_module_v108")),
        ("prebuilds/linux-x64/node.abi115.node", v8("node_register_module_v115")),
        ("prebuilds/linux-arm64/node.abi108.node", arm64("node_register_module_v108")),
    ];
    let found = finding(r#"{"name": "a"}"#, &files).unwrap();
    assert_eq!(found.severity, Severity::Warning);
    assert_eq!(
        found.message,
        "the addons for linux-arm64 load only in Node 18; Node 20 is the oldest line that the package should support"
    );
    assert!(found.evidence.starts_with("prebuilds/linux-arm64/node.abi108.node; "), "{}", found.evidence);
}

/// electron-edge-js is built only for Electron.
#[test]
fn a_package_for_a_recent_electron_is_a_warning_and_for_an_old_one_an_error() {
    let found = |files: &[(&str, Vec<u8>)]| {
        finding(r#"{"name": "a"}"#, files).map(|found| (found.severity, found.message))
    };
    let (severity, message) = found(&[("x.linux-x64-gnu.node", v8("node_register_module_v140"))]).unwrap();
    assert_eq!(severity, Severity::Warning);
    assert!(message.contains("load only in Electron 39;"), "{message}");
    let (severity, message) = found(&[("x.linux-x64-gnu.node", v8("node_register_module_v50"))]).unwrap();
    assert_eq!(severity, Severity::Error);
    assert!(message.contains("load only in Electron 1.4;"), "{message}");
    // lzma-native has both files, and its loader skips the file for Electron in Node.
    let electron = ("prebuilds/linux-x64/electron.napi.node", node_api());
    assert_eq!(found(std::slice::from_ref(&electron)).unwrap().0, Severity::Warning);
    assert_eq!(found(&[electron, ("prebuilds/linux-x64/node.napi.node", node_api())]), None);
}

#[test]
fn an_addon_of_unknown_abi_is_not_checked() {
    let registers = Maker {
        exports: vec![],
        imports: vec!["node_module_register"],
        numbers: vec![(elf::DT_INIT_ARRAY, 0x1000), (elf::DT_INIT_ARRAYSZ, 8)],
        ..Maker::addon()
    };
    assert_eq!(finding(r#"{"name": "a"}"#, &[("x.linux-x64-gnu.node", registers.make())]), None);
    // The name of a damaged file still gives an ABI.
    let files = [("prebuilds/linux-x64/node.abi93.node", b"text".to_vec())];
    assert!(finding(r#"{"name": "a"}"#, &files).unwrap().message.contains("only in Node 16;"));
}

/// Returns a DLL whose constructor registers a module for an ABI, as Node's macro NODE_MODULE does.
fn registering(abi: u32) -> Vec<u8> {
    const BASE: u64 = 0x1000_0000;
    let writable = object::pe::IMAGE_SCN_CNT_INITIALIZED_DATA
        | object::pe::IMAGE_SCN_MEM_READ
        | object::pe::IMAGE_SCN_MEM_WRITE;
    let mut content = PeMaker {
        exports: vec![],
        delayed: vec![("node.exe", vec!["node_module_register"])],
        sections: vec![(".module", writable, 256)],
        ..PeMaker::addon()
    }
    .make();
    let header = content.windows(8).position(|name| name == b".module\0").unwrap();
    let word = |at: usize| u32::from_le_bytes(content[at..at + 4].try_into().unwrap());
    let (address, offset) = (u64::from(word(header + 12)), word(header + 20) as usize);
    let pointer = |skip: u64| (BASE + address + skip).to_le_bytes();
    let mut module = [abi.to_le_bytes(), 0_u32.to_le_bytes()].concat();
    // nm_dso_handle, nm_filename, nm_register_func, nm_context_register_func, nm_modname, nm_priv, nm_link
    for field in [[0; 8], pointer(0x80), pointer(0), [0; 8], pointer(0xa0), [0; 8], [0; 8]] {
        module.extend(field);
    }
    content[offset..offset + module.len()].copy_from_slice(&module);
    content[offset + 0x80..offset + 0x87].copy_from_slice(b"addon.c");
    content[offset + 0xa0..offset + 0xa5].copy_from_slice(b"addon");
    content
}

/// greenworks 0.1.0 has files for ABI 50, but neither names nor exports give the ABI.
#[test]
fn the_abi_is_read_from_a_registered_module() {
    let files = [("lib/greenworks-win64.node", registering(50))];
    let found = finding(r#"{"name": "greenworks"}"#, &files).unwrap();
    assert_eq!(found.severity, Severity::Error);
    assert!(found.message.contains("load only in Electron 1.4; "), "{}", found.message);
    assert_eq!(
        finding(r#"{"name": "greenworks"}"#, &[("lib/greenworks-win64.node", registering(127))]),
        None
    );

    let entry = |name: &str, abi| {
        let report = audit_bytes(Path::new(name), &registering(abi), &Policy::default()).unwrap();
        report.findings.into_iter().find(|finding| finding.rule == "napi-entry").unwrap()
    };
    let info = entry("x-win64.node", 50);
    assert_eq!(info.severity, Severity::Info);
    assert_eq!(
        info.message,
        "the addon is a V8/NAN addon for ABI 50, which is Electron 1.4, and loads only in releases with this ABI"
    );
    assert!(info.evidence.ends_with("a module with nm_version 50"), "{}", info.evidence);
    assert_eq!(entry("win32-x64/node.abi115.node", 93).severity, Severity::Error);
}
