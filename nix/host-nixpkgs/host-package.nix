# A package made by a few shell commands, with nothing but the machine's programs: { name, commands } -> derivation.
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
  unsupported = method: _: throw "host-nixpkgs: ${name} has no ${method}; use the real nixpkgs";
  drv = derivation {
    name = "${name}-host";
    inherit (platform) system;
    builder = host.bash;
    # `exit 0`: bash would exec its last command, coreutils close stderr before they exit, and Nix kills a builder
    # whose log was closed.
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
