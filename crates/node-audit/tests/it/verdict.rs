//! The verdict on a package: where it loads, where it fails, and why.

use node_audit::{Policy, audit_paths, verdicts};
use object::elf;

use crate::macho_maker::MachO;
use crate::object_maker::{Maker, Need};
use crate::pe_maker::PeMaker;
use crate::tarball_maker::Tarball;

/// Returns the verdict on a package with these files, under a policy.
fn verdict_by(manifest: &str, files: &[(&str, Vec<u8>)], policy: &Policy) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.tgz");
    let tarball = files.iter().fold(Tarball::package(manifest), |tarball, (file, content)| {
        tarball.file(&format!("package/{file}"), content)
    });
    std::fs::write(&path, tarball.gz()).unwrap();
    let verdicts = verdicts(&audit_paths(&[path], policy, &()), policy);
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    assert!(verdicts[0].name.ends_with("@1.0.0"), "{verdicts:?}");
    verdicts[0].text.clone()
}

fn verdict(files: &[(&str, Vec<u8>)]) -> String {
    verdict_by(r#"{"name": "p", "version": "1.0.0"}"#, files, &Policy::default())
}

/// Returns an addon that needs Node-API 8.
fn addon() -> Maker {
    Maker { imports: vec!["napi_object_freeze"], ..Maker::addon() }
}

fn with_glibc(version: &'static str) -> Maker {
    let need = Need { library: "libc.so.6", version, weak: false, symbols: vec!["dlsym"] };
    Maker { versions: vec![need], ..addon() }
}

const NODE: &str = "Node 12.22, 14.17, 15.12 and later";

#[test]
fn the_verdict_on_one_platform_has_the_oldest_libc_the_nodes_and_the_processor() {
    let verdict = |maker: Maker| verdict(&[("x.linux-x64-gnu.node", maker.make())]);
    assert_eq!(
        verdict(with_glibc("GLIBC_2.34")),
        format!("loads on glibc 2.34 and later, {NODE}, x64; not on Alpine")
    );
    assert_eq!(
        verdict(with_glibc("GLIBC_ABI_DT_RELR")),
        format!("loads on glibc 2.36 and later, {NODE}, x64; not on Alpine")
    );
    let unversioned = Maker { versions: vec![], ..addon() };
    assert_eq!(verdict(unversioned), format!("loads on glibc, {NODE}, x64; not on Alpine"));
    let private = with_glibc("GLIBC_PRIVATE");
    // Current releases of glibc load such an addon.
    assert_eq!(
        verdict(private),
        format!(
            "loads on glibc, {NODE}, x64; not on Alpine; may fail after a glibc update, since an addon calls glibc's \
             internal functions"
        )
    );
}

/// The verdict once said "and later", though glibc 2.41 and later refuse the addon.
#[test]
fn an_executable_stack_limits_the_releases_of_glibc() {
    let stack = Some(elf::PF_R | elf::PF_W | elf::PF_X);
    let verdict = |maker: Maker| verdict(&[("x.linux-x64-gnu.node", Maker { stack, ..maker }.make())]);
    assert_eq!(
        verdict(with_glibc("GLIBC_2.14")),
        format!("loads on glibc 2.14 to 2.40, {NODE}, x64; not on Alpine")
    );
    let unversioned = Maker { versions: vec![], ..addon() };
    assert_eq!(verdict(unversioned), format!("loads on glibc up to 2.40, {NODE}, x64; not on Alpine"));
    assert_eq!(
        verdict(with_glibc("GLIBC_2.41")),
        "fails on linux-x64-gnu: needs glibc 2.41, and asks for an executable stack, which glibc 2.41 refuses"
    );
}

#[test]
fn a_newer_libstdcxx_is_named() {
    let needs = |library, version| Need { library, version, weak: false, symbols: vec!["x"] };
    let maker = Maker {
        needed: vec!["libc.so.6", "libstdc++.so.6"],
        versions: vec![needs("libc.so.6", "GLIBC_2.17"), needs("libstdc++.so.6", "GLIBCXX_3.4.30")],
        ..addon()
    };
    let expected = format!("loads on glibc 2.17 and later with GLIBCXX_3.4.30, {NODE}, x64; not on Alpine");
    assert_eq!(verdict(&[("x.linux-x64-gnu.node", maker.make())]), expected);
}

#[test]
fn the_verdict_on_several_platforms_lists_the_processors_of_each() {
    let arm64 = Maker { machine: elf::EM_AARCH64, ..with_glibc("GLIBC_2.31") };
    let musl = Maker { imports: vec!["napi_object_freeze"], ..Maker::musl() };
    let files = [
        ("prebuilds/linux-x64/x.glibc.node", with_glibc("GLIBC_2.17").make()),
        ("prebuilds/linux-x64/x.musl.node", musl.make()),
        ("prebuilds/linux-arm64/x.glibc.node", arm64.make()),
        ("prebuilds/darwin-arm64/x.node", MachO::addon().make()),
        ("prebuilds/win32-x64/x.node", PeMaker::addon().make()),
    ];
    let text = verdict(&files);
    let expected = format!(
        "loads on glibc 2.17 and later (x64), glibc 2.31 and later (arm64), Alpine (x64), macOS 11.0 and later (arm64), \
         Windows (x64); {NODE}"
    );
    assert_eq!(text, expected);
    // If all systems have the same processors, the verdict names the processors once, at its end.
    let text = verdict(&files[..2]);
    assert_eq!(text, format!("loads on glibc 2.17 and later, Alpine, {NODE}, x64"));
}

#[test]
fn files_for_several_abis_give_a_range_of_nodes() {
    let v8 = |entry: &'static str| Maker { imports: vec![], exports: vec![entry], ..Maker::addon() }.make();
    let files = [
        ("prebuilds/linux-x64/x.abi108.glibc.node", v8("node_register_module_v108")),
        ("prebuilds/linux-x64/x.abi111.glibc.node", v8("node_register_module_v111")),
        ("prebuilds/linux-x64/x.abi115.glibc.node", v8("node_register_module_v115")),
        ("prebuilds/linux-x64/x.abi127.glibc.node", v8("node_register_module_v127")),
    ];
    assert_eq!(verdict(&files), "loads on glibc 2.17 and later, only Node 18 to 22, x64; not on Alpine");
    // node-lmdb 0.9.7 has no file for Node 18 or later.
    let old = [("prebuilds/linux-x64/x.abi102.glibc.node", v8("node_register_module_v102"))];
    assert_eq!(
        verdict(&old),
        "loads on glibc 2.17 and later, only Node 17, x64; not on Alpine; Node 20 is the oldest line \
         that the package should support"
    );
}

#[test]
fn an_addon_that_does_not_load_is_named_with_its_reason() {
    let bad = Maker { needed: vec!["libssl.so.3"], ..addon() }.make();
    let musl = Maker { imports: vec!["napi_object_freeze"], ..Maker::musl() }.make();
    let files = [("x.linux-x64-gnu.node", bad.clone()), ("x.linux-x64-musl.node", musl)];
    assert_eq!(
        verdict(&files),
        format!("loads on Alpine, {NODE}, x64; fails on linux-x64-gnu: needs libssl.so.3")
    );
    let files = [("x.linux-x64-gnu.node", b"".to_vec()), ("x.linux-arm64-gnu.node", b"".to_vec())];
    assert_eq!(verdict(&files), "fails on linux-arm64-gnu, linux-x64-gnu: the file is empty");
    // The verdict names the failing file if another file for the same platform loads.
    let files = [("a.linux-x64-gnu.node", addon().make()), ("b.linux-x64-gnu.node", bad)];
    let text = verdict(&files);
    assert!(
        text.contains("; fails on ") && text.ends_with("package/b.linux-x64-gnu.node: needs libssl.so.3"),
        "{text}"
    );
    assert!(verdict(&[("x.node", b"".to_vec())]).ends_with("package/x.node: the file is empty"));
}

#[test]
fn an_addon_whose_name_has_no_c_library_may_fail_on_alpine() {
    let verdict = |needed| {
        let maker = Maker { needed, ..addon() };
        verdict(&[("prebuilds/linux-x64/x.node", maker.make())])
    };
    assert!(verdict(vec!["libc.so.6"]).ends_with("; may fail on Alpine, since the addon is linked to glibc"));
    assert!(verdict(vec!["libc.so.6", "ld-linux-x86-64.so.2"]).ends_with("; not on Alpine"));
}

#[test]
fn an_addon_only_for_musl_does_not_load_on_glibc() {
    let musl = Maker { imports: vec!["napi_object_freeze"], ..Maker::musl() }.make();
    assert_eq!(
        verdict(&[("x.linux-x64-musl.node", musl)]),
        format!("loads on Alpine, {NODE}, x64; not on glibc")
    );
}

/// The verdict once named Alpine, though the package's name says that the package is for glibc.
#[test]
fn a_name_that_claims_one_c_library_excludes_the_other() {
    let policy = Policy::default();
    let glibc = [("x.linux-x64-gnu.node", with_glibc("GLIBC_2.17").make())];
    let expected = format!("loads on glibc 2.17 and later, {NODE}, x64");
    for (name, end) in [
        ("@p/linux-x64-gnu", ""),
        ("p-linux-x64-glibc", ""),
        // Such a name admits both C libraries.
        ("p-linux-x64", "; not on Alpine"),
        ("p-gnu", "; not on Alpine"),
    ] {
        let manifest = format!(r#"{{"name": "{name}", "version": "1.0.0"}}"#);
        assert_eq!(verdict_by(&manifest, &glibc, &policy), format!("{expected}{end}"), "{name}");
    }
    let musl = Maker { imports: vec!["napi_object_freeze"], ..Maker::musl() }.make();
    let manifest = r#"{"name": "p-linux-x64-musl", "version": "1.0.0"}"#;
    let text = verdict_by(manifest, &[("x.linux-x64-musl.node", musl)], &policy);
    assert_eq!(text, format!("loads on Alpine, {NODE}, x64"));
}

/// The verdict once said "Node-API of an unknown version".
#[test]
fn an_addon_that_looks_up_node_api_at_run_time_loads_in_unknown_releases() {
    let at_run_time = |maker: Maker| Maker { imports: vec!["dlsym"], ..maker }.make();
    let files = [
        ("x.linux-x64-gnu.node", at_run_time(with_glibc("GLIBC_2.28"))),
        ("x.linux-x64-musl.node", at_run_time(Maker::musl())),
    ];
    let end = "in an unknown range of Node releases: the addon looks up Node-API at run time";
    assert_eq!(verdict(&files[..1]), format!("loads on glibc 2.28 and later (x64), {end}; not on Alpine"));
    assert_eq!(verdict(&files), format!("loads on glibc 2.28 and later (x64), Alpine (x64), {end}"));
}

#[test]
fn a_claim_by_the_caller_is_the_only_platform() {
    let claim = Some("linux-x64-gnu".parse().unwrap());
    let policy = Policy { claim, ..Policy::default() };
    let text = verdict_by(
        r#"{"name": "p", "version": "1.0.0"}"#,
        &[("x.node", with_glibc("GLIBC_2.17").make())],
        &policy,
    );
    assert_eq!(text, format!("loads on glibc 2.17 and later, {NODE}, x64"));
}

#[test]
fn the_verdict_on_a_package_without_an_addon_names_the_script_that_npm_runs() {
    let text = |manifest: &str| verdict_by(manifest, &[], &Policy::default());
    assert_eq!(
        text(r#"{"name": "p", "version": "1.0.0", "scripts": {"install": "prebuild-install"}}"#),
        "contains no addon: npm runs prebuild-install when it installs the package"
    );
    assert_eq!(text(r#"{"name": "p", "version": "1.0.0", "main": "x.node"}"#), "contains no addon");
}

#[test]
fn promises_of_package_json_are_compared_with_the_addons() {
    let files = [("x.linux-x64-gnu.node", addon().make())];
    let manifest = r#"{"name": "p", "version": "1.0.0", "os": ["linux"], "cpu": ["x64", "arm64"]}"#;
    let text = verdict_by(manifest, &files, &Policy::default());
    assert!(
        text.ends_with("; package.json promises linux-arm64, for which the package has no addon"),
        "{text}"
    );
    let manifest = r#"{"name": "p", "version": "1.0.0", "os": ["linux"], "libc": ["musl"]}"#;
    let text = verdict_by(manifest, &files, &Policy::default());
    assert!(text.contains("; npm does not install the package on every platform of its addons: package.json has os linux; libc musl"), "{text}");
}

#[test]
fn a_library_of_another_package_is_named() {
    let texts = vec![(elf::DT_RUNPATH, "$ORIGIN/../../other/lib")];
    let maker = Maker { needed: vec!["libc.so.6", "libvips.so.42"], texts, ..addon() };
    let text = verdict(&[("x.linux-x64-gnu.node", maker.make())]);
    assert!(text.ends_with("; needs libvips.so.42, which not all systems have"), "{text}");
}

/// Each package in a folder gets a verdict, and a repeated name is followed by its path.
#[test]
fn each_package_has_a_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let modules = folder.path().join("node_modules");
    for place in ["a", "b/node_modules/a"] {
        let place = modules.join(place);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("package.json"), r#"{"name": "a", "version": "1.0.0"}"#).unwrap();
        std::fs::write(place.join("x.linux-x64-gnu.node"), addon().make()).unwrap();
    }
    let policy = Policy::default();
    let verdicts = verdicts(&audit_paths(std::slice::from_ref(&modules), &policy, &()), &policy);
    let names: Vec<String> =
        verdicts.iter().map(|verdict| verdict.name.replace(&modules.display().to_string(), "M")).collect();
    assert_eq!(names, ["a@1.0.0 (M/a)", "a@1.0.0 (M/b/node_modules/a)"]);
}

/// Returns an addon that binds an imported name when it is loaded.
fn binding(name: &'static str) -> Maker {
    Maker {
        imports: vec![name],
        versions: vec![],
        relocations: vec![(elf::R_X86_64_JUMP_SLOT, name)],
        table: (elf::DT_JMPREL, elf::DT_PLTRELSZ),
        bind_now: true,
        ..Maker::addon()
    }
}

/// The verdict once said that the addon fails on the platform, though most releases of Node load the addon.
#[test]
fn a_symbol_that_some_releases_lack_limits_the_verdict() {
    let text = verdict(&[("x.linux-x64-gnu.node", binding("ZSTD_compress").make())]);
    assert_eq!(text, "loads on glibc, only Node 22.23.3 and later, x64; not on Alpine");
    let name = "_ZN2v820EscapableHandleScopeC1EPNS_7IsolateE";
    let text = verdict(&[("x.linux-x64-gnu.node", binding(name).make())]);
    assert_eq!(text, "loads on glibc, only Node 20, x64; not on Alpine");
}

/// The reason once ended after the library's name.
#[test]
fn a_missing_symbol_of_a_library_is_named() {
    let library = Maker { exports: vec![], ..binding("some_missing_function") };
    let maker = Maker {
        needed: vec!["libc.so.6", "libfoo.so.1"],
        texts: vec![(elf::DT_RUNPATH, "$ORIGIN")],
        ..addon()
    };
    let text = verdict(&[("x.linux-x64-gnu.node", maker.make()), ("libfoo.so.1", library.make())]);
    assert_eq!(
        text,
        "fails on linux-x64-gnu: libfoo.so.1, which the addon loads: some_missing_function is not in glibc, in a \
         loaded library or in Node 20.20.2 to 26.10"
    );
}

/// node-lmdb 0.10.1 has addons for Node on glibc, and addons for Electron 15 on other systems.
#[test]
fn platforms_with_different_releases_get_separate_clauses() {
    let v8 = |entry: &'static str, maker: Maker| Maker { imports: vec![], exports: vec![entry], ..maker };
    let (node20, node22, electron) =
        ("node_register_module_v115", "node_register_module_v127", "node_register_module_v98");
    let glibc = v8(node20, with_glibc("GLIBC_2.17")).make();
    let files = [
        ("prebuilds/linux-x64/node.abi115.glibc.node", glibc.clone()),
        ("prebuilds/linux-x64/electron.abi98.glibc.node", v8(electron, with_glibc("GLIBC_2.17")).make()),
        ("prebuilds/linux-x64/electron.abi98.musl.node", v8(electron, Maker::musl()).make()),
    ];
    assert_eq!(
        verdict(&files),
        "loads on glibc 2.17 and later, only Node 20, Electron 15, x64; loads only in Electron 15, on Alpine, x64"
    );
    let files = [
        ("prebuilds/linux-x64/node.abi115.glibc.node", glibc),
        ("prebuilds/linux-x64/node.abi127.musl.node", v8(node22, Maker::musl()).make()),
    ];
    assert_eq!(
        verdict(&files),
        "loads on glibc 2.17 and later, only Node 20, x64; loads on Alpine, only Node 22, x64"
    );
}
