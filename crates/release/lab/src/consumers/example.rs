//! The example in README.md, as a program with `import` and a program with `require`.

use std::fs;

use anyhow::{Context, Result};
use machine::Workspace;

/// The file that the example writes.
pub(super) const DATABASE: &str = "notes.db";
/// The text that the example writes, reads back and prints.
pub(super) const TEXT: &str = "what is written here is compressed, then encrypted";

/// The separator between the `import` statement and the `require` statement in the example's first line.
const OR: &str = " // or: ";

/// The two programs that the example contains.
pub(super) struct Example {
    /// The program with `import`.
    pub(super) module: String,
    /// The program with `require`.
    pub(super) script: String,
}

impl Example {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let readme =
            fs::read_to_string(workspace.root().join("README.md")).context("cannot read README.md")?;
        Self::parse(&readme).with_context(|| {
            format!(
                "README.md's first example in JavaScript does not begin with `import ...{OR}... require(...)`, or does \
                 not write `{TEXT}` into {DATABASE}: change the example, or the constants of example.rs"
            )
        })
    }

    fn parse(readme: &str) -> Option<Self> {
        let (_, block) = readme.split_once("\n```js\n")?;
        let (code, _) = block.split_once("\n```\n")?;
        let (first, rest) = code.split_once('\n')?;
        let (import, require) = first.split_once(OR)?;
        let is_example = import.starts_with("import ")
            && require.contains("require(")
            && rest.contains(TEXT)
            && rest.contains(DATABASE);
        let program = |first| format!("{first}\n{rest}\n");
        is_example.then(|| Self { module: program(import), script: program(require) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readmes_example_gives_two_programs() {
        let Example { module, script } = Example::read(&Workspace::find().unwrap()).unwrap();
        assert!(module.starts_with("import Database from 'strongroom'\n"), "{module}");
        assert!(script.starts_with("const Database = require('strongroom')\n"), "{script}");
        assert!(script.ends_with("db.close()\n"), "{script}");
    }

    #[test]
    fn an_example_of_another_shape_is_refused() {
        let code = format!("const db = new Database('{DATABASE}')\nwrite('{TEXT}')");
        let readme =
            |first: &str, code: &str| Example::parse(&format!("# S\n\n```js\n{first}\n{code}\n```\n"));
        assert!(readme("import D from 's' // or: const D = require('s')", &code).is_some());
        assert!(readme("import D from 's'", &code).is_none());
        assert!(readme("import D from 's' // or: const D = require('s')", "").is_none());
        assert!(Example::parse("# S\n").is_none());
    }
}
