//! Tests how `bindings/node/scripts/npm.mjs` finds npm on Windows, where npm is a batch file.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// Returns npmCommand's result for a platform and a path of Node, as JSON.
fn npm_command(platform: &str, node: &Path) -> Output {
    let module = crate::folder().join("../../../bindings/node/scripts/npm.mjs").canonicalize().unwrap();
    let script = "const [, module, platform, node] = process.argv
const { npmCommand } = await import((await import('node:url')).pathToFileURL(module))
console.log(JSON.stringify(npmCommand(platform, node)))";
    let mut command = Command::new("node");
    command.args(["--input-type=module", "--eval", script]).arg(module).arg(platform).arg(node);
    command.stdin(Stdio::null()).output().unwrap()
}

fn parsed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Writes an npm whose `npm prefix --global` prints a folder.
fn write_npm(folder: &Path, prefix: &str) -> String {
    let bin = folder.join("node_modules/npm/bin");
    fs::create_dir_all(&bin).unwrap();
    let script =
        format!("if (process.argv.slice(2).join() === 'prefix,--global') console.log({})", json!(prefix));
    fs::write(bin.join("npm-cli.js"), script).unwrap();
    bin.join("npm-cli.js").to_str().unwrap().to_owned()
}

#[test]
fn node_runs_the_script_of_npm_on_windows() {
    let folder = tempfile::tempdir().unwrap();
    let (nodejs, global) = (folder.path().join("node js"), folder.path().join("global"));
    fs::create_dir_all(&nodejs).unwrap();
    let node = nodejs.join("node.exe");
    let find = Command::new("node").args(["--print", "process.execPath"]).output().unwrap();
    let real = String::from_utf8(find.stdout).unwrap();
    fs::hard_link(real.trim(), &node).or_else(|_| fs::copy(real.trim(), &node).map(drop)).unwrap();

    let missing = npm_command("win32", &node);
    let error = String::from_utf8(missing.stderr).unwrap();
    assert!(
        !missing.status.success() && error.contains("npm-cli.js does not exist: install Node with npm"),
        "{error}"
    );

    let beside = write_npm(&nodejs, global.to_str().unwrap());
    assert_eq!(parsed(&npm_command("win32", &node)), json!([node, beside]));
    // `npm install --global npm` installs a newer npm there, and npm.cmd starts that npm.
    let installed = write_npm(&global, "unused");
    assert_eq!(parsed(&npm_command("win32", &node)), json!([node, installed]));
}

#[test]
fn other_platforms_start_npm_from_path() {
    for platform in ["linux", "darwin"] {
        assert_eq!(parsed(&npm_command(platform, Path::new("/nowhere/node"))), json!(["npm"]));
    }
}
