//! Builds the tests of Rust crates for another platform, with the release profile and the toolchain of the platform's addon.
//!
//! The C of the addon is used again: cargo compiles the C once for each profile and target.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Artifact, Message, TargetKind};
use machine::Workspace;

use crate::addon::use_tools;
use crate::cargo::cargo;
use crate::product::Product;
use crate::toolchain::BuildTools;

/// A program that runs tests of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestProgram {
    /// `true` for the unit tests inside the crate, `false` for its integration tests.
    pub is_unit: bool,
    /// The folder of the crate, in which its tests run.
    pub folder: PathBuf,
    /// The program, for the platform.
    pub path: PathBuf,
}

/// Builds the unit tests and the integration tests of these crates for a product's target.
pub fn test_programs(workspace: &Workspace, product: &Product, crates: &[&str]) -> Result<Vec<TestProgram>> {
    let tools = BuildTools::for_product(workspace, product)?;
    let mut cargo = cargo(workspace, "test", crates, &[product.target()]);
    cargo.args(["--no-run", "--tests", "--message-format=json-render-diagnostics"]);
    use_tools(workspace, &mut cargo, product, &tools)?;
    let output = workspace.run(&format!("build tests for {product}"), cargo)?;
    let programs = programs(&output)?;
    ensure!(!programs.is_empty(), "cargo built no tests of {}", crates.join(" and "));
    Ok(programs)
}

/// Returns the programs that cargo's messages name. The function ignores the other lines, which are for people.
fn programs(output: &str) -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    for message in Message::parse_stream(output.as_bytes()) {
        let Message::CompilerArtifact(artifact) = message.context("cannot read cargo's messages")? else {
            continue;
        };
        let Artifact { executable: Some(path), manifest_path, target, .. } = artifact else { continue };
        let folder = manifest_path.parent().context("a manifest's path has no folder")?.into();
        let is_unit = !target.kind.contains(&TargetKind::Test);
        programs.push(TestProgram { is_unit, folder, path: path.into() });
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_read_from_cargos_messages() {
        let artifact = |kind: &str, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///w/c#1.0.0","manifest_path":"/w/c/Cargo.toml",
                "target":{{"kind":["{kind}"],"crate_types":["bin"],"name":"n","src_path":"/w/c/s.rs","edition":"2024",
                "doc":false,"doctest":false,"test":true}},"profile":{{"opt_level":"3","debuginfo":0,
                "debug_assertions":false,"overflow_checks":false,"test":true}},"features":[],"filenames":[],
                "executable":{executable},"fresh":false}}"#
            )
            .replace('\n', "")
        };
        let output = [
            "   Compiling n v1.0.0".to_owned(),
            artifact("lib", "null"),
            artifact("lib", "\"/t/n.exe\""),
            artifact("test", "\"/t/it.exe\""),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let program = |is_unit, path: &str| TestProgram { is_unit, folder: "/w/c".into(), path: path.into() };
        assert_eq!(
            programs(&output.join("\n")).unwrap(),
            [program(true, "/t/n.exe"), program(false, "/t/it.exe")]
        );
        assert_eq!(programs("   Compiling n v1.0.0\n").unwrap(), []);
    }
}
