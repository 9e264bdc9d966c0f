# The flake's checks for one system: evaluation tests, compilers, linkers, and the host's addon, audited and loaded.
# `nodeAt` evaluates the workspace at a root (see flake.nix); `flakeWith` evaluates this flake with other inputs.
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
  # One check for each target that this system builds.
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
# Only the offline nixpkgs has `typescriptLayouts`, on x86_64-linux.
// lib.optionalAttrs (pkgs.typescriptLayouts or { } != { }) {
  javascript = import ./javascript.nix { inherit pkgs; } node.jsBindings (
    typescript:
    (workspace.mkNodeFrom { ${system} = pkgs.extend (_: _: { inherit typescript; }); } [ triple ]).jsBindings
  );
}
