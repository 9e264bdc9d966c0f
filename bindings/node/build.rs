//! Sets the addon's linker arguments, which depend on the target alone.

use std::env;

fn main() {
    // napi-derive writes the type definitions while its macros expand, so that a new folder requires a new expansion.
    println!("cargo:rerun-if-env-changed=NAPI_TYPE_DEF_TMP_FOLDER");
    println!("cargo:rerun-if-changed=build.rs");

    let os = target("OS");
    let vendor = target("VENDOR");
    // With napi's `dyn-symbols` the linker resolves no Node-API symbol. The arguments of napi_build for macOS (a bare
    // `-Wl`, which lld refuses) and for windows-gnu (a libnode.dll) would break the link.
    if vendor != "apple" && os != "windows" {
        napi_build::setup();
    }
    // An addon that is unloaded with its last worker leaves thread-local destructors behind, which point into unmapped
    // code. napi_build sets this flag for gnu targets only; musl needs it as well.
    if target("FAMILY").split(',').any(|family| family == "unix") && vendor != "apple" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    // By default the linker writes its output's path, a folder of the build machine. Both lld and Apple's compiler take
    // the name as a second argument.
    if vendor == "apple" {
        let cpu = if target("ARCH") == "aarch64" { "arm64" } else { "x64" };
        println!("cargo:rustc-cdylib-link-arg=-install_name");
        println!("cargo:rustc-cdylib-link-arg=@rpath/bindings_node.darwin-{cpu}.node");
    }
}

fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default()
}
