# Every variable that names a tool or flags has the target's suffix.
{ lib, nodeEnv }:
lib.mapAttrs (
  triple: _:
  nodeEnv.crossEnvFor triple {
    cc = "the-cc";
    cxx = "the-c++";
    ar = "the-ar";
    ranlib = "the-ranlib";
  }
) nodeEnv.targets
