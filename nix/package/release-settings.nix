# How cargo is called for a release on top of the workspace's own profile: { triple, vendored } -> { environment,
# arguments }. The same for the registry crates and for the workspace's, or the former are compiled again.
{ lib, nodeEnv }:
{ triple, vendored }:
let
  rustflags = [
    # From a name that ends in -ld rustc takes it that the linker is no compiler.
    "-Clinker-flavor=gcc"
    # No path of the build in the addon: the registry's sources in the store, and the sandbox's own directory.
    "--remap-path-prefix=/build=/strongroom"
    "--remap-path-prefix=${vendored}=/vendored"
  ];
  # By the configuration, to which cargo adds the flags of .cargo/config.toml: RUSTFLAGS would replace those.
  config = [
    "target.${triple}.rustflags=${builtins.toJSON rustflags}"
  ]
  ++ nodeEnv.minimumOsConfig triple;
in
{
  arguments = lib.escapeShellArgs (
    lib.concatMap (setting: [
      "--config"
      setting
    ]) config
  );
  # To be split off: see fixup.nix.
  environment = {
    CARGO_PROFILE_RELEASE_DEBUG = "line-tables-only";
    CARGO_PROFILE_RELEASE_STRIP = "none";
  }
  // lib.optionalAttrs ((nodeEnv.target triple).os == "darwin") {
    CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO = "packed";
  };
}
