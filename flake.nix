{
  description = "Strongroom: encrypted SQLite for Node.js, built for every platform";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";
    crane.url = "github:ipetkov/crane";
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    { nixpkgs, crane, rust-overlay, ... }@inputs:
    let
      inherit (nixpkgs) lib;
      forEachHost = lib.genAttrs [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ];

      # Evaluates the workspace at a root: this checkout, or a workspace that a test makes.
      nodeAt =
        root:
        let
          table = import ./nix/lib/node-env.nix {
            inherit lib;
            table = lib.importJSON (root + "/targets.json");
          };
          overlays = [
            rust-overlay.overlays.default
            (import ./nix/lib { inherit crane root table; })
          ];
          packageSets = forEachHost (
            system: lib.foldl' (pkgs: overlay: pkgs.extend overlay) nixpkgs.legacyPackages.${system} overlays
          );
          # Returns mkNode for the package sets of some systems.
          mkNodeFrom = packageSets: import ./nix/package/node.nix { inherit lib table packageSets; };
        in
        {
          inherit packageSets mkNodeFrom;
          # Builds each target on the first of its build hosts, as a release does.
          mkNode = mkNodeFrom packageSets;
          # Builds every target on one system, and evaluates no other system's packages.
          mkNodeOn = system: mkNodeFrom { ${system} = packageSets.${system}; };
        };
      inherit (nodeAt ./.) packageSets mkNode mkNodeOn;
    in
    {
      lib = { inherit mkNode; };
      packages = forEachHost (
        system:
        import ./nix/package {
          pkgs = packageSets.${system};
          mkNode = mkNodeOn system;
        }
      );
      devShells = forEachHost (system: {
        default = import ./nix/package/dev-shell.nix { pkgs = packageSets.${system}; };
      });
      formatter = forEachHost (system: packageSets.${system}.nixfmt-tree);
      checks = forEachHost (
        system:
        import ./nix/checks {
          inherit nixpkgs nodeAt system;
          root = ./.;
          # Evaluates this flake with other inputs.
          flakeWith = changed: (import ./flake.nix).outputs (inputs // changed);
        }
      );
    };
}
