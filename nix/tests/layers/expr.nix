# The derivations that a change to one file rebuilds. The test omits the file instead of editing it: Nix sees a changed
# source in both cases.
{
  lib,
  mkNodeFrom,
  pkgs,
  root,
  system,
}:
let
  triple = pkgs.stdenv.hostPlatform.rust.rustcTarget;
  derivations =
    omitted:
    let
      omit = files: lib.fileset.difference files omitted;
      node =
        mkNodeFrom {
          ${system} = pkgs.extend (
            _: previous: {
              nodeEnv = previous.nodeEnv // {
                filesets = previous.nodeEnv.filesets // {
                  toSource = files: previous.nodeEnv.filesets.toSource (omit files);
                };
              };
            }
          );
        } [ triple ];
      target = node.targets.${triple};
    in
    lib.mapAttrs (_: layer: layer.drvPath) {
      inherit (target.layers) c deps package;
      audited = target;
      js = node.jsBindings;
    };
  now = derivations (lib.fileset.unions [ ]);
  changedBy =
    file:
    let
      other = derivations (root + "/${file}");
    in
    lib.filter (layer: now.${layer} != other.${layer}) (lib.attrNames now);

  # A source file in the directory that isn't an entry point.
  sourceIn =
    directory:
    let
      entryPoints = [
        "lib.rs"
        "main.rs"
      ];
      isSource = name: type: type == "regular" && !lib.elem name entryPoints;
      sources = lib.filterAttrs isSource (builtins.readDir (root + "/${directory}"));
    in
    "${directory}/${lib.head (lib.attrNames sources)}";
in
{
  database = changedBy (sourceIn "crates/database/src");
  binding = changedBy (sourceIn "bindings/node/src");
  audit = changedBy (sourceIn "crates/node-audit/src");
  targetTable = changedBy "targets.json";
  pack = changedBy (sourceIn "crates/release/pack/src");
  toolchain = changedBy (sourceIn "crates/vendored-sys/toolchain/src");
  typescript = changedBy (sourceIn "bindings/node/ts");
  readme = changedBy "README.md";
}
