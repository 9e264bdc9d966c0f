//! What a linker needs of macOS, made from what zig brings, and how rustc's own lld is told to link with it.
//!
//! zig's linker does not: of a library's symbols it exports all, and rustc's list of the few is lost on it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::tools::Zig;

/// Kinds of processors that zig's list of symbols names and that rustc's lld refuses to read.
const UNKNOWN_CPU: &str = "arm64e.x1-";

/// Rust's standard library asks for it, and nothing of it is used: with `-dead_strip_dylibs` it is not loaded.
const ICONV: &str = "\
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libiconv.2.dylib'
...
";

/// Makes the folder that `SDKROOT` names, where it is not there yet.
pub(crate) fn install(zig: &Zig) -> Result<PathBuf> {
    let sdk = zig.apple_sdk();
    if sdk.is_dir() {
        return Ok(sdk);
    }
    let source = zig.apple_libraries().join("libSystem.tbd");
    let symbols =
        fs::read_to_string(&source).with_context(|| format!("{} cannot be read", source.display()))?;
    let folder = sdk.parent().unwrap_or(Path::new("."));
    let made =
        tempfile::tempdir_in(folder).with_context(|| format!("{} cannot be written", folder.display()))?;
    let library = made.path().join("sdk/usr/lib");
    fs::create_dir_all(&library)?;
    let system = without_unknown_cpus(&symbols);
    // libSystem is all of them: the other two are names of it.
    for (name, content) in
        [("libSystem", system.as_str()), ("libc", &system), ("libm", &system), ("libiconv", ICONV)]
    {
        fs::write(library.join(format!("{name}.tbd")), content)?;
    }
    // Whole or not at all. Where another process was faster, its folder is as good.
    match fs::rename(made.path().join("sdk"), &sdk) {
        Err(error) if !sdk.is_dir() => {
            Err(error).with_context(|| format!("{} cannot be written", sdk.display()))
        }
        _ => Ok(sdk),
    }
}

/// What rustc is told, so that its lld links as Apple's linker does.
pub(crate) fn rustflags() -> Vec<String> {
    [
        "-Clinker-flavor=ld64.lld",
        // Only what is used: libSystem.
        "-Clink-arg=-dead_strip_dylibs",
        // As Apple's linker signs on arm64, and on x64 where it is asked to: an unsigned library is killed on arm64.
        "-Clink-arg=-adhoc_codesign",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The list of symbols without the processors that lld does not know.
fn without_unknown_cpus(symbols: &str) -> String {
    let mut parts = symbols.split(UNKNOWN_CPU);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let before = kept.trim_end().len();
        if kept[..before].ends_with(',') {
            kept.truncate(before - 1);
            kept += rest;
        } else {
            // The first of its list.
            kept += rest.trim_start_matches([',', ' ', '\n']);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use node_audit::{Policy, audit};
    use node_targets::{Os, Target};

    use super::*;
    use crate::paths::Workspace;
    use crate::process;
    use crate::rust_std;

    /// The smallest addon, which uses Rust's standard library and so what that asks of the system.
    const ADDON: &str = "
        #[unsafe(no_mangle)]
        pub extern \"C\" fn napi_register_module_v1(_: usize, exports: usize) -> usize { print(exports) }
        #[unsafe(no_mangle)]
        pub extern \"C\" fn node_api_module_get_api_version_v1() -> i32 { 9 }
        fn print(number: usize) -> usize { println!(\"{number}\"); number }
    ";

    #[test]
    fn what_is_linked_here_passes_the_audit_and_is_the_same_twice() {
        let workspace = Workspace::find().unwrap();
        let Some(zig) = Zig::find(&workspace).unwrap() else {
            println!("skipped: zig is not there: cargo xtask setup");
            return;
        };
        let sdk = install(&zig).unwrap();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            fs::write(folder.path().join("addon.rs"), ADDON).unwrap();
        }
        for target in node_targets::targets().iter().filter(|target| target.os == Os::Darwin) {
            if !rust_std::is_there(&workspace, target).unwrap() {
                println!("skipped: Rust has no standard library for {target}: cargo xtask setup");
                continue;
            }
            let [addon, again] =
                folders.each_ref().map(|folder| link(&workspace, target, &sdk, folder.path()));
            assert!(fs::read(&addon).unwrap() == fs::read(again).unwrap(), "{target}: two links differ");
            let report = audit(&addon, &Policy::for_target(target)).unwrap();
            assert!(!report.has_errors(), "{}", node_audit::table(&[report], 110));
        }
    }

    fn link(workspace: &Workspace, target: &Target, sdk: &Path, folder: &Path) -> PathBuf {
        let addon = folder.join(target.artifact_file());
        let mut rustc = process::command("rustc");
        // In the workspace, for its Rust.
        rustc.current_dir(workspace.root()).args([
            "--edition=2024",
            "--crate-type=cdylib",
            "-Cstrip=symbols",
        ]);
        rustc.args(["--target", &target.triple, "-Clinker=rust-lld", "-Clink-arg=-install_name"]);
        rustc.arg(format!("-Clink-arg=@rpath/{}", target.artifact_file())).args(rustflags());
        rustc.arg(format!("--remap-path-prefix={}=/addon", folder.display()));
        rustc.arg(folder.join("addon.rs")).arg("-o").arg(&addon);
        rustc.env("SDKROOT", sdk).env("MACOSX_DEPLOYMENT_TARGET", target.floor.unwrap().to_string());
        process::capture(rustc).unwrap();
        addon
    }

    #[test]
    fn processors_that_lld_does_not_know_leave_whole_lists_behind() {
        let list = "targets: [ x86_64-macos, arm64e-macos,\n    arm64e.x1-macos, arm64e.x1-maccatalyst ]\n";
        assert_eq!(without_unknown_cpus(list), "targets: [ x86_64-macos, arm64e-macos ]\n");
        let first = "- targets: [ arm64e.x1-macos, arm64-macos, arm64e.x1-maccatalyst, arm64e-macos ]";
        assert_eq!(without_unknown_cpus(first), "- targets: [ arm64-macos, arm64e-macos ]");
        assert_eq!(without_unknown_cpus("symbols: [ _a ]"), "symbols: [ _a ]");
    }
}
