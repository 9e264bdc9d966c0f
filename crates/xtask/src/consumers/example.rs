//! README.md's example, as the two programs that it stands for.

use std::fs;

use anyhow::{Context, Result};

use crate::paths::Workspace;

/// The file that the example writes.
pub(super) const DATABASE: &str = "notes.db";
/// What it writes, reads back and prints.
pub(super) const TEXT: &str = "what is written here is compressed, then encrypted";

/// What stands between the package with `import` and the one with `require`.
const OR: &str = " // or: ";

/// The same program twice.
pub(super) struct Example {
    /// With `import`.
    pub(super) module: String,
    /// With `require`.
    pub(super) script: String,
}

impl Example {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let readme =
            fs::read_to_string(workspace.root().join("README.md")).context("README.md cannot be read")?;
        Self::parse(&readme).with_context(|| {
            format!("README.md's first example in JavaScript does not begin with `import ...{OR}... require(...)`, or \
                 does not write `{TEXT}` into {DATABASE}: the tests look for that")
        })
    }

    fn parse(readme: &str) -> Option<Self> {
        let (_, block) = readme.split_once("\n```js\n")?;
        let (code, _) = block.split_once("\n```\n")?;
        let (first, rest) = code.split_once('\n')?;
        let (import, require) = first.split_once(OR)?;
        let is_known = import.starts_with("import ") && require.contains("require(");
        let is_known = is_known && rest.contains(TEXT) && rest.contains(DATABASE);
        is_known
            .then(|| Self { module: format!("{import}\n{rest}\n"), script: format!("{require}\n{rest}\n") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readmes_example_is_two_programs() {
        let Example { module, script } = Example::read(&Workspace::find().unwrap()).unwrap();
        assert!(module.starts_with("import Database from 'strongroom'\n"), "{module}");
        assert!(script.starts_with("const Database = require('strongroom')\n"), "{script}");
        assert!(script.ends_with("db.close()\n"), "{script}");
    }

    #[test]
    fn another_example_is_refused() {
        let code = format!("const db = new Database('{DATABASE}')\nwrite('{TEXT}')");
        let readme =
            |first: &str, code: &str| Example::parse(&format!("# S\n\n```js\n{first}\n{code}\n```\n"));
        assert!(readme("import D from 's' // or: const D = require('s')", &code).is_some());
        assert!(readme("import D from 's'", &code).is_none());
        assert!(readme("import D from 's' // or: const D = require('s')", "").is_none());
        assert!(Example::parse("# S\n").is_none());
    }
}
