# The build machine's own Apple compiler for one macOS target, whatever processor it is for: the SDK has all of them.
{
  pkgs,
  nodeEnv,
  compilerWrapper,
}:
triple:
let
  inherit ((nodeEnv.crossPkgsFor pkgs triple).stdenv) cc;
  binutils = "${cc.bintools}/bin/${cc.bintools.targetPrefix}";
in
compilerWrapper {
  kind = "sdk";
  name = triple;
  library = "-dynamiclib";
  archive = "binutil";
  definitions = ''
    binutil() { exec ${binutils}"$1" "''${@:2}"; }
    compile() { exec ${cc}/bin/${cc.targetPrefix}"$1" -g0 -target ${nodeEnv.appleTarget triple} "''${@:2}"; }
  '';
}
