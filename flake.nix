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
    {
      nixpkgs,
      crane,
      rust-overlay,
      ...
    }:
    let
      inherit (nixpkgs) lib;
      buildHosts = [
        "aarch64-darwin"
        "x86_64-linux"
      ];
      forEachHost = lib.genAttrs buildHosts;

      # The workspace at a root: this one, or one that a test makes.
      nodeAt =
        root:
        let
          overlays = [
            rust-overlay.overlays.default
            (import ./nix/lib { inherit crane root; })
          ];
          packageSets = forEachHost (
            system: lib.foldl' (pkgs: overlay: pkgs.extend overlay) nixpkgs.legacyPackages.${system} overlays
          );
        in
        {
          inherit packageSets;
          mkNode = import ./nix/package/node.nix { inherit lib packageSets; };
        };
      inherit (nodeAt ./.) packageSets mkNode;
    in
    {
      lib = { inherit mkNode; };
      packages = forEachHost (
        system:
        import ./nix/package {
          inherit mkNode;
          pkgs = packageSets.${system};
        }
      );
      devShells = forEachHost (system: {
        default = import ./nix/package/dev-shell.nix { pkgs = packageSets.${system}; };
      });
      formatter = forEachHost (system: packageSets.${system}.nixfmt-tree);
      checks = forEachHost (
        system:
        import ./nix/checks {
          inherit system nodeAt;
          root = ./.;
        }
      );
    };
}
