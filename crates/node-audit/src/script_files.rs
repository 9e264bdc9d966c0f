//! Lists the JavaScript files of a package that may load its addon, and the files that npm runs on installation.

use crate::limits::MAX_SCRIPT_FILES;
use crate::manifest::Manifest;
use crate::platform_package::platform_packages;

/// The usual names of loaders, in the package's own folder.
const LOADERS: [&str; 4] = ["index.js", "binding.js", "js-binding.js", "native.js"];

const ENDINGS: [&str; 3] = [".js", ".cjs", ".mjs"];

/// Returns the paths at which the files may be, relative to the package's folder, each once.
pub(crate) fn script_files(manifest: &Manifest) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    let mut add = |path: String| {
        if files.len() < MAX_SCRIPT_FILES && !files.contains(&path) {
            files.push(path);
        }
    };
    // The rules use a loader only if the addons are in other packages.
    let has_loader = manifest.napi.is_some() || !platform_packages(manifest).is_empty();
    let loaders = manifest.main.iter().chain(&manifest.exports).filter(|_| has_loader);
    for path in loaders.filter_map(|path| inside(path)) {
        if is_javascript(&path) {
            add(path);
        } else if !path.ends_with(".json") && !path.ends_with(".node") && !path.ends_with(".ts") {
            // A folder, or a file without its extension.
            add(format!("{path}.js"));
            add(format!("{path}/index.js"));
        }
    }
    LOADERS.iter().filter(|_| has_loader).for_each(|loader| add((*loader).to_owned()));
    manifest.install_scripts().flat_map(|(_, script)| files_of(script)).for_each(add);
    files
}

/// Returns the JavaScript files that a command may run: `scripts/get.cjs` of `node scripts/get.cjs`, `install.js` and
/// `install/index.js` of `node ./install`.
pub(crate) fn files_of(command: &str) -> Vec<String> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '|');
    let words: Vec<&str> = command.split(is_between).filter(|word| !word.is_empty()).collect();
    let mut files: Vec<String> =
        words.iter().filter(|word| is_javascript(word)).filter_map(|word| inside(word)).collect();
    for pair in words.windows(2) {
        if let ["node", word] = pair
            && !word.starts_with('-')
            && !word.rsplit('/').next().is_some_and(|name| name.contains('.'))
            && let Some(path) = inside(word)
        {
            files.extend([format!("{path}.js"), format!("{path}/index.js")]);
        }
    }
    files
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

    /// Returns the files of a napi-rs package, without the usual loaders.
    fn files(fields: &str) -> Vec<String> {
        let manifest = format!(r#"{{"napi": {{}}, {fields}}}"#);
        let mut files = script_files(&Manifest::parse(manifest.as_bytes()).unwrap());
        files.retain(|file| !LOADERS.contains(&file.as_str()));
        files
    }

    #[test]
    fn main_exports_and_scripts_name_files() {
        assert_eq!(files(r#""main": "./lib//main.cjs""#), ["lib/main.cjs"]);
        assert_eq!(files(r#""main": "lib/main""#), ["lib/main.js", "lib/main/index.js"]);
        let exports =
            r#"{".": {"types": "./a.d.ts", "default": "./a.mjs"}, "./*": "./*.js", "./p": "./p.json"}"#;
        assert_eq!(files(&format!(r#""exports": {exports}"#)), ["a.mjs"]);
        let scripts =
            r#""scripts": {"postinstall": "node ./scripts/get.cjs --x || exit 0", "test": "node t.js"}"#;
        assert_eq!(files(scripts), ["scripts/get.cjs"]);
        assert_eq!(files_of("node ./script/install"), ["script/install.js", "script/install/index.js"]);
        assert_eq!(files_of("node -e 'x' && node ./x.node | node"), [""; 0]);
        assert_eq!(script_files(&Manifest::parse(br#"{"napi": {}}"#).unwrap()), LOADERS);
    }

    #[test]
    fn only_a_package_with_platform_packages_has_a_loader() {
        let files = |text: &str| script_files(&Manifest::parse(text.as_bytes()).unwrap());
        assert_eq!(files(r#"{"main": "x.js", "scripts": {"install": "node y.js"}}"#), ["y.js"]);
        assert!(
            files(r#"{"main": "x.js", "optionalDependencies": {"a-linux-x64": "1"}}"#)
                .contains(&"x.js".to_owned())
        );
    }

    #[test]
    fn files_outside_of_the_package_are_ignored() {
        for path in ["../x.js", "/etc/x.js", "a/../../x.js", "C:\\\\x.js", "x.node", ".", ""] {
            let fields = format!(r#""main": "{path}", "scripts": {{"install": "node {path}"}}"#);
            assert_eq!(files(&fields), [""; 0], "{path}");
        }
        let many = (0..200).map(|number| format!("\"./{number}.js\"")).collect::<Vec<_>>().join(",");
        assert_eq!(files(&format!(r#""exports": [{many}]"#)).len(), MAX_SCRIPT_FILES);
    }
}
