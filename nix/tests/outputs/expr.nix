# What a system cannot build is absent from its packages.
{
  lib,
  mkNodeOn,
  packageSets,
}:
lib.mapAttrs (
  system: pkgs:
  lib.attrNames (
    import ../../package {
      inherit pkgs;
      mkNode = mkNodeOn system;
    }
  )
) packageSets
