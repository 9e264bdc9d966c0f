# zig as a target's C compiler, and for Linux also as its linker. rustc's own lld links for macOS. The wrapper calls
# `cargo-zigbuild zig`, which translates arguments that zig lacks. `cargo zigbuild` isn't used: its linker is a file in
# a cache directory, and cargo includes that path in each fingerprint.
{
  pkgs,
  nodeEnv,
  compilerWrapper,
}:
triple:
let
  inherit (pkgs) lib;
  row = nodeEnv.target triple;
  name = nodeEnv.zigTarget triple;
  appleSdk = import ./apple-sdk.nix { inherit pkgs; };
in
compilerWrapper (
  {
    kind = "zig";
    inherit name;
    definitions = ''
      zig=${pkgs.zig}/bin/zig zig_version=${pkgs.zig.version} zig_target=${name}
      cargo_zigbuild=${pkgs.cargo-zigbuild}/bin/cargo-zigbuild
      export ZIG_GLOBAL_CACHE_DIR=''${ZIG_GLOBAL_CACHE_DIR:-''${TMPDIR:-/tmp}/zig}
      export ZIG_LOCAL_CACHE_DIR=''${ZIG_LOCAL_CACHE_DIR:-$ZIG_GLOBAL_CACHE_DIR}
      ${builtins.readFile ./zig.sh}
    '';
  }
  // lib.optionalAttrs (row.os == "darwin") {
    linker = "rust-lld";
    environment = {
      # rustc-wrapper.sh reads these variables.
      TARGET_SDKROOT = appleSdk;
      "MACOS_FLOOR_${lib.replaceStrings [ "-" ] [ "_" ] triple}" = row.floor;
    }
    # Without SDKROOT, the crate cc calls xcrun. On a Mac, nixpkgs' stdenv sets the variable.
    // lib.optionalAttrs (!pkgs.stdenv.hostPlatform.isDarwin) { SDKROOT = appleSdk; };
  }
)
