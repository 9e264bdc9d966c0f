# The flake's packages of one system: what mkNode makes of the targets that are built there, by platform name.
{ pkgs, mkNode }:
let
  inherit (pkgs) lib nodeEnv;
  hostTriple = pkgs.stdenv.hostPlatform.rust.rustcTarget;
  # The host's own first: the JavaScript is made with that one.
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
