# zig as C compiler and linker of one Linux target, by a fixed wrapper over `cargo-zigbuild zig`, which translates the
# arguments that zig does not know. (`cargo zigbuild` itself writes a linker into a cache directory, whose path cargo
# takes into each fingerprint.)
{
  pkgs,
  nodeEnv,
  compilerWrapper,
}:
triple:
let
  zigTarget = nodeEnv.zigTarget triple;
in
compilerWrapper {
  kind = "zig";
  name = zigTarget;
  archive = "zig";
  definitions = ''
    export ZIG_GLOBAL_CACHE_DIR=''${ZIG_GLOBAL_CACHE_DIR:-''${TMPDIR:-/tmp}/zig}
    export ZIG_LOCAL_CACHE_DIR=''${ZIG_LOCAL_CACHE_DIR:-$ZIG_GLOBAL_CACHE_DIR}
    export CARGO_ZIGBUILD_ZIG_COMMAND=${pkgs.zig}/bin/zig CARGO_ZIGBUILD_ZIG_VERSION=${pkgs.zig.version}
    zig() { exec ${pkgs.cargo-zigbuild}/bin/cargo-zigbuild zig "$1" -- "''${@:2}"; }
    # -g0: zig's debug information holds store paths. -fno-sanitize: it would add a run-time library.
    compile() { zig "$1" -g0 -fno-sanitize=all -target ${zigTarget} "''${@:2}"; }
  '';
}
