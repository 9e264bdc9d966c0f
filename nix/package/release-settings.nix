# The settings that a release adds to the workspace's cargo profile: { triple, toolchain, vendored } -> { arguments,
# environment, programs }. Both Rust layers need the same settings; otherwise cargo recompiles the registry crates.
{ pkgs }:
{
  triple,
  toolchain,
  vendored,
}:
let
  inherit (pkgs) lib nodeEnv;
  row = nodeEnv.target triple;
  isApple = row.os == "darwin";
  rustflags = [
    # With CARGO_TARGET_<triple>_LINKER, cargo would also link build scripts and proc macros if the target is the build
    # machine's triple, but without the other flags.
    "-Clinker=${toolchain.linker}"
    # Keeps the store path of the registry's sources out of the addon.
    "--remap-path-prefix=${vendored}=/vendored"
  ]
  ++ row.rustFlags;
in
{
  # --config adds to the flags of .cargo/config.toml; RUSTFLAGS would replace them.
  arguments = lib.escapeShellArgs [
    "--config"
    "target.${triple}.rustflags=${builtins.toJSON rustflags}"
  ];
  environment =
    toolchain.environment
    // {
      RUSTC_WRAPPER = pkgs.writeTextFile {
        name = "rustc-wrapper";
        executable = true;
        text = lib.replaceStrings [ "#!/bin/sh" ] [ "#!${pkgs.runtimeShell}" ] (
          builtins.readFile ../lib/rustc-wrapper.sh
        );
      };
      # fixup.nix splits the debug information off.
      CARGO_PROFILE_RELEASE_DEBUG = "line-tables-only";
      CARGO_PROFILE_RELEASE_STRIP = "none";
    }
    // lib.optionalAttrs isApple { CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO = "packed"; };
  # rustc calls dsymutil after it links a macOS library.
  programs = lib.optional isApple (lib.getBin pkgs.llvm);
}
