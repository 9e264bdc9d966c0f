# The shell of `nix develop`: development tools in addition to stdenv's C compiler.
{ pkgs }:
pkgs.mkShell {
  packages = [
    (pkgs.nodeEnv.rustToolchain [ ])
    pkgs.nodejs
    pkgs.perl
    pkgs.pkg-config
  ];
}
