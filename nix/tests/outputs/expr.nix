# What a system cannot build is absent from its packages.
{
  lib,
  mkNode,
  packageSets,
}:
lib.mapAttrs (
  _: pkgs: lib.attrNames (import ../../package { inherit mkNode pkgs; })
) packageSets
