# The package set that provides each target's compiler, on a glibc and on a musl build machine.
{ lib, nodeEnv }:
let
  setOn =
    hostTriple:
    let
      pkgs = {
        name = "native";
        stdenv.hostPlatform.rust.rustcTarget = hostTriple;
        pkgsCross = {
          musl64.name = "musl64";
          aarch64-multiplatform-musl.name = "aarch64-multiplatform-musl";
        };
      };
    in
    lib.mapAttrs (triple: _: (nodeEnv.crossPkgsFor pkgs triple).name) nodeEnv.targets;
in
{
  gnu = setOn "x86_64-unknown-linux-gnu";
  muslOnMusl = (setOn "x86_64-unknown-linux-musl").x86_64-unknown-linux-musl;
}
