{ lib, nodeEnv }:
let
  policy = triple: {
    floors = nodeEnv.auditFloors triple;
    hardening = nodeEnv.auditHardening triple;
  };
in
lib.genAttrs [
  "aarch64-apple-darwin"
  "aarch64-unknown-linux-gnu"
  "x86_64-unknown-linux-musl"
] policy
