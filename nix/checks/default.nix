# The flake's checks of one system: the evaluation tests, the compilers, the gated addon of the host, and that it loads.
# `nodeAt` is { packageSets, mkNode } of the workspace at a root.
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
  # Of every target that this system builds; the addons of the others are built by name.
  toolchain = one: {
    name = "toolchain-${pkgs.nodeEnv.platformName one}";
    value = import ./toolchain.nix { inherit pkgs; } one;
  };
  toolchains = lib.listToAttrs (map toolchain (pkgs.nodeEnv.triplesBuiltOn system));
in
toolchains
// {
  evaluation = import ./evaluation.nix {
    inherit pkgs;
    failures = import ../tests {
      inherit lib;
      arguments = {
        inherit
          lib
          root
          mkNode
          packageSets
          ;
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
  audited = node.targets.${triple};
  loads = import ./loads.nix { inherit pkgs; } node.targets.${triple} node.jsBindings;
}
