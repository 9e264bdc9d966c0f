# The target table as Nix needs it: triples, platform names, and the environment that selects a target's toolchain. Made
# from `lib` alone, so that no package set is evaluated for it.
{ lib, table }:
let
  inherit (import ./target-table.nix { inherit lib; } table) targets;
  unknownTarget =
    triple:
    "nodeEnv: no target ${triple} in targets.json. It has ${lib.concatStringsSep ", " (lib.attrNames targets)}.";
  notBuilt =
    systems: triple:
    "mkNode: ${triple} is built on ${lib.concatStringsSep ", " (target triple).buildHosts}, and mkNode was given package sets of ${lib.concatStringsSep ", " systems}.";
  target = triple: targets.${triple} or (throw (unknownTarget triple));
  underscored = lib.replaceStrings [ "-" ] [ "_" ];

  # Rust's triple -> nixpkgs' name of the package set for it, under pkgsCross.
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

  # zig's name of a target and of the oldest glibc or macOS: "x86_64-unknown-linux-gnu" -> "x86_64-linux-gnu.2.28",
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
      "nodeEnv.zigTarget: zig compiles for Linux and macOS, with a floor in targets.json except for musl; not for ${triple}";
    "${lib.head (lib.splitString "-" triple)}-${system.${row.os}}";

  # The floor of a target, as a policy file of node-audit names it.
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

  # What node-audit must find in an addon of a target whose C has the flags of targets.json.
  auditHardening =
    triple:
    let
      inherit (target triple) cFlags;
    in
    {
      stack-protector = lib.any (lib.hasPrefix "-fstack-protector") cFlags;
      fortify = lib.any (flag: lib.hasPrefix "-D_FORTIFY_SOURCE=" flag && !lib.hasSuffix "=0" flag) cFlags;
    };

  # The package set whose compiler compiles for a triple: `pkgs` itself for the build machine's triple and for zig.
  crossPkgsFor =
    pkgs: triple:
    let
      isCross = (target triple).toolchain == "cross" && triple != pkgs.stdenv.hostPlatform.rust.rustcTarget;
      unnamed = throw "nodeEnv.crossPkgsFor: no name under pkgsCross for ${triple}; add it to nix/lib/node-env.nix";
    in
    if isCross then pkgs.pkgsCross.${crossSystems.${triple} or unnamed} else pkgs;

  # The file that cargo makes of a cdylib.
  libraryName = triple: crate: "lib${crate}.${if (target triple).os == "darwin" then "dylib" else "so"}";

  # What the C of a target is compiled with: { cc, cxx, ar, ranlib }, names on PATH, and the flags of targets.json. Every
  # variable carries the target's suffix: a plain CC would reach the build scripts of the build machine as well.
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

  # The -sys crates' own escapes: they link what the C layer installed and compile nothing. No feature changes.
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

  # The part of .cargo/config.toml that a build for one target reads: a flag of another target must not recompile its C.
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
