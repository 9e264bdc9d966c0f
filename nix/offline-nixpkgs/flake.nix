# A placeholder for nixpkgs on a Debian machine without a binary cache: the same `lib`, and the packages that this
# project, crane and rust-overlay need, built from the machine's own programs. For tests only:
#   --override-input nixpkgs path:./nix/offline-nixpkgs --no-write-lock-file
{
  outputs =
    _:
    let
      # The source is not a flake input, since Nix ignores the lock file of a flake that overrides a locked input.
      # fetchTarball needs no network if the store has the source.
      pin = builtins.fromJSON (builtins.readFile ./nixpkgs-lib.json);
      source = fetchTarball {
        url = "https://github.com/${pin.owner}/${pin.repo}/archive/${pin.rev}.tar.gz";
        sha256 = pin.narHash;
      };
      lib = import (source + "/lib");
    in
    {
      inherit lib;
      # Evaluation works for every system. Builds are tested only on x86_64-linux.
      legacyPackages = lib.genAttrs [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ] (system: import ./package-set.nix { inherit lib system; });
    };
}
