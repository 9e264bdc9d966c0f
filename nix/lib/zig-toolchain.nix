# zig as C compiler of one target, and as linker of those for Linux, by a fixed wrapper over `cargo-zigbuild zig`, which
# translates the arguments that zig lacks. (`cargo zigbuild` itself writes a linker into a cache directory, whose path cargo
# takes into each fingerprint.) rustc's own lld links for macOS.
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
      # For rustc-wrapper.sh.
      TARGET_SDKROOT = appleSdk;
      "MACOS_FLOOR_${lib.replaceStrings [ "-" ] [ "_" ] triple}" = row.floor;
    }
    # The crate cc asks xcrun where no SDK is named. On a Mac, nixpkgs' stdenv names its own.
    // lib.optionalAttrs (!pkgs.stdenv.hostPlatform.isDarwin) { SDKROOT = appleSdk; };
  }
)
