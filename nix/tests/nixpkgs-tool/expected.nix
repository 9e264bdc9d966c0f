let
  wanted = "the flake needs cli_3, version 3 or later; update the input nixpkgs";
in
{
  none = "this nixpkgs has no cli_3; ${wanted}";
  old = "this nixpkgs has version 2.17.0 of cli_3; ${wanted}";
  oldStops = true;
  both.version = "3.7.4";
  plain.version = "3.7.4";
  alias.version = "3.7.4";
}
