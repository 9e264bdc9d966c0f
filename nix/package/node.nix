# mkNode: a list of triples -> { targets.<triple>; jsBindings; }. Each target is built on the first of its build hosts
# with an entry in `packageSets`; the targets of one list may be built on several hosts. `table` is the target table.
{
  lib,
  table,
  packageSets,
}:
let
  # The builders of each system. Targets share the builders that depend only on the system.
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
  systems = lib.attrNames builders;

  builderFor =
    triple:
    let
      host = lib.findFirst (system: builders ? ${system}) (throw (table.notBuilt systems triple)) (
        (table.target triple).buildHosts
      );
    in
    builders.${host};

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
  "mkNode: the target list [ ${toString targetList} ] is empty or has duplicates; name each target once";
{
  targets = lib.genAttrs targetList target;

  # The JavaScript doesn't depend on the target. The first target's layers build it.
  jsBindings =
    let
      first = lib.head targetList;
      builder = builderFor first;
    in
    builder.javascript (builder.addonLayers first).typeDefinitions;
}
