# The workspace reduced to what one crate reaches: crate directory -> { name, manifest, lock }. A change to another
# crate, to its dependencies or to their entries in Cargo.lock then rebuilds nothing of this crate.
#
# Call cargo with --offline, not --locked: the lock still has packages that only features of other crates enable, and
# cargo drops those. Cargo cannot choose other versions, since crane vendors exactly the packages of this lock.
{
  lib,
  root,
  crateClosure,
  lockClosure,
}:
crate:
let
  whole = lib.importTOML (root + "/Cargo.toml");
  reached = crateClosure crate;
  inherit ((lib.importTOML (crate + "/Cargo.toml")).package) name;
in
{
  inherit name;
  lock = lockClosure (lib.importTOML (root + "/Cargo.lock")) name;
  manifest = whole // {
    # Without the default members: cargo refuses any that are no longer members.
    workspace = removeAttrs whole.workspace [ "default-members" ] // {
      members = map (directory: lib.removePrefix "./" (lib.path.removePrefix root directory)) reached.directories;
      dependencies = reached.inherited;
    };
  };
}
