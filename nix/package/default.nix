# The flake's packages for one system: the targets that it builds, by platform name.
{ pkgs, mkNode }:
let
  inherit (pkgs) lib nodeEnv;
  hostTriple = pkgs.stdenv.hostPlatform.rust.rustcTarget;
  # The host's triple comes first, since the first target's layers build the JavaScript.
  triples = lib.unique ([ hostTriple ] ++ nodeEnv.triplesBuiltOn pkgs.stdenv.hostPlatform.system);
  built = mkNode triples;
  byPlatform =
    prefix: select:
    lib.mapAttrs' (
      triple: target: lib.nameValuePair "${prefix}-${nodeEnv.platformName triple}" (select target)
    ) built.targets;
in
byPlatform "node-bindings" (target: target)
// byPlatform "node-c" (target: target.layers.c)
// {
  node-bindings-js = built.jsBindings;
  node-bindings-fast = built.targets.${hostTriple};
}
