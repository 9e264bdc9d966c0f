# The target table as Nix needs it: triples, platform names, and the environment that selects a target's toolchain.
{ lib, table }:
let
  inherit (import ./target-table.nix { inherit lib; } table) targets;
  unknownTarget =
    triple:
    "nodeEnv: no target ${triple} in targets.json. It has ${lib.concatStringsSep ", " (lib.attrNames targets)}.";
  notBuilt =
    systems: triple:
    "mkNode: ${triple} is built on ${(target triple).buildHost}; this flake builds on ${lib.concatStringsSep ", " systems}.";
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

  # "x86_64-unknown-linux-gnu" -> "x86_64-linux-gnu.2.28", as zig names a target and the oldest glibc that it is for
  zigTarget =
    triple:
    let
      row = target triple;
      abi = {
        glibc = "gnu.${row.floor}";
        musl = "musl";
      };
    in
    assert lib.assertMsg (row.os == "linux" && (row.libc == "musl" || row.floor != null))
      "nodeEnv.zigTarget: zig makes the Linux targets, glibc's with a floor; ${triple} in targets.json is none of them";
    "${lib.head (lib.splitString "-" triple)}-${row.os}-${abi.${row.libc}}";

  # "x86_64-apple-darwin" -> "x86_64-apple-macos10.15", as clang names a macOS target and the oldest macOS that it is for
  appleTarget =
    triple:
    let
      row = target triple;
    in
    assert lib.assertMsg (row.os == "darwin") "nodeEnv.appleTarget: ${triple} is no macOS target";
    "${lib.replaceStrings [ "aarch64" ] [ "arm64" ] (lib.head (lib.splitString "-" triple))}-apple-macos${row.floor}";

  # Settings for cargo's --config that give rustc and the build scripts the oldest macOS, over what nixpkgs' SDK sets.
  minimumOsConfig =
    triple:
    let
      row = target triple;
    in
    lib.optional (row.os == "darwin") "env.MACOSX_DEPLOYMENT_TARGET={value=\"${row.floor}\",force=true}";

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

  # The package set whose compiler makes programs for a triple. Never a cross set for the machine's own triple, nor
  # where the machine's own compiler has the target as well, as zig and Apple's have.
  crossPkgsFor =
    pkgs: triple:
    let
      isCross = (target triple).toolchain == "cross" && triple != pkgs.stdenv.hostPlatform.rust.rustcTarget;
      unnamed = throw "nodeEnv.crossPkgsFor: no name under pkgsCross for ${triple}; add it to nix/lib/node-env.nix";
    in
    if isCross then pkgs.pkgsCross.${crossSystems.${triple} or unnamed} else pkgs;

  # The file that cargo makes of a cdylib.
  libraryName = triple: crate: "lib${crate}.${if (target triple).os == "darwin" then "dylib" else "so"}";

  # Variables with the target's suffix only: a plain CC would reach the build scripts of the build machine as well.
  # `tools` is { cc, cxx, ar, ranlib, linker }, names on PATH.
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
      "CARGO_TARGET_${lib.toUpper suffix}_LINKER" = tools.linker;
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

  # What of .cargo/config.toml a build for one target reads: a flag of another target must not compile this one's C anew.
  cargoConfigOf =
    triple: cargoConfig:
    removeAttrs cargoConfig [
      "alias"
      "target"
    ]
    // lib.optionalAttrs (cargoConfig ? target.${triple}) {
      target.${triple} = cargoConfig.target.${triple};
    };

  # SQLite's flags stand in .cargo/config.toml, where cargo reads them by itself. A variable in the environment wins
  # over that, so it is set only where a target adds flags, and then it is both.
  sqliteEnvironment =
    triple: cargoConfig:
    let
      extra = (target triple).sqliteFlags;
    in
    lib.optionalAttrs (extra != [ ]) {
      LIBSQLITE3_FLAGS = lib.concatStringsSep " " ([ cargoConfig.env.LIBSQLITE3_FLAGS ] ++ extra);
    };
}
