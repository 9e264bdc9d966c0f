# How cargo is called for a release on top of the workspace's own profile: { triple, toolchain, vendored } -> { arguments,
# environment, programs }. The same for the registry crates and for the workspace's, or the former are compiled again.
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
    # CARGO_TARGET_<triple>_LINKER would also reach build scripts and proc macros of the build machine's own triple, without
    # the other flags.
    "-Clinker=${toolchain.linker}"
    # No store path of the registry's sources in the addon.
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
      # To be split off: see fixup.nix.
      CARGO_PROFILE_RELEASE_DEBUG = "line-tables-only";
      CARGO_PROFILE_RELEASE_STRIP = "none";
    }
    // lib.optionalAttrs isApple { CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO = "packed"; };
  # dsymutil, which rustc calls after each link of a macOS library.
  programs = lib.optional isApple (lib.getBin pkgs.llvm);
}
