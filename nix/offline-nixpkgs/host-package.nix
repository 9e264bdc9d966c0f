# Builds a package with shell commands and the machine's own programs: { name, commands, attributes } -> derivation.
{
  host,
  lib,
  platform,
}:
{
  name,
  commands,
  attributes ? { },
}:
let
  unsupported = method: _: throw "offline-nixpkgs: ${name} has no ${method}; use the real nixpkgs";
  drv = derivation {
    name = "${name}-host";
    inherit (platform) system;
    builder = host.bash;
    # Without `exit 0`, bash would exec the last command; coreutils close stderr before they exit, and Nix kills a
    # builder that closes its log.
    args = [
      "-ec"
      "PATH=${host.bin}:/bin\n${commands}\nexit 0"
    ];
  };
in
lib.extendDerivation true (
  {
    pname = name;
    version = "host";
    meta = { };
    override = unsupported "override";
    overrideAttrs = unsupported "overrideAttrs";
  }
  // attributes
) drv
