# One native package set: build, host and target platform are the same. pkgsCross has only compilers.
{
  lib,
  system,
  overlays ? [ ],
}:
let
  host = import ./host.nix;
  platform = lib.systems.elaborate { inherit system; };
  hostPackage = import ./host-package.nix { inherit host platform lib; };
  requiredFile = import ./required-file.nix { inherit host platform lib; };

  base = final: {
    inherit lib overlays;
    stdenv = import ./stdenv.nix {
      inherit lib host platform;
      pkgs = final;
    };
    stdenvNoCC = final.stdenv;
    pkgs = final;
    callPackage = final.newScope { };
    newScope = extra: lib.callPackageWith (final // extra);
    extend =
      overlay:
      import ./package-set.nix {
        inherit lib system;
        overlays = overlays ++ [ overlay ];
      };

    # Splicing chooses between package sets, which are all the same set here.
    splicePackages = sets: sets.pkgsHostTarget;
    makeScopeWithSplicing' = lib.makeScopeWithSplicing' { inherit (final) splicePackages newScope; };
    pkgsBuildBuild = final;
    pkgsBuildHost = final;
    pkgsBuildTarget = final;
    pkgsHostHost = final;
    pkgsHostTarget = final;
    pkgsTargetTarget = final;
    buildPackages = final;
    targetPackages = final;
  };
  packages = [
    (import ./packages/host.nix { inherit host hostPackage lib; })
    (import ./packages/required.nix {
      inherit
        hostPackage
        lib
        platform
        requiredFile
        ;
    })
    (import ./packages/cross.nix { inherit host hostPackage lib; })
    (import ./packages/builders.nix { inherit lib; })
    (import ./packages/rust-overlay.nix { inherit host hostPackage lib platform; })
  ];
in
lib.fix (lib.foldl' (lib.flip lib.extends) base (packages ++ overlays))
