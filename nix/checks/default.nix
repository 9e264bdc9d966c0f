# The flake's checks of one system: the evaluation tests, the compilers, the gated addon of the host, and that
# it loads. `nodeAt` is { packageSets, mkNode } of the workspace at a root.
{
  root,
  system,
  nodeAt,
}:
let
  inherit (nodeAt root) packageSets mkNode;
  pkgs = packageSets.${system};
  inherit (pkgs) lib;
  triple = pkgs.stdenv.hostPlatform.rust.rustcTarget;
  node = mkNode [ triple ];
in
{
  evaluation = import ./evaluation.nix {
    inherit pkgs;
    failures = import ../tests {
      inherit lib;
      arguments = {
        inherit lib root mkNode;
        inherit (pkgs) nodeEnv;
        mkNodeWith =
          overlay:
          import ../package/node.nix {
            inherit lib;
            packageSets = lib.mapAttrs (_: set: set.extend overlay) packageSets;
          };
        fixture = (nodeAt ../tests/fixture).packageSets.${system}.nodeEnv;
        toTOML = import ../lib/to-toml.nix { inherit lib; };
      };
    };
  };
  toolchain = import ./toolchain.nix { inherit pkgs; } triple;
  audited = node.targets.${triple};
  loads = import ./loads.nix { inherit pkgs; } node.targets.${triple} node.jsBindings;
}
