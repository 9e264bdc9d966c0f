//! How the addon is linked, decided from the target alone.

use std::env;

fn main() {
    // napi-derive writes the type definitions as its macros expand, so a new folder must expand them again.
    println!("cargo:rerun-if-env-changed=NAPI_TYPE_DEF_TMP_FOLDER");
    println!("cargo:rerun-if-changed=build.rs");

    let os = target("OS");
    let vendor = target("VENDOR");
    // With napi's `dyn-symbols` no Node-API symbol is left to the linker. What napi_build adds for macOS (a bare
    // `-Wl`, which lld refuses) and for windows-gnu (a libnode.dll to link) would only break those links.
    if vendor != "apple" && os != "windows" {
        napi_build::setup();
    }
    // An addon that is unloaded with its last worker leaves thread-local destructors behind that point into
    // unmapped code. napi_build asks for this on gnu targets only; musl needs it as well.
    if target("FAMILY").split(',').any(|family| family == "unix") && vendor != "apple" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    // The linker's own choice is the path of its output, a folder of the build machine. Two arguments, as both lld and
    // Apple's compiler take them.
    if vendor == "apple" {
        let cpu = if target("ARCH") == "aarch64" { "arm64" } else { "x64" };
        println!("cargo:rustc-cdylib-link-arg=-install_name");
        println!("cargo:rustc-cdylib-link-arg=@rpath/bindings_node.darwin-{cpu}.node");
    }
}

fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default()
}
