# The target table for Nix: triples, platform names, and the environment that selects a target's toolchain. This file
# depends only on `lib`, so reading the table evaluates no package set.
{ lib, table }:
let
  inherit (import ./target-table.nix { inherit lib; } table) targets;
  unknownTarget =
    triple:
    "nodeEnv: targets.json has no target ${triple}; known targets: ${lib.concatStringsSep ", " (lib.attrNames targets)}";
  notBuilt =
    systems: triple:
    "mkNode: ${triple} builds on ${lib.concatStringsSep ", " (target triple).buildHosts}, but mkNode has package sets only for ${lib.concatStringsSep ", " systems}; add a build host to targets.json, or a package set";
  target = triple: targets.${triple} or (throw (unknownTarget triple));
  underscored = lib.replaceStrings [ "-" ] [ "_" ];

  # Rust's triple -> the package set's name in pkgsCross.
  crossSystems = {
    aarch64-unknown-linux-musl = "aarch64-multiplatform-musl";
    x86_64-unknown-linux-musl = "musl64";
  };
in
{
  inherit
    targets
    target
    unknownTarget
    notBuilt
    ;

  # "x86_64-unknown-linux-gnu" -> "linux-x64-gnu"
  platformName = triple: (target triple).platform;

  # zig's name for a target with its floor: "x86_64-unknown-linux-gnu" -> "x86_64-linux-gnu.2.28",
  # "x86_64-apple-darwin" -> "x86_64-macos.10.15-none"
  zigTarget =
    triple:
    let
      row = target triple;
      abi = {
        glibc = "gnu.${row.floor}";
        musl = "musl";
      };
      system = {
        linux = "linux-${abi.${row.libc}}";
        darwin = "macos.${row.floor}-none";
      };
    in
    assert lib.assertMsg (system ? ${row.os} && (row.libc == "musl" || row.floor != null))
      "nodeEnv.zigTarget: ${triple} cannot use zig, which needs Linux or macOS and, except for musl, a floor; correct its row in targets.json";
    "${lib.head (lib.splitString "-" triple)}-${system.${row.os}}";

  # A target's floor, in the format of a node-audit policy.
  auditFloors =
    triple:
    let
      row = target triple;
      name = {
        linux = "glibc";
        darwin = "macos-${row.cpu}";
      };
    in
    lib.optionalAttrs (row.floor != null) { ${name.${row.os}} = row.floor; };

  # The hardening that node-audit must find in a target's addon, derived from the C flags in targets.json.
  auditHardening =
    triple:
    let
      inherit (target triple) cFlags;
    in
    {
      stack-protector = lib.any (lib.hasPrefix "-fstack-protector") cFlags;
      fortify = lib.any (flag: lib.hasPrefix "-D_FORTIFY_SOURCE=" flag && !lib.hasSuffix "=0" flag) cFlags;
    };

  # The package set whose compiler builds for a triple: `pkgs` itself for the build machine's triple and for zig.
  crossPkgsFor =
    pkgs: triple:
    let
      isCross = (target triple).toolchain == "pkgsCross" && triple != pkgs.stdenv.hostPlatform.rust.rustcTarget;
      unnamed = throw "nodeEnv.crossPkgsFor: no pkgsCross set is known for ${triple}; add it to nix/lib/node-env.nix";
    in
    if isCross then pkgs.pkgsCross.${crossSystems.${triple} or unnamed} else pkgs;

  # The file name of the cdylib that cargo builds.
  libraryName = triple: crate: "lib${crate}.${if (target triple).os == "darwin" then "dylib" else "so"}";

  # The variables that compile a target's C with `tools`, { cc, cxx, ar, ranlib } as names on PATH, and the flags of
  # targets.json. Every variable has the target's suffix: a plain CC would also affect builds for the build machine.
  crossEnvFor =
    triple: tools:
    let
      suffix = underscored triple;
    in
    {
      CARGO_BUILD_TARGET = triple;
      "CC_${suffix}" = tools.cc;
      "CXX_${suffix}" = tools.cxx;
      "AR_${suffix}" = tools.ar;
      "RANLIB_${suffix}" = tools.ranlib;
      "CFLAGS_${suffix}" = toString (target triple).cFlags;
    };

  # The -sys crates' own variables, with which they link the C layer's libraries instead of compiling C, under the same
  # cargo features.
  prefixEnvironment =
    triple: prefix: pkg-config:
    let
      suffix = underscored triple;
    in
    {
      OPENSSL_NO_VENDOR = "1";
      OPENSSL_STATIC = "1";
      OPENSSL_DIR = prefix;
      LIBSQLITE3_SYS_USE_PKG_CONFIG = "1";
      SQLCIPHER_STATIC = "1";
      ZSTD_SYS_USE_PKG_CONFIG = "1";
      "PKG_CONFIG_${suffix}" = "${pkg-config}/bin/pkg-config";
      "PKG_CONFIG_PATH_${suffix}" = "${prefix}/lib/pkgconfig";
    };

  # The part of .cargo/config.toml that a build for one target reads. Another target's flags must not recompile its C.
  cargoConfigOf =
    triple: cargoConfig:
    removeAttrs cargoConfig [
      "alias"
      "target"
    ]
    // lib.optionalAttrs (cargoConfig ? target.${triple}) {
      target.${triple} = cargoConfig.target.${triple};
    };
}
