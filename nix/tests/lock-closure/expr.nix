# `top` reaches one of two versions of `twice`, which it names as "name version", and a cycle through `back`.
{ nodeEnv }:
let
  lock = {
    version = 4;
    package = [
      {
        name = "back";
        version = "1.0.0";
        dependencies = [ "middle" ];
      }
      {
        name = "middle";
        version = "1.0.0";
        dependencies = [
          "back"
          "twice 2.0.0"
        ];
      }
      {
        name = "top";
        version = "0.1.0";
        dependencies = [ "middle" ];
      }
      {
        name = "twice";
        version = "1.0.0";
      }
      {
        name = "twice";
        version = "2.0.0";
      }
      {
        name = "unrelated";
        version = "1.0.0";
        dependencies = [ "twice 1.0.0" ];
      }
    ];
  };
  closure = nodeEnv.lockClosure lock "top";
in
{
  inherit (closure) version;
  reached = builtins.sort builtins.lessThan (map (package: "${package.name} ${package.version}") closure.package);
  missing = (builtins.tryEval (nodeEnv.lockClosure lock "absent").package).success;
}
