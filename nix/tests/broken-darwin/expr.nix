# Evaluating the Linux outputs also evaluated the macOS package set, which is sometimes broken in nixpkgs; nixpkgs has
# also dropped x86_64-darwin.
{ flakeWith, nixpkgs }:
let
  broken = flakeWith {
    nixpkgs = nixpkgs // {
      legacyPackages = nixpkgs.legacyPackages // {
        aarch64-darwin = throw "the macOS package set does not evaluate";
      };
    };
  };
  derivations = flake: {
    packages = builtins.mapAttrs (_: package: package.drvPath) flake.packages.x86_64-linux;
    shell = flake.devShells.x86_64-linux.default.drvPath;
    # `evaluation` runs this test.
    checks = builtins.mapAttrs (_: check: check.drvPath) (
      removeAttrs flake.checks.x86_64-linux [ "evaluation" ]
    );
    musl = (flake.lib.mkNode [ "x86_64-unknown-linux-musl" ]).targets.x86_64-unknown-linux-musl.drvPath;
  };
in
{
  same = derivations broken == derivations (flakeWith { });
  macosStops = !(builtins.tryEval broken.packages.aarch64-darwin.node-bindings-fast.drvPath).success;
}
