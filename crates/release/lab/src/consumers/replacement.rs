//! Strongroom in place of better-sqlite3, for a package that itself depends on better-sqlite3.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use machine::tail;

use super::manager_project::ManagerProject;
use super::release::Release;

/// The package that the projects in `bindings/node/clients/managers` depend on.
const CLIENT: &str = "client-of-better-sqlite3";

/// The manifest of the client. The registry has no better-sqlite3, so an installation fails if the manager asks for it. The
/// version range is TypeORM's, and no version of Strongroom satisfies this range.
const MANIFEST: &str = r#"{
  "name": "client-of-better-sqlite3",
  "version": "1.0.0",
  "dependencies": { "better-sqlite3": "^12.0.0" },
  "peerDependencies": { "better-sqlite3": "^12.0.0" }
}
"#;

/// Prints the result of a query if the client and the project get the same class, and the class is Strongroom's.
const PROGRAM: &str = "
const assert = require('node:assert')
const Database = require('better-sqlite3')
assert.equal(require('better-sqlite3/package.json').name, 'strongroom')
assert.equal(require('client-of-better-sqlite3'), Database)
console.log(new Database(':memory:').prepare(\"SELECT 'in its ' || 'place'\").pluck().get())
";

/// Publishes the client, a package that depends on better-sqlite3.
pub(super) fn publish_client(release: &Release<'_>, folder: &Path) -> Result<()> {
    let package = folder.join(CLIENT);
    fs::create_dir_all(&package)?;
    fs::write(package.join("package.json"), MANIFEST)?;
    fs::write(package.join("index.js"), "module.exports = require('better-sqlite3')\n")?;
    release.npm_publish(CLIENT, &package)
}

/// Installs the manager's project, and checks that the client gets Strongroom's class.
pub(super) fn test(project: &ManagerProject<'_>, registry: &str) -> Result<()> {
    project.install_copy(registry)?;
    let output = project.run_script("better-sqlite3 is Strongroom", PROGRAM)?;
    let name = &project.name;
    ensure!(
        output.contains("in its place"),
        "{name}: the program did not print `in its place`; its output:{}",
        tail(&output)
    );
    Ok(())
}
