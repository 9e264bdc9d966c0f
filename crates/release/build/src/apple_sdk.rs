//! Makes the SDK that links macOS addons from zig's stubs, and passes the SDK to rustc.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use machine::pinned::digest_of;
use machine::{Workspace, process};
use node_targets::{Os, Target};

use crate::zig::Zig;

/// The script that makes the SDK, here and in Nix.
const SCRIPT: &str = "nix/lib/apple-sdk.sh";
/// The wrapper that passes the SDK and the oldest macOS to the target's rustc, not the host's, here and in Nix.
const RUSTC_WRAPPER: &str = "nix/lib/rustc-wrapper.sh";

/// Returns the SDK's folder, for `SDKROOT`. Makes the SDK on first use, beside the zig with its stubs.
fn install(workspace: &Workspace, zig: &Zig) -> Result<PathBuf> {
    let sdk = zig.folder.join(format!("apple-sdk-{}", digest_of(workspace, SCRIPT)?));
    if sdk.is_dir() {
        return Ok(sdk);
    }
    let scratch = workspace.scratch()?;
    let fresh = scratch.path().join("sdk");
    let stubs = zig.folder.join("ziglang/lib/libc/darwin/libSystem.tbd");
    let mut make = process::command("sh");
    process::capture(make.arg(workspace.root().join(SCRIPT)).arg(stubs).arg(&fresh)).with_context(|| {
        let folder = zig.folder.display();
        format!(
            "cannot make Apple's SDK from the zig in {folder}: remove that folder, and run cargo xtask setup"
        )
    })?;
    // The rename is atomic. If another process was faster, its folder has the same content.
    match fs::rename(&fresh, &sdk) {
        Err(error) if !sdk.is_dir() => Err(error).with_context(|| format!("cannot write {}", sdk.display())),
        _ => Ok(sdk),
    }
}

/// A macOS target, the host that links it, and the zig that compiles its C.
pub(crate) struct Link<'a> {
    pub(crate) target: &'a Target,
    pub(crate) host: &'a Target,
    /// `None` if another compiler compiles the C.
    pub(crate) zig: Option<&'a Zig>,
}

/// Returns the environment variables for cargo. A Mac links its build scripts and proc macros with its own SDK, and
/// never with the target's.
pub(crate) fn variables(workspace: &Workspace, link: &Link<'_>) -> Result<Vec<(OsString, OsString)>> {
    let Link { target, host, zig } = *link;
    let floor = target.floor.with_context(|| {
        format!("targets.json has no floor for {target}: add the oldest macOS that the addon must load on")
    })?;
    let mut variables = vec![
        ("RUSTC_WRAPPER".into(), workspace.root().join(RUSTC_WRAPPER).into()),
        (format!("MACOS_FLOOR_{}", target.underscored()).into(), floor.to_string().into()),
    ];
    variables.extend(env::var_os("RUSTC_WRAPPER").map(|inner| ("INNER_RUSTC_WRAPPER".into(), inner)));
    if let Some(zig) = zig {
        let sdk = install(workspace, zig)?;
        variables.push(("TARGET_SDKROOT".into(), sdk.clone().into()));
        // Without SDKROOT, the crate cc calls xcrun, which only a Mac has.
        if host.os != Os::Darwin {
            variables.push(("SDKROOT".into(), sdk.into()));
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use machine::{make_executable, rust_std};
    use node_audit::{Signature, read_facts};

    use super::*;
    use crate::toolchain::BuildTools;

    /// The smallest addon that links Rust's standard library, and therefore the system libraries that the standard
    /// library needs.
    const ADDON: &str = "
        #[unsafe(no_mangle)]
        pub extern \"C\" fn napi_register_module_v1(_: usize, exports: usize) -> usize { print(exports) }
        #[unsafe(no_mangle)]
        pub extern \"C\" fn node_api_module_get_api_version_v1() -> i32 { 9 }
        fn print(number: usize) -> usize { println!(\"{number}\"); number }
    ";

    /// Returns zig, and the macOS targets whose standard library is installed.
    fn tools(workspace: &Workspace) -> Option<(Zig, Vec<&'static Target>)> {
        let Some(zig) = Zig::find(workspace).unwrap() else {
            println!("skipped: zig is not installed: run cargo xtask setup");
            return None;
        };
        let macos = node_targets::targets().iter().filter(|target| target.os == Os::Darwin);
        let (there, missing): (Vec<_>, Vec<_>) =
            macos.partition(|target| rust_std::is_installed(workspace, &target.triple).unwrap());
        for target in missing {
            println!("skipped: Rust's standard library for {target} is not installed: run cargo xtask setup");
        }
        Some((zig, there))
    }

    /// Links a small addon; `cargo xtask dist` audits a complete one.
    #[test]
    fn a_linked_addon_needs_only_libsystem_is_signed_and_is_reproducible() {
        let workspace = Workspace::find().unwrap();
        let Some((zig, targets)) = tools(&workspace) else { return };
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            fs::write(folder.path().join("addon.rs"), ADDON).unwrap();
        }
        for target in targets {
            let [addon, again] =
                folders.each_ref().map(|folder| link(&workspace, target, &zig, folder.path()));
            let content = fs::read(&addon).unwrap();
            assert!(content == fs::read(again).unwrap(), "{target}: two links differ");
            let facts = read_facts(&addon, &content).unwrap().remove(0);
            assert_eq!(facts.libraries, ["/usr/lib/libSystem.B.dylib"], "{target}");
            assert_eq!(facts.exports, ["napi_register_module_v1", "node_api_module_get_api_version_v1"]);
            let macho = facts.macho().unwrap();
            assert_eq!(macho.min_os, target.floor, "{target}");
            assert_eq!(macho.signature, Signature::Valid { adhoc: true }, "{target}");
            assert_eq!(macho.install_name, Some(format!("@rpath/{}", target.artifact_file())));
        }
    }

    fn link(workspace: &Workspace, target: &Target, zig: &Zig, folder: &Path) -> PathBuf {
        let addon = folder.join(target.artifact_file());
        let mut rustc = process::command(workspace.root().join(RUSTC_WRAPPER));
        // rustup selects the workspace's toolchain.
        rustc.current_dir(workspace.root()).args([
            "rustc",
            "--edition=2024",
            "--crate-type=cdylib",
            "-Cstrip=symbols",
        ]);
        rustc.args(["--target", &target.triple, "-Clinker=rust-lld", "-Clink-arg=-install_name"]);
        rustc.arg(format!("-Clink-arg=@rpath/{}", target.artifact_file())).args(&target.rust_flags);
        rustc.arg(format!("--remap-path-prefix={}=/addon", folder.display()));
        rustc.arg(folder.join("addon.rs")).arg("-o").arg(&addon);
        let link = Link { target, host: node_targets::host().unwrap(), zig: Some(zig) };
        rustc.envs(variables(workspace, &link).unwrap()).env_remove("NIX_BUILD_TOP");
        process::capture(rustc).unwrap();
        addon
    }

    #[test]
    fn the_wrapper_hides_nixs_build_directory_and_keeps_the_users_own_wrapper() {
        let mut wrapper = process::command(Workspace::find().unwrap().root().join(RUSTC_WRAPPER));
        wrapper.args(["rustc", "--target", "x86_64-unknown-linux-gnu"]);
        wrapper.env("INNER_RUSTC_WRAPPER", "echo").env("NIX_BUILD_TOP", "/tmp/nix-build-1");
        assert_eq!(
            process::capture(wrapper).unwrap(),
            "rustc --target x86_64-unknown-linux-gnu --remap-path-prefix=/tmp/nix-build-1=/strongroom"
        );
    }

    /// Imitates rustc on a Mac: reports a Mac as its host, and compiles each host crate twice. The macOS build logs how
    /// the crate is linked; cargo runs or loads the build for this machine.
    const RUSTC_ON_A_MAC: &str = r#"#!/bin/sh
set -eu
here=${0%/*}
case " $* " in
  *" -vV "*) rustc -vV | sed 's/^host: .*/host: aarch64-apple-darwin/'; exit ;;
  *" --print=file-names "* | *" - --crate-name "*) exec rustc "$@" ;;
esac
previous='' for_target=''
for argument; do
  shift
  [ "$argument" != --target ] || for_target=1
  case $argument in -Clinker=rust-lld) argument=-Clinker=$here/lld ;; esac
  set -- "$@" "$argument"
done
if [ -n "$for_target" ]; then exec rustc "$@"; fi
(
  for argument; do
    shift
    case $previous in --out-dir) argument=$here/out ;; esac
    previous=$argument
    set -- "$@" "$argument"
  done
  PATH=$here/linkers:$PATH exec rustc --target aarch64-apple-darwin "$@"
)
exec rustc "$@"
"#;

    /// Logs its arguments and the SDK, and writes an output file.
    const CC: &str = r#"#!/bin/sh
echo "SDKROOT=$SDKROOT $*" >>"${0%/*}/../cc.log"
previous=''
for argument; do
  case $previous in -o) : >"$argument" ;; esac
  previous=$argument
done
"#;

    /// Logs its arguments, and runs the lld of the rustc that calls it.
    const LLD: &str = "#!/bin/sh\necho \"$*\" >>\"${0%/*}/lld.log\"\nexec rust-lld \"$@\"\n";

    /// On a Mac, the host and the target can be the same triple. In that case, cargo linked the build scripts and proc
    /// macros with the target's linker, which cannot link programs for the Mac itself, and with the target's SDK, which
    /// has no headers.
    #[test]
    fn a_mac_links_build_scripts_and_proc_macros_with_its_own_compiler_and_sdk() {
        let workspace = Workspace::find().unwrap();
        let Some((zig, targets)) = tools(&workspace) else { return };
        let Some(target) = targets.into_iter().find(|target| target.platform == "darwin-arm64") else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for name in ["linkers", "out", "Mac.sdk"] {
            fs::create_dir(here.join(name)).unwrap();
        }
        for (name, text) in [("rustc", RUSTC_ON_A_MAC), ("lld", LLD), ("linkers/cc", CC)] {
            fs::write(here.join(name), text).unwrap();
            make_executable(&here.join(name)).unwrap();
        }
        let tools = BuildTools::on_host(&workspace, target, target).unwrap();
        let flags = serde_json::to_string(&tools.rustflags).unwrap();
        let mut cargo = process::command("cargo");
        cargo.current_dir(workspace.root().join("nix/checks/linkers"));
        cargo.args(["build", "--offline", "--locked", "--release", "--target", &target.triple, "--config"]);
        cargo.arg(format!("target.{}.rustflags={flags}", target.triple));
        cargo.env("RUSTC", here.join("rustc")).env("CARGO_TARGET_DIR", here.join("target"));
        cargo.env("SDKROOT", here.join("Mac.sdk")).env_remove("MACOSX_DEPLOYMENT_TARGET");
        // rustup sets RUSTUP_TOOLCHAIN for tests; here the variable would select the workspace's compiler.
        cargo.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo.envs(tools.variables);
        process::capture(cargo).unwrap();

        let log = |name: &str| fs::read_to_string(here.join(name)).unwrap();
        let (native, lld) = (log("cc.log"), log("lld.log"));
        let own_sdk = format!("SDKROOT={}", here.join("Mac.sdk").display());
        let sdk = install(&workspace, &zig).unwrap().display().to_string();
        assert_eq!(native.lines().count(), 2, "{native}");
        assert!(native.contains("build_script_build") && native.contains("libnames"), "{native}");
        for line in native.lines() {
            assert!(line.starts_with(&own_sdk) && !line.contains(&sdk), "{line}");
        }
        assert_eq!(lld.lines().count(), 1, "{lld}");
        assert!(lld.contains(&format!("-syslibroot {sdk}")) && lld.contains("liblinkers"), "{lld}");
        assert!(lld.contains("-platform_version macos 11.0"), "{lld}");
    }
}
