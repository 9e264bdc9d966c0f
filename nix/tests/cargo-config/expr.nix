# Of a configuration, the part that a build for one target reads: its own section, and what is for all.
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
