# What gives the C compiler, and what gives rustc and the build scripts, the oldest macOS.
{ lib, nodeEnv }:
{
  arm64 = nodeEnv.appleTarget "aarch64-apple-darwin";
  x64 = nodeEnv.appleTarget "x86_64-apple-darwin";
  linux = (builtins.tryEval (nodeEnv.appleTarget "x86_64-unknown-linux-gnu")).success;
  cargo = lib.concatMap nodeEnv.minimumOsConfig (lib.attrNames nodeEnv.targets);
}
