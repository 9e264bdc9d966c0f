# The target table as Nix needs it: triples, platform names, and the environment that selects a target's toolchain.
{ lib, table }:
let
  targets = lib.listToAttrs (map (row: lib.nameValuePair row.triple row) table.targets);
  unknownTarget =
    triple:
    "nodeEnv: no target ${triple} in targets.json. It has ${lib.concatStringsSep ", " (lib.attrNames targets)}.";
  target = triple: targets.${triple} or (throw (unknownTarget triple));
  underscored = lib.replaceStrings [ "-" ] [ "_" ];
in
{
  inherit targets target unknownTarget;

  # "x86_64-unknown-linux-gnu" -> "linux-x64-gnu"
  platformName = triple: (target triple).platform;

  # "x86_64-unknown-linux-gnu" -> "x86_64-linux-gnu.2.28", as zig names a glibc target
  zigTarget =
    triple:
    let
      row = target triple;
    in
    assert lib.assertMsg (row.libc == "glibc" && row.floor != null)
      "nodeEnv.zigTarget: zig makes the glibc targets, and ${triple} is not one; see \"toolchain\" in targets.json";
    "${lib.head (lib.splitString "-" triple)}-${row.os}-gnu.${row.floor}";

  # The file that cargo makes of a cdylib.
  libraryName = triple: crate: "lib${crate}.${if (target triple).os == "darwin" then "dylib" else "so"}";

  # Variables with the target's suffix only: a plain CC would reach the build scripts of the build machine as well.
  # `tools` is { cc, cxx, ar, ranlib, linker }, names on PATH.
  environment =
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
