# A compiled addon that passed the audit: the same file, in a derivation of its own, so that a change to the audit
# recompiles no addon.
{ pkgs, nodeAudit }:
compiled:
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
    node-audit ${compiled}/*.node
    mkdir $out
    cp ${compiled}/*.node $out/
    cp -r ${compiled.debug} $debug
  ''
