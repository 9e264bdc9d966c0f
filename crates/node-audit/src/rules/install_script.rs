//! Checks that npm runs no script on installation that compiles or downloads the addon.

use super::rule::Problem;
use crate::finding::Severity;
use crate::install_program::InstallProgram;
use crate::javascript::downloads;
use crate::package_contents::PackageContents;
use crate::platform_package::platform_packages;
use crate::reason::NPM_RUNS;
use crate::script_files::files_of;

/// Returns the problems with scripts that npm runs on installation.
pub(super) fn check(package: &PackageContents) -> Vec<Problem> {
    let mut problems: Vec<Problem> = package
        .manifest
        .install_scripts()
        .map(|(name, script)| {
            let remedy = "ship prebuilt addons that the loader finds without a script, and remove the script";
            problem(message(package, script), format!("scripts.{name}: {script}"), remedy)
        })
        .collect();
    let replaces_gyp = |(name, _): (&str, &str)| name == "install" || name == "preinstall";
    if package.has_gyp() && !package.manifest.install_scripts().any(replaces_gyp) {
        let message = format!("{NPM_RUNS}node-gyp when it installs the package; node-gyp compiles the addon");
        let evidence = "a binding.gyp, without an install script or \"gypfile\": false in package.json";
        let remedy = "leave binding.gyp out of the package, or set \"gypfile\": false";
        problems.push(problem(message, evidence.to_owned(), remedy));
    }
    if package.installed {
        for problem in &mut problems {
            problem.remedy =
                "install the package with --ignore-scripts if it works without its scripts, and ask its authors for \
                              prebuilt addons"
                    .to_owned();
        }
    }
    problems
}

/// Returns the script that downloads the addon when npm installs the package; None for an installed package.
pub(crate) fn download(package: &PackageContents) -> Option<String> {
    let scripts = package.manifest.install_scripts().filter(|_| !package.installed);
    let mut scripts = scripts.filter(|(_, script)| download_of(package, script).is_some());
    scripts.next().map(|(_, script)| script.to_owned())
}

fn message(package: &PackageContents, script: &str) -> String {
    let program = InstallProgram::of(script);
    let name = program.map_or("a script", |program| program.name);
    let start = format!("{NPM_RUNS}{name} when it installs the package");
    // A loader prefers an addon with the system in its name. An installed package already has the downloaded file.
    let is_elsewhere = if package.addons.iter().any(|addon| addon.is_claimed) {
        ", so the file that Node will load may not be in this package"
    } else {
        ", so the file that Node will load is not in this package"
    };
    match (program, download_of(package, script)) {
        (Some(InstallProgram { name, effect, .. }), Some(_)) if !package.installed => {
            format!("{start}; {name} {effect}{is_elsewhere}")
        }
        (Some(InstallProgram { name, effect, .. }), _) => format!("{start}; {name} {effect}"),
        (None, Some(sign)) if !package.installed => {
            format!("{start}; the script downloads a file ({sign}){is_elsewhere}")
        }
        (None, _) => start,
    }
}

/// Returns the sign that a script downloads the addon: a known program, or a word in the command or in a file that it
/// runs.
fn download_of(package: &PackageContents, script: &str) -> Option<String> {
    if let Some(program) = InstallProgram::of(script) {
        return program.downloads.then(|| program.name.to_owned());
    }
    // Platform packages contain the addon, and such a script only repairs an installation.
    if !platform_packages(&package.manifest).is_empty() {
        return None;
    }
    if let Some(sign) = downloads(script) {
        return Some(sign.trim_end_matches(['(', ' ']).to_owned());
    }
    let in_file = files_of(script).into_iter().find_map(|file| {
        let script = package.javascript.iter().find(|script| script.path == file)?;
        let sign = script.download?.trim_end_matches(['(', ' ']);
        Some(format!("{file} has {sign}"))
    });
    // The file name is the sign: `node download-lib.js`.
    in_file.or_else(|| script.to_ascii_lowercase().contains("download").then(|| "by its name".to_owned()))
}

fn problem(message: String, evidence: String, remedy: &str) -> Problem {
    Problem { severity: Severity::Warning, message, evidence, remedy: remedy.to_owned() }
}
