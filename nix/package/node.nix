# mkNode: a list of triples -> { targets.<triple>; jsBindings; }. Each target is built by the package set of its own
# build host, so that one list may span several; `packageSets` has them by system.
{ lib, packageSets }:
let
  nodeEnv = (lib.head (lib.attrValues packageSets)).nodeEnv;

  # Everything that one system builds, each part once however many targets ask for it.
  builders = lib.mapAttrs (_: pkgs: {
    addonLayers =
      triple:
      let
        arguments = {
          inherit pkgs;
          craneLib = pkgs.nodeEnv.craneFor [ triple ];
        };
        c = import ./c-layer.nix arguments triple;
      in
      { inherit c; } // import ./addon.nix arguments triple c;
    audited = import ./audited.nix {
      inherit pkgs;
      nodeAudit = import ./node-audit.nix { inherit pkgs; };
    };
    javascript = import ./javascript.nix { inherit pkgs; };
  }) packageSets;

  builderFor = triple: builders.${(nodeEnv.target triple).buildHost} or (throw (nodeEnv.notBuilt systems triple));
  systems = lib.attrNames builders;

  target =
    triple:
    let
      builder = builderFor triple;
      layers = builder.addonLayers triple;
    in
    builder.audited triple layers.package // { inherit layers; };
in
targetList:
assert lib.assertMsg (targetList != [ ] && lib.allUnique targetList)
  "mkNode: the target list [ ${toString targetList} ] is empty or names a triple twice; name each target once";
{
  targets = lib.genAttrs targetList target;

  # The same whatever target it is made with: of the first, whose layers are there already.
  jsBindings =
    let
      first = lib.head targetList;
      builder = builderFor first;
    in
    builder.javascript (builder.addonLayers first).typeDefinitions;
}
