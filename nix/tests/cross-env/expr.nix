# Of each target: every variable that names a tool carries the target's suffix.
{ lib, nodeEnv }:
lib.mapAttrs (
  triple: _:
  nodeEnv.crossEnvFor triple {
    cc = "the-cc";
    cxx = "the-c++";
    ar = "the-ar";
    ranlib = "the-ranlib";
    linker = "the-ld";
  }
) nodeEnv.targets
