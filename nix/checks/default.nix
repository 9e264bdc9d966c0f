# The flake's checks of one system: the evaluation tests, the compilers and linkers, the audited addon of the host, and that it
# loads. `nodeAt` is what flake.nix makes of the workspace at a root, `flakeWith` this flake with other inputs.
{
  root,
  system,
  nixpkgs,
  nodeAt,
  flakeWith,
}:
let
  workspace = nodeAt root;
  pkgs = workspace.packageSets.${system};
  inherit (pkgs) lib nodeEnv;
  triple = pkgs.stdenv.hostPlatform.rust.rustcTarget;
  node = workspace.mkNodeOn system [ triple ];
  # Of every target that this system builds; the addons of the others are built by name.
  forEachTarget =
    name: check:
    lib.listToAttrs (
      map (one: lib.nameValuePair "${name}-${nodeEnv.platformName one}" (check one)) (nodeEnv.triplesBuiltOn system)
    );
in
forEachTarget "toolchain" (import ./toolchain.nix { inherit pkgs; })
// forEachTarget "linkers" (import ./linkers.nix { inherit pkgs; })
// {
  evaluation = import ./evaluation.nix {
    inherit pkgs;
    failures = import ../tests {
      inherit lib;
      arguments = {
        inherit
          flakeWith
          lib
          nixpkgs
          nodeEnv
          pkgs
          root
          system
          ;
        inherit (workspace)
          mkNode
          mkNodeFrom
          mkNodeOn
          packageSets
          ;
        fixture = (nodeAt ../tests/fixture).packageSets.${system}.nodeEnv;
        toTOML = import ../lib/to-toml.nix { inherit lib; };
      };
    };
  };
  audited = node.targets.${triple};
  loads = import ./loads.nix { inherit pkgs; } node.targets.${triple} node.jsBindings;
}
# Real nixpkgs has one TypeScript; the placeholder on x86_64-linux has three.
// lib.optionalAttrs (pkgs.typescriptLayouts or { } != { }) {
  javascript = import ./javascript.nix { inherit pkgs; } node.jsBindings (
    typescript:
    (workspace.mkNodeFrom { ${system} = pkgs.extend (_: _: { inherit typescript; }); } [ triple ]).jsBindings
  );
}
