{
  none = "this nixpkgs has no napi-rs-cli";
  old = "this nixpkgs has napi-rs-cli 2.17.0 only";
  oldStops = true;
  both.version = "3.7.4";
  plain.version = "3.7.4";
}
