//! The option `--summary`: a table of packages and the systems on which they load.

use object::elf;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::node_audit;
use crate::object_maker::{Maker, Need};
use crate::tarball_maker::Tarball;

/// A folder of installed packages.
struct Installed(TempDir);

impl Installed {
    fn new() -> Installed {
        Installed(tempfile::tempdir().unwrap())
    }

    /// Adds a package with a version, further fields, and files.
    fn package(&self, name: &str, fields: Value, files: &[(&str, Vec<u8>)]) {
        let mut manifest = json!({ "name": name, "version": "1.0.0" });
        manifest.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let folder = self.0.path().join("node_modules").join(name);
        let write = |path: &str, content: &[u8]| {
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        };
        write("package.json", manifest.to_string().as_bytes());
        for (path, content) in files {
            write(path, content);
        }
    }

    /// Returns the exit status, and for each package its verdicts in the order of the systems.
    fn summary(&self) -> (i32, Value) {
        let (status, out, err) = node_audit(&self.0, &["--summary", "--format=json", "node_modules"]);
        assert_eq!(err, "");
        let rows: Value = serde_json::from_str(&out).unwrap();
        let rows = rows.as_array().unwrap().iter().map(|row| {
            let verdicts = row["verdicts"].as_object().unwrap();
            let systems = ["linux-x64-musl", "linux-x64-gnu", "linux-arm64-gnu"];
            assert_eq!(verdicts.len(), systems.len());
            let words = systems.map(|system| {
                let verdict = &verdicts[system];
                let detail = ["rule", "package", "script"].into_iter().find_map(|key| verdict[key].as_str());
                let word = verdict["verdict"].as_str().unwrap();
                detail.map_or_else(|| word.to_owned(), |detail| format!("{word} {detail}"))
            });
            (row["package"].as_str().unwrap().to_owned(), json!(words))
        });
        (status, Value::Object(rows.collect()))
    }
}

fn glibc() -> Vec<u8> {
    Maker::addon().make()
}

fn musl() -> Vec<u8> {
    Maker::musl().make()
}

fn arm64() -> Vec<u8> {
    Maker { machine: elf::EM_AARCH64, ..Maker::addon() }.make()
}

fn new_glibc() -> Vec<u8> {
    let need = Need { library: "libc.so.6", version: "GLIBC_2.34", weak: false, symbols: vec!["dlsym"] };
    Maker { versions: vec![need], ..Maker::addon() }.make()
}

#[test]
fn each_prebuilt_addon_is_checked_for_its_system() {
    let installed = Installed::new();
    installed.package(
        "all",
        json!({}),
        &[
            ("prebuilds/linux-x64/node.napi.glibc.node", glibc()),
            ("prebuilds/linux-x64/node.napi.musl.node", musl()),
            ("prebuilds/linux-arm64/node.napi.node", arm64()),
        ],
    );
    installed.package(
        "new",
        json!({}),
        &[("x.linux-x64-gnu.node", new_glibc()), ("x.linux-x64-musl.node", musl())],
    );
    installed.package("mixed", json!({}), &[("x.linux-x64-gnu.node", arm64())]);
    installed.package("plain", json!({}), &[("index.js", Vec::new())]);
    let (status, rows) = installed.summary();
    assert_eq!(
        rows,
        json!({
            "all@1.0.0": ["loads", "loads", "loads"],
            "new@1.0.0": ["loads", "fails glibc-floor", "missing"],
            "mixed@1.0.0": ["missing", "fails arch", "missing"],
        })
    );
    assert_eq!(status, 1);
}

#[test]
fn platform_packages_give_the_verdict_on_their_main_package() {
    let installed = Installed::new();
    let names = ["@a/core-linux-x64-gnu", "@a/core-linux-x64-musl", "@a/core-win32-x64-msvc", "plain"];
    let wanted: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!("1.0.0"))).collect();
    installed.package("@a/core", json!({ "optionalDependencies": wanted }), &[]);
    let fields = json!({ "os": ["linux"], "cpu": ["x64"], "libc": ["glibc"] });
    installed.package("@a/core-linux-x64-gnu", fields, &[("core.linux-x64-gnu.node", glibc())]);
    let library = json!({ "optionalDependencies": { "lonely-library-linux-x64": "1.0.0" } });
    installed.package("lonely-linux-x64-gnu", library, &[("x.node", glibc())]);
    let (status, rows) = installed.summary();
    assert_eq!(
        rows,
        json!({
            "@a/core@1.0.0": ["not-installed @a/core-linux-x64-musl", "loads", "missing"],
            "lonely-linux-x64-gnu@1.0.0": ["missing", "loads", "missing"],
        })
    );
    assert_eq!(status, 0);
}

/// musl's loader resolves libc.so.6 and similar names to itself, so an addon for glibc may load.
#[test]
fn an_addon_for_glibc_fails_on_musl_if_it_needs_a_library_that_musl_lacks() {
    let installed = Installed::new();
    let needing = |needed| Maker { needed, ..Maker::addon() }.make();
    let file = "prebuilds/linux-x64/node.napi.node";
    installed.package(
        "maybe",
        json!({}),
        &[(file, needing(vec!["libm.so.6", "libgcc_s.so.1", "libc.so.6"]))],
    );
    installed.package("never", json!({}), &[(file, needing(vec!["libc.so.6", "ld-linux-x86-64.so.2"]))]);
    installed.package("musl", json!({}), &[(file, musl())]);
    // musl also finds a library that comes with the addon, but may lack the libraries that this library needs.
    let origin = vec![(elf::DT_RUNPATH, "$ORIGIN")];
    let loading = Maker { needed: vec!["libc.so.6", "liba.so"], texts: origin, ..Maker::addon() }.make();
    let library = "prebuilds/linux-x64/liba.so";
    let plain = needing(vec!["libc.so.6"]);
    installed.package("with", json!({}), &[(file, loading.clone()), (library, plain)]);
    let bound = needing(vec!["libc.so.6", "ld-linux-x86-64.so.2"]);
    installed.package("bound", json!({}), &[(file, loading), (library, bound)]);
    let (status, rows) = installed.summary();
    assert_eq!(
        rows,
        json!({
            "maybe@1.0.0": ["other-libc", "loads", "missing"],
            "never@1.0.0": ["fails arch", "loads", "missing"],
            "with@1.0.0": ["other-libc", "loads", "missing"],
            "bound@1.0.0": ["fails arch", "loads", "missing"],
            "musl@1.0.0": ["loads", "fails arch", "missing"],
        })
    );
    assert_eq!(status, 1);
}

#[test]
fn an_addon_that_npm_compiles_here_is_compiled_on_other_systems() {
    let installed = Installed::new();
    let gyp = ("binding.gyp", b"{}".to_vec());
    installed.package("built", json!({}), &[gyp.clone(), ("build/Release/x.node", glibc())]);
    let script = json!({ "scripts": { "install": "node-gyp-build" } });
    installed.package("scripted", script, &[("prebuilds/linux-x64/node.napi.musl.node", musl())]);
    installed.package("empty", json!({}), &[gyp]);
    let (_, rows) = installed.summary();
    let compiled = "script node-gyp rebuild";
    assert_eq!(
        rows,
        json!({
            "built@1.0.0": [compiled, "loads", compiled],
            "scripted@1.0.0": ["loads", "script node-gyp-build", "script node-gyp-build"],
            "empty@1.0.0": [compiled, compiled, compiled],
        })
    );
}

#[test]
fn the_summary_uses_only_load_blocking_rules() {
    let installed = Installed::new();
    let exporting = Maker { exports: vec!["napi_register_module_v1", "SSL_new"], ..Maker::addon() }.make();
    installed.package("clash", json!({}), &[("x.linux-x64-gnu.node", exporting)]);
    assert_eq!(node_audit(&installed.0, &["node_modules"]).0, 1, "an error for the audit");
    let (status, rows) = installed.summary();
    assert_eq!(rows, json!({ "clash@1.0.0": ["missing", "loads", "missing"] }));
    assert_eq!(status, 0);
}

#[test]
fn the_table_lists_failing_packages_first() {
    let installed = Installed::new();
    let wanted =
        json!({ "optionalDependencies": { "a-linux-x64-musl": "1.0.0", "a-linux-x64-gnu": "1.0.0" } });
    installed.package("a", wanted, &[]);
    installed.package("a-linux-x64-gnu", json!({}), &[("a.node", glibc())]);
    installed.package("b", json!({}), &[("x.linux-x64-gnu.node", new_glibc())]);
    let (status, out, _) = node_audit(&installed.0, &["--summary", "node_modules"]);
    assert_eq!(status, 1);
    let lines: Vec<&str> =
        out.lines().filter(|line| line.starts_with(" a@") || line.starts_with(" b@")).collect();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        lines.iter().map(|line| words(line)).collect::<Vec<_>>()[0],
        "b@1.0.0 no addon fails: needs glibc 2.34 no addon"
    );
    assert_eq!(words(lines[1]), "a@1.0.0 not installed here: loads no addon");
    assert!(out.contains("a-linux-x64-musl"), "{out}");
    assert!(
        out.ends_with(
            "\n2 packages; failing: 0 on linux-x64-musl, 1 on linux-x64-gnu, 0 on linux-arm64-gnu\n"
        ),
        "{out}"
    );
    std::fs::write(installed.0.path().join("p.toml"), "[floors]\nglibc = \"2.34\"\n").unwrap();
    let (status, out, _) = node_audit(&installed.0, &["--summary", "--policy=p.toml", "node_modules"]);
    assert!(status == 0 && out.contains("glibc 2.34") && !out.contains("fails"), "{out}");
}

/// The last line once called a package without an addon "1 package with addons".
#[test]
fn the_last_line_counts_packages_with_and_without_addons() {
    let installed = Installed::new();
    installed.package("a", json!({ "scripts": { "install": "prebuild-install" } }), &[]);
    let (status, out, err) = node_audit(&installed.0, &["--summary", "node_modules/a"]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.contains(" no addon here; npm runs:"), "{out}");
    let last = "\n1 package; failing: 0 on linux-x64-musl, 0 on linux-x64-gnu, 0 on linux-arm64-gnu\n";
    assert!(out.ends_with(last), "{out}");
}

/// node-audit once refused `--platform` with `--summary`.
#[test]
fn with_a_platform_the_table_has_one_column() {
    let installed = Installed::new();
    installed.package(
        "a",
        json!({}),
        &[("x.linux-x64-gnu.node", glibc()), ("x.linux-x64-musl.node", musl())],
    );
    installed.package("b", json!({}), &[("x.linux-arm64-musl.node", musl())]);
    installed.package("m", json!({}), &[("build/x.node", crate::macho_maker::MachO::addon().make())]);
    let run = |platform: &str| {
        let (status, out, _) =
            node_audit(&installed.0, &["--summary", "--format=json", "--platform", platform, "node_modules"]);
        let rows: Value = serde_json::from_str(&out).unwrap();
        let verdicts = rows.as_array().unwrap().iter().map(|row| {
            let verdicts = row["verdicts"].as_object().unwrap();
            assert!(
                !verdicts.is_empty()
                    && verdicts.keys().all(|key| key.starts_with("linux") || key.starts_with("darwin"))
            );
            let mut platforms: Vec<_> = verdicts.keys().collect();
            platforms.sort();
            platforms
                .into_iter()
                .map(|platform| verdicts[platform]["verdict"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        });
        (status, verdicts.map(|words| words.join(" ")).collect::<Vec<_>>())
    };
    assert_eq!(run("linux-arm64-musl"), (1, ["missing", "fails", "missing"].map(str::to_owned).to_vec()));
    assert_eq!(run("linux-x64-musl"), (0, ["loads", "missing", "missing"].map(str::to_owned).to_vec()));
    assert_eq!(
        run("darwin-universal"),
        (0, ["missing missing", "missing missing", "loads missing"].map(str::to_owned).to_vec())
    );
    let (_, out, _) = node_audit(&installed.0, &["--summary", "--platform=darwin-arm64", "node_modules"]);
    assert!(out.contains("macOS 11.0") && out.ends_with("failing: 0 on darwin-arm64\n"), "{out}");
}

#[test]
fn a_cell_of_the_table_is_short() {
    let installed = Installed::new();
    let needing = |needed| Maker { needed, ..Maker::addon() }.make();
    installed.package("a", json!({}), &[("a.linux-x64-gnu.node", needing(vec!["libc.so.6", "libfoo.so.1"]))]);
    installed.package("b", json!({}), &[("b.linux-x64-gnu.node", musl())]);
    // koffi has a file for each C library in a package whose name gives no C library.
    installed.package(
        "k-linux-x64",
        json!({}),
        &[("linux_x64/k.node", glibc()), ("musl_x64/k.node", musl())],
    );
    // deasync has a file for each release of Node, and the file for 0.10 lacks the entry point of later releases.
    let old = Maker { exports: vec!["d_module"], ..Maker::addon() }.make();
    let files = [("bin/linux-x64-node-0.10/d.node", old), ("bin/linux-x64-node-22/d.node", glibc())];
    installed.package("d", json!({}), &files);
    let (_, out, _) = node_audit(&installed.0, &["--summary", "node_modules"]);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "a@1.0.0 no addon fails without no addon libfoo.so.1",
        "k-linux-x64@1.0.0 loads loads no addon",
        "failing: 0 on linux-x64-musl, 2 on linux-x64-gnu",
    ] {
        assert!(words.contains(part), "{part} is not in\n{out}");
    }
    assert!(!out.contains("require()") && out.contains("fails: claims"), "{out}");
}

/// The summary once said that node-lmdb 0.9.7 and greenworks 0.1.0 load, but Node 20 loads neither.
#[test]
fn addons_for_unsupported_releases_do_not_load() {
    let installed = Installed::new();
    let v8 = |export| Maker { exports: vec![export], ..Maker::addon() }.make();
    installed.package(
        "old",
        json!({}),
        &[
            ("prebuilds/linux-x64/node.abi72.node", v8("node_register_module_v72")),
            ("prebuilds/linux-x64/node.abi83.node", v8("node_register_module_v83")),
            ("prebuilds/linux-x64/node.abi93.node", v8("node_register_module_v93")),
        ],
    );
    installed.package(
        "current",
        json!({}),
        &[
            // Node 20 and later do not open this file, so the summary ignores its errors.
            ("prebuilds/linux-x64/node.abi108.node", new_glibc()),
            ("prebuilds/linux-x64/node.abi115.node", v8("node_register_module_v115")),
            ("prebuilds/linux-x64/node.abi127.node", v8("node_register_module_v127")),
        ],
    );
    installed.package(
        "electron",
        json!({}),
        &[
            ("prebuilds/linux-x64/electron.napi.node", arm64()),
            ("prebuilds/linux-x64/node.napi.node", glibc()),
        ],
    );
    installed.package(
        "only-electron",
        json!({}),
        &[("prebuilds/linux-x64/electron.abi140.node", v8("node_register_module_v140"))],
    );
    installed.package(
        "promised",
        json!({ "engines": { "node": "^16" } }),
        &[("x.linux-x64-gnu.node", v8("node_register_module_v93"))],
    );
    // npm compiled this addon on this machine for another Node, and compiles the addon again for each Node.
    installed.package(
        "compiled",
        json!({ "scripts": { "install": "node-gyp rebuild" } }),
        &[("build/Release/x.node", v8("node_register_module_v93"))],
    );
    let (status, rows) = installed.summary();
    let compiled = "script node-gyp rebuild";
    assert_eq!(
        rows,
        json!({
            "old@1.0.0": ["fails node-abi", "fails node-abi", "missing"],
            "current@1.0.0": ["other-libc", "loads", "missing"],
            "electron@1.0.0": ["other-libc", "loads", "missing"],
            "only-electron@1.0.0": ["loads", "loads", "missing"],
            "promised@1.0.0": ["missing", "loads", "missing"],
            "compiled@1.0.0": [compiled, compiled, compiled],
        })
    );
    assert_eq!(status, 1);
    let (_, out, _) = node_audit(&installed.0, &["--summary", "--format=json", "node_modules"]);
    let rows: Value = serde_json::from_str(&out).unwrap();
    let verdict = |package: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["package"] == package).unwrap();
        row["verdicts"]["linux-x64-gnu"].clone()
    };
    assert_eq!(verdict("electron@1.0.0"), json!({ "verdict": "loads" }));
    assert_eq!(verdict("current@1.0.0"), json!({ "verdict": "loads", "nodes": "Node 18 to 22" }));
    let (_, out, _) = node_audit(&installed.0, &["--summary", "node_modules"]);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "old@1.0.0 only Node 12 to 16 only Node 12 to 16 no addon",
        "only-electron@1.0.0 loads only in Electron loads only in Electron no addon 39 39",
        "promised@1.0.0 no addon loads only in Node 16 no addon",
    ] {
        assert!(words.contains(part), "{part} is not in\n{out}");
    }
    let policy = "[severities]\nnode-abi = \"warning\"\n";
    std::fs::write(installed.0.path().join("p.toml"), policy).unwrap();
    let (status, _, err) = node_audit(&installed.0, &["--summary", "--policy=p.toml", "node_modules"]);
    assert_eq!((status, err.as_str()), (0, ""));
}

/// The package.json of @yuuang/ffi-rs-linux-x64-musl 1.3.2 has `"libc": ["glibc"]`, so npm installs the addon on Debian, but
/// not on Alpine.
#[test]
fn a_package_that_npm_does_not_install_on_a_system_fails_there() {
    let installed = Installed::new();
    let fields = |libc: &str| json!({ "os": ["linux"], "cpu": ["x64"], "libc": [libc] });
    installed.package("wrong", fields("glibc"), &[("x.linux-x64-musl.node", musl())]);
    installed.package("right", fields("musl"), &[("x.linux-x64-musl.node", musl())]);
    let any = json!({ "os": ["linux"], "cpu": ["x64", "arm64"] });
    installed.package("half", any, &[("x.linux-x64-gnu.node", glibc())]);
    let part = json!({ "optionalDependencies": { "part-linux-x64-musl": "1.0.0" } });
    installed.package("part", part, &[]);
    installed.package("part-linux-x64-musl", fields("glibc"), &[("x.node", musl())]);
    let (status, rows) = installed.summary();
    assert_eq!(
        rows,
        json!({
            "wrong@1.0.0": ["fails package", "fails package", "missing"],
            "right@1.0.0": ["loads", "missing", "missing"],
            "half@1.0.0": ["fails arch", "loads", "fails package"],
            "part@1.0.0": ["fails package", "missing", "missing"],
        })
    );
    assert_eq!(status, 1);
    let (_, out, _) = node_audit(&installed.0, &["--summary", "node_modules"]);
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("npm does not"), "{out}");
}

#[test]
fn a_folder_without_addons_gives_status_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("node_modules")).unwrap();
    let (status, out, err) = node_audit(&folder, &["--summary", "node_modules"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.starts_with("node-audit: node_modules"), "{err}");
}

/// The summary once said "no addon" for Alpine, although a warning says that npm installs the package there.
#[test]
fn npm_installs_a_package_for_glibc_without_libc_on_alpine() {
    let installed = Installed::new();
    let fields = json!({ "os": ["linux"], "cpu": ["x64"] });
    installed.package("a-linux-x64-gnu", fields, &[("a.linux-x64-gnu.node", glibc())]);
    let fields = json!({ "os": ["linux"], "cpu": ["x64"], "libc": ["glibc"] });
    installed.package("b-linux-x64-gnu", fields, &[("b.linux-x64-gnu.node", glibc())]);
    let (status, rows) = installed.summary();
    assert_eq!(
        rows,
        json!({
            "a-linux-x64-gnu@1.0.0": ["fails arch", "loads", "missing"],
            "b-linux-x64-gnu@1.0.0": ["missing", "loads", "missing"],
        })
    );
    assert_eq!(status, 1);
}

/// @aicontextlab/core-native 0.2.1 has no package for arm64. The report said so, but the summary once did not.
#[test]
fn a_platform_whose_package_is_not_listed_fails() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"{"name": "a", "version": "1.0.0", "main": "index.js",
        "optionalDependencies": {"a-linux-x64-gnu": "1.0.0", "a-darwin-arm64": "1.0.0"}}"#;
    let loader = "switch (process.arch) { case 'x64': require('a-linux-x64-gnu'); break; case 'arm64': \
                  require('a-linux-arm64-gnu'); require('a-darwin-arm64') }";
    let tarball = Tarball::package(manifest).file("package/index.js", loader.as_bytes());
    std::fs::write(folder.path().join("p.tgz"), tarball.gz()).unwrap();
    let (status, out, _) = node_audit(&folder, &["--summary", "--format=json", "p.tgz"]);
    let rows: Value = serde_json::from_str(&out).unwrap();
    let verdict = &rows[0]["verdicts"]["linux-arm64-gnu"];
    assert_eq!(verdict["message"], "the loader requires a-linux-arm64-gnu, which package.json does not list");
    assert_eq!(status, 1);
}
