# A system's packages omit targets that it cannot build. The test must not evaluate another system's package set: a
# broken set must not break this system's checks.
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
