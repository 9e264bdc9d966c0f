# The napi CLI in nixpkgs over time: absent, version 2.17 by the plain name, version 3 by either name, an alias that
# throws.
{ lib }:
let
  tool =
    packages:
    import ../../package/nixpkgs-tool.nix { pkgs = packages // { inherit lib; }; } {
      attributes = [
        "cli_3"
        "cli"
      ];
      oldest = "3";
    };
  old.version = "2.17.0";
  new.version = "3.7.4";
  renamed = throw "cli_3 was renamed";
in
{
  none = (tool { }).problem;
  old = (tool { cli = old; }).problem;
  oldStops = !(builtins.tryEval (tool { cli = old; }).package).success;
  both = (tool {
    cli = old;
    cli_3 = new;
  }).package;
  plain = (tool { cli = new; }).package;
  alias = (tool {
    cli = new;
    cli_3 = renamed;
  }).package;
}
