# Audits a compiled addon and copies it. The audit is a separate derivation, so that a change to it recompiles no addon.
{ pkgs, nodeAudit }:
triple: compiled:
let
  inherit (pkgs) lib nodeEnv;
  own = lib.importTOML (nodeEnv.root + "/crates/release/pack/src/own.toml");
  policy = nodeEnv.writeTOML "policy.toml" (
    own
    // {
      floors = nodeEnv.auditFloors triple;
      hardening = nodeEnv.auditHardening triple;
    }
  );
in
pkgs.runCommand compiled.name
  {
    nativeBuildInputs = [ nodeAudit ];
    outputs = [
      "out"
      "debug"
    ];
    allowedReferences = [ ];
  }
  ''
    node-audit --policy ${policy} ${compiled}/*.node
    mkdir $out
    cp ${compiled}/*.node $out/
    cp -r ${compiled.debug} $debug
  ''
