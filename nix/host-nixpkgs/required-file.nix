# A file that must already be in the store, as nixpkgs' requireFile: package name -> { file, version }.
{
  host,
  lib,
  platform,
}:
package:
let
  known = lib.importJSON ./required-files.json;
  entry = lib.findSingle (one: one.package == package) (throw "requiredFile: ${package} is not in required-files.json")
    (throw "requiredFile: ${package} stands twice in required-files.json")
    known;
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
