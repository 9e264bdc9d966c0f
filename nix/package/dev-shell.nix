# What working on the project takes besides a C compiler: `nix develop`.
{ pkgs }:
pkgs.mkShell {
  packages = [
    (pkgs.nodeEnv.rustToolchain [ ])
    pkgs.nodejs
    pkgs.perl
    pkgs.pkg-config
  ];
}
