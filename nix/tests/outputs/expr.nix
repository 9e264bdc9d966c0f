# What a system cannot build is absent from its packages. Other systems' package sets are not evaluated here: a broken one
# must not break this system's checks.
{
  lib,
  mkNodeOn,
  pkgs,
  system,
}:
lib.attrNames (
  import ../../package {
    inherit pkgs;
    mkNode = mkNodeOn system;
  }
)
