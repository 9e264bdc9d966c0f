//! Selects a toolchain for each target of targets.json in different environments.

use std::collections::HashMap;

use vendored_toolchain::{Kind, Machine, Origin, Request, SelectError, Tool, Toolchain, select};

const LINUX: &str = "x86_64-unknown-linux-gnu";

/// The triple, toolchain and floor of a row in targets.json.
type Row = (String, String, String);

/// Reads the rows by string search, because the crate has no JSON dependency.
fn table() -> Vec<Row> {
    let text = include_str!("../../../../../targets.json");
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\":")).unwrap();
        let value = rest.split(',').next().unwrap().trim().trim_matches('"');
        if value == "null" { String::new() } else { value.to_owned() }
    };
    let lines = text.lines().filter(|line| line.contains("\"triple\""));
    lines.map(|line| (field(line, "triple"), field(line, "toolchain"), field(line, "floor"))).collect()
}

fn kind((triple, toolchain, floor): &Row) -> Kind<'_> {
    match toolchain.as_str() {
        "zig" | "pkgsCross" => Kind::Zig { floor },
        "msvc" => Kind::Msvc,
        other => panic!("{triple}: targets.json has the toolchain `{other}`, which `Kind` lacks"),
    }
}

struct World {
    host: &'static str,
    environment: HashMap<String, String>,
    programs: Vec<String>,
}

impl World {
    fn new(host: &'static str, programs: &[&str]) -> Self {
        let programs = programs.iter().map(|name| (*name).to_owned()).collect();
        Self { host, environment: HashMap::new(), programs }
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.insert(variable.to_owned(), value.to_owned());
        self
    }

    fn select(&self, row: &Row) -> Result<Toolchain, SelectError> {
        select(&Request {
            triple: &row.0,
            kind: kind(row),
            host: self.host,
            environment: &|name| self.environment.get(name).cloned(),
            program: &|name| self.programs.iter().any(|program| program == name),
        })
    }
}

fn cc(triple: &str) -> String {
    format!("CC_{}", triple.replace('-', "_"))
}

fn linker(triple: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", triple.replace('-', "_").to_uppercase())
}

fn program(name: &str) -> Tool {
    Tool::Program(name.to_owned())
}

/// A triple without a known machine could not be checked.
#[test]
fn the_check_of_a_compiler_knows_every_target_of_the_table() {
    let table = table();
    assert!(table.len() > 1 && table[0].0 == LINUX, "{table:?}");
    for (triple, ..) in &table {
        assert!(Machine::of_triple(triple).is_some(), "{triple}: {}", Machine::KNOWN);
    }
}

#[test]
fn an_explicit_compiler_takes_precedence_on_every_target() {
    for row in table() {
        for variable in [cc(&row.0), format!("CC_{}", row.0)] {
            let everything = ["my-cc", "zig", "cargo-zigbuild", "cc", "aarch64-linux-musl-gcc"];
            let toolchain = World::new(LINUX, &everything).with(&variable, "my-cc").select(&row).unwrap();
            assert_eq!(toolchain.origin, Origin::Environment, "{}", row.0);
            assert_eq!(toolchain.tool(&cc(&row.0)), Some(&program("my-cc")), "{}", row.0);
            // Cargo finds the linker for the host and for MSVC.
            let left_to_cargo = row.0 == LINUX || kind(&row) == Kind::Msvc;
            assert_eq!(toolchain.tool(&linker(&row.0)).is_none(), left_to_cargo, "{}", row.0);
        }
    }
}

#[test]
fn zig_serves_every_target_but_windows() {
    let expected = [
        (Origin::Zig, "x86_64-linux-gnu.2.28"),
        (Origin::Zig, "aarch64-linux-gnu.2.28"),
        (Origin::Zig, "x86_64-linux-musl"),
        (Origin::Zig, "aarch64-linux-musl"),
        (Origin::Zig, "aarch64-macos.11.0-none"),
        (Origin::Zig, "x86_64-macos.10.15-none"),
    ];
    let table = table();
    let world = World::new(LINUX, &["zig", "cargo-zigbuild", "cc"]);
    for (row, (origin, target)) in table.iter().zip(expected) {
        let toolchain = world.select(row).unwrap();
        assert_eq!(toolchain.origin, origin, "{}", row.0);
        assert_eq!(toolchain.tool(&cc(&row.0)), Some(&Tool::ZigCc(target.to_owned())), "{}", row.0);
        let linked_by =
            if row.0.ends_with("darwin") { program("rust-lld") } else { Tool::ZigCc(target.to_owned()) };
        assert_eq!(toolchain.tool(&linker(&row.0)), Some(&linked_by), "{}", row.0);
    }
    let msvc: Vec<&Row> = table.iter().filter(|row| kind(row) == Kind::Msvc).collect();
    assert_eq!(table.len(), expected.len() + msvc.len());
    for row in msvc {
        assert!(matches!(world.select(row), Err(SelectError::NotFound { .. })), "{}", row.0);
    }
}

#[test]
fn zig_without_cargo_zigbuild_is_not_used() {
    for row in table() {
        let selected = World::new("aarch64-unknown-linux-gnu", &["zig"]).select(&row);
        assert!(matches!(selected, Err(SelectError::NotFound { .. })), "{}", row.0);
    }
}

#[test]
fn a_cross_gcc_is_used_only_without_zig() {
    for row in table().iter().filter(|row| row.0.contains("linux")) {
        let (arch, libc) = (row.0.split('-').next().unwrap(), row.0.rsplit('-').next().unwrap());
        for prefix in [format!("{arch}-linux-{libc}"), row.0.clone()] {
            let (gcc, ar) = (format!("{prefix}-gcc"), format!("{prefix}-ar"));
            let alone = World::new("aarch64-apple-darwin", &[&gcc, &ar]).select(row).unwrap();
            assert_eq!(alone.origin, Origin::Gcc, "{}", row.0);
            let names = [cc(&row.0), cc(&row.0).replacen("CC", "AR", 1), linker(&row.0)];
            let tools = names.map(|name| alone.tool(&name).cloned().unwrap());
            assert_eq!(tools, [program(&gcc), program(&ar), program(&gcc)], "{}", row.0);
            let beside_zig =
                World::new("aarch64-apple-darwin", &[&gcc, "zig", "cargo-zigbuild"]).select(row).unwrap();
            assert_eq!(beside_zig.origin, Origin::Zig, "{}", row.0);
        }
    }
}

#[test]
fn a_missing_compiler_is_a_one_line_error_with_variable_and_remedy() {
    for row in table() {
        let error = World::new("riscv64gc-unknown-linux-gnu", &["cc"]).select(&row).unwrap_err().to_string();
        assert!(error.contains(&row.0) && error.contains(&cc(&row.0)), "{error}");
        let remedy = if kind(&row) == Kind::Msvc { "build on Windows" } else { "run `cargo xtask setup`" };
        assert!(error.contains(remedy), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    assert_eq!(
        World::new(LINUX, &[]).select(&table()[2]).unwrap_err().to_string(),
        "no C compiler for x86_64-unknown-linux-musl: found neither zig nor x86_64-linux-musl-gcc; run \
         `cargo xtask setup`, or set CC_x86_64_unknown_linux_musl to a C compiler"
    );
}

#[test]
fn the_compiler_of_the_host_is_the_last_resort_for_the_host() {
    for row in table() {
        let selected = World::new(LINUX, &["cc"]).select(&row);
        match row.0.as_str() {
            LINUX => assert_eq!(selected.unwrap().origin, Origin::Native),
            other => assert!(selected.is_err(), "{other}"),
        }
    }
}

#[test]
fn a_mac_prefers_zig_and_builds_only_for_itself_without_it() {
    let table = table();
    let mac = "aarch64-apple-darwin";
    for row in &table[4..6] {
        let toolchain = World::new(mac, &["cc", "zig", "cargo-zigbuild"]).select(row).unwrap();
        assert_eq!(
            (toolchain.origin, toolchain.tool(&linker(&row.0))),
            (Origin::Zig, Some(&program("rust-lld")))
        );
        let without_zig = World::new(mac, &["cc"]).select(row).map(|toolchain| toolchain.origin);
        assert_eq!(without_zig.ok(), (row.0 == mac).then_some(Origin::Native));
    }
}

#[test]
fn windows_targets_use_msvc() {
    for host in ["x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"] {
        for row in table().iter().filter(|row| kind(row) == Kind::Msvc) {
            let msvc = World::new(host, &[]).select(row).unwrap();
            assert_eq!((msvc.origin, msvc.settings.len()), (Origin::Msvc, 0), "{} on {host}", row.0);
        }
    }
}

#[test]
fn only_variables_with_the_target_in_their_names_are_set() {
    let world =
        World::new(LINUX, &["zig", "cargo-zigbuild", "cc", "my-cc"]).with("CC", "my-cc").with("AR", "my-ar");
    for row in &table()[..6] {
        let toolchain = world.select(row).unwrap();
        assert_eq!(toolchain.origin, Origin::Zig, "a global CC must not select a compiler: {}", row.0);
        let name = row.0.replace('-', "_");
        for setting in &toolchain.settings {
            let variable = &setting.variable;
            assert!(variable.contains(&name) || variable.contains(&name.to_uppercase()), "{variable}");
        }
    }
}

#[test]
fn an_explicit_archiver_or_linker_takes_precedence_over_the_table() {
    let row = &table()[3];
    let world = World::new(LINUX, &["aarch64-linux-musl-gcc", "aarch64-linux-musl-ar"])
        .with("AR_aarch64-unknown-linux-musl", "my-ar")
        .with("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "my-ld");
    let toolchain = world.select(row).unwrap();
    assert_eq!(toolchain.origin, Origin::Gcc);
    assert_eq!(toolchain.tool("AR_aarch64_unknown_linux_musl"), Some(&program("my-ar")));
    assert_eq!(toolchain.tool(&linker(&row.0)), Some(&program("my-ld")));
    assert_eq!(toolchain.settings.len(), 3);
}

#[test]
fn an_explicit_compiler_must_be_installed_and_a_blank_variable_is_ignored() {
    let row = &table()[2];
    let variable = cc(&row.0);
    let error =
        World::new(LINUX, &["zig", "cargo-zigbuild"]).with(&variable, "no-cc").select(row).unwrap_err();
    assert_eq!(error, SelectError::Missing { variable: variable.clone(), program: "no-cc".to_owned() });
    let empty = World::new(LINUX, &["zig", "cargo-zigbuild"]).with(&variable, " ").select(row).unwrap();
    assert_eq!(empty.origin, Origin::Zig);
}

#[test]
fn an_explicit_compiler_with_arguments_requires_an_explicit_linker() {
    let row = &table()[1];
    let world = World::new(LINUX, &["zig"]).with(&cc(&row.0), "zig cc -target aarch64-linux-gnu");
    let error = world.select(row).unwrap_err().to_string();
    assert!(error.contains(&linker(&row.0)), "{error}");
    let toolchain = world.with(&linker(&row.0), "my-ld").select(row).unwrap();
    assert_eq!(toolchain.tool(&linker(&row.0)), Some(&program("my-ld")));
}
