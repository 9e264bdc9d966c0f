# nixpkgs' packages of the napi CLI over time: none, version 2.17 by the plain name, version 3 by either name.
{ lib }:
let
  cli = packages: import ../../package/napi-cli.nix { pkgs = packages // { inherit lib; }; };
  old.version = "2.17.0";
  new.version = "3.7.4";
in
{
  none = (cli { }).problem;
  old = (cli { napi-rs-cli = old; }).problem;
  oldStops = !(builtins.tryEval (cli { napi-rs-cli = old; }).package).success;
  both = (cli {
    napi-rs-cli = old;
    napi-rs-cli_3 = new;
  }).package;
  plain = (cli { napi-rs-cli = new; }).package;
}
