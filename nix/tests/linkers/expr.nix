# No layer sets CARGO_TARGET_<triple>_LINKER: if the target is the build machine's triple, cargo would also link build
# scripts and proc macros with that linker. A compiler that links needs no -Clinker-flavor, since rustc infers the
# flavor ld only from a name that ends in -ld.
{
  lib,
  mkNodeOn,
  nodeEnv,
  system,
}:
let
  built = mkNodeOn system (nodeEnv.triplesBuiltOn system);
  isLinkerVariable = name: lib.hasPrefix "CARGO_TARGET_" name && lib.hasSuffix "_LINKER" name;
  linkerVariables =
    target:
    lib.concatMap (layer: lib.filter isLinkerVariable (lib.attrNames layer.drvAttrs)) (lib.attrValues target.layers);
  targets = lib.filterAttrs (_: row: row.toolchain != "msvc") nodeEnv.targets;
in
{
  variables = lib.concatMap linkerVariables (lib.attrValues built.targets);
  names = lib.mapAttrs (triple: _: (nodeEnv.toolchain triple).linker) targets;
  flags = lib.mapAttrs (_: row: row.rustFlags) targets;
}
