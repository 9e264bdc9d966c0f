# The workspace, reduced to the crates that one crate reaches: crate directory -> { name, manifest, lock }. A change to
# another crate, to its dependencies or to their entries in Cargo.lock then rebuilds nothing of this crate.
#
# Call cargo with --offline, not --locked: the lock still has packages that only features of other crates enable, and
# cargo drops these packages. Cargo cannot choose other versions, since crane vendors exactly the packages of this lock.
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
    # Removes default-members, since cargo refuses a default member that isn't a member.
    workspace = removeAttrs whole.workspace [ "default-members" ] // {
      members = map (directory: lib.removePrefix "./" (lib.path.removePrefix root directory)) reached.directories;
      dependencies = reached.inherited;
    };
  };
}
