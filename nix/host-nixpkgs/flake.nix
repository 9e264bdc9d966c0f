# Stands in for nixpkgs on a Debian machine that has no binary cache: the same `lib`, and of the packages what this
# project, crane and rust-overlay ask for, made of the machine's own programs. For tests only, by
#   --override-input nixpkgs path:./nix/host-nixpkgs --no-write-lock-file
{
  outputs =
    _:
    let
      # Not a flake input: Nix does not read the lock file of a flake that overrides a locked input. fetchTarball takes
      # what is in the store already, and asks the network for nothing then.
      pin = builtins.fromJSON (builtins.readFile ./nixpkgs-lib.json);
      source = fetchTarball {
        url = "https://github.com/${pin.owner}/${pin.repo}/archive/${pin.rev}.tar.gz";
        sha256 = pin.narHash;
      };
      lib = import (source + "/lib");
    in
    {
      inherit lib;
      # Every system evaluates. Only x86_64-linux was built on.
      legacyPackages = lib.genAttrs [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ] (system: import ./package-set.nix { inherit lib system; });
    };
}
