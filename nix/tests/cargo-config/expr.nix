# A build for one target reads that target's section and the sections for all targets.
{ nodeEnv }:
let
  config = {
    alias.xtask = "run --package xtask --";
    env.FLAG = "1";
    target.x86_64-unknown-linux-musl.rustflags = [ "-Cone" ];
    target.x86_64-pc-windows-msvc.rustflags = [ "-Ctwo" ];
  };
in
{
  musl = nodeEnv.cargoConfigOf "x86_64-unknown-linux-musl" config;
  gnu = nodeEnv.cargoConfigOf "x86_64-unknown-linux-gnu" config;
  none = nodeEnv.cargoConfigOf "x86_64-unknown-linux-gnu" { };
}
