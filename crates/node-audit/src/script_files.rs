//! The JavaScript files of a package that may load its addon, and those that npm runs on installation.

use crate::limits::MAX_SCRIPT_FILES;
use crate::manifest::Manifest;

/// Usual names of loaders, in the package's own folder.
const LOADERS: [&str; 4] = ["index.js", "binding.js", "js-binding.js", "native.js"];

const ENDINGS: [&str; 3] = [".js", ".cjs", ".mjs"];

/// Returns the paths at which the files may be, from the package's folder on, each once.
pub(crate) fn script_files(manifest: &Manifest) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    let mut add = |path: String| {
        if files.len() < MAX_SCRIPT_FILES && !files.contains(&path) {
            files.push(path);
        }
    };
    for path in manifest.main.iter().chain(&manifest.exports).filter_map(|path| inside(path)) {
        if is_javascript(&path) {
            add(path);
        } else if !path.ends_with(".json") && !path.ends_with(".node") && !path.ends_with(".ts") {
            // A folder, or a file without its ending.
            add(format!("{path}.js"));
            add(format!("{path}/index.js"));
        }
    }
    LOADERS.iter().for_each(|loader| add((*loader).to_owned()));
    manifest.install_scripts().flat_map(|(_, script)| files_of(script)).for_each(add);
    files
}

/// Returns the JavaScript files that a command names: `scripts/postinstall.cjs` of `node scripts/postinstall.cjs`.
pub(crate) fn files_of(command: &str) -> impl Iterator<Item = String> {
    let words = command.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '|'));
    words.filter(|word| is_javascript(word)).filter_map(inside)
}

fn is_javascript(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// Returns a path without `./`, unless it leads out of the package.
fn inside(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let is_inside = !path.starts_with('/') && !parts.is_empty() && !parts.contains(&"..");
    (is_inside && !path.contains(['\\', ':'])).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(manifest: &str) -> Vec<String> {
        let mut files = script_files(&Manifest::parse(manifest.as_bytes()).unwrap());
        files.retain(|file| !LOADERS.contains(&file.as_str()));
        files
    }

    #[test]
    fn main_exports_and_scripts_name_files() {
        assert_eq!(files(r#"{"main": "./lib//main.cjs"}"#), ["lib/main.cjs"]);
        assert_eq!(files(r#"{"main": "lib/main"}"#), ["lib/main.js", "lib/main/index.js"]);
        let exports = r#"{"exports": {".": {"types": "./a.d.ts", "default": "./a.mjs"}, "./*": "./*.js", "./package.json": "./package.json"}}"#;
        assert_eq!(files(exports), ["a.mjs"]);
        let script =
            r#"{"scripts": {"postinstall": "node ./scripts/get.cjs --x || exit 0", "test": "node t.js"}}"#;
        assert_eq!(files(script), ["scripts/get.cjs"]);
        assert_eq!(script_files(&Manifest::default()), LOADERS);
    }

    #[test]
    fn no_file_is_outside_of_the_package() {
        for path in ["../x.js", "/etc/x.js", "a/../../x.js", "C:\\\\x.js", "x.node", ".", ""] {
            let manifest = format!(r#"{{"main": "{path}", "scripts": {{"install": "node {path}"}}}}"#);
            assert_eq!(files(&manifest), [""; 0], "{path}");
        }
        let many = (0..200).map(|number| format!("\"./{number}.js\"")).collect::<Vec<_>>().join(",");
        assert_eq!(
            script_files(&Manifest::parse(format!(r#"{{"exports": [{many}]}}"#).as_bytes()).unwrap()).len(),
            MAX_SCRIPT_FILES
        );
    }
}
