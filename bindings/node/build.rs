//! Sets the addon's linker arguments, which depend only on the target.

use std::env;

fn main() {
    // napi-derive writes the type definitions into this folder when its macros expand. A new folder requires a rebuild.
    println!("cargo:rerun-if-env-changed=NAPI_TYPE_DEF_TMP_FOLDER");
    println!("cargo:rerun-if-changed=build.rs");

    let os = target("OS");
    let vendor = target("VENDOR");
    // With napi's feature `dyn-symbols`, the linker has no Node-API symbols to resolve. The arguments that napi_build
    // adds for macOS (a bare `-Wl`, which lld refuses) and for windows-gnu (a libnode.dll) would break the link.
    if vendor != "apple" && os != "windows" {
        napi_build::setup();
    }
    // Node unloads an addon when the last worker that uses the addon ends. Thread-local destructors would then point
    // into unmapped code, so `nodelete` keeps the addon mapped. napi_build sets the flag only for gnu targets; musl
    // needs the flag too.
    if target("FAMILY").split(',').any(|family| family == "unix") && vendor != "apple" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    // The default install name is the output path, which contains a folder of the build machine. lld and Apple's
    // compiler both take the name as a separate argument.
    if vendor == "apple" {
        let cpu = if target("ARCH") == "aarch64" { "arm64" } else { "x64" };
        println!("cargo:rustc-cdylib-link-arg=-install_name");
        println!("cargo:rustc-cdylib-link-arg=@rpath/bindings_node.darwin-{cpu}.node");
    }
}

fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default()
}
