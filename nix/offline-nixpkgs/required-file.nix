# A file that must already be in the store, like nixpkgs' requireFile: package name or alias -> { file, version }.
# required-files.json has one entry for each system that a program runs on.
{
  host,
  lib,
  platform,
}:
name:
let
  known = lib.filter (
    one: one.alias or one.package == name && one.system or platform.system == platform.system
  ) (lib.importJSON ./required-files.json);
  entry =
    if lib.length known == 1 then
      lib.head known
    else
      throw "requiredFile: required-files.json must have one entry for ${name} on ${platform.system}, but has ${toString (lib.length known)}; correct the list";
in
{
  inherit (entry) version;
  file = derivation {
    inherit (entry) name;
    inherit (platform) system;
    builder = host.bash;
    args = [
      "-c"
      "echo '${entry.name} is not in the Nix store. Run: cargo xtask setup' >&2; exit 1"
    ];
    outputHash = entry.hash;
    outputHashMode = "flat";
    preferLocalBuild = true;
  };
}
