# No layer sets CARGO_TARGET_<triple>_LINKER, with which cargo also links build scripts and proc macros of the build machine's
# own triple. A linker that is a compiler needs no -Clinker-flavor: from a name that ends in -ld rustc infers ld.
{
  lib,
  mkNodeOn,
  nodeEnv,
}:
let
  built = mkNodeOn "x86_64-linux" (nodeEnv.triplesBuiltOn "x86_64-linux");
  isLinkerVariable = name: lib.hasPrefix "CARGO_TARGET_" name && lib.hasSuffix "_LINKER" name;
  linkerVariables =
    target:
    lib.concatMap (layer: lib.filter isLinkerVariable (lib.attrNames layer.drvAttrs)) (lib.attrValues target.layers);
in
{
  variables = lib.concatMap linkerVariables (lib.attrValues built.targets);
  names = lib.mapAttrs (triple: _: (nodeEnv.toolchain triple).linker) built.targets;
  flags = lib.mapAttrs (triple: _: (nodeEnv.target triple).rustFlags) built.targets;
}
