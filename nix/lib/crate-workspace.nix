# The workspace cut down to what one crate reaches: crate directory -> { name, manifest, lock }. A change to another
# crate, to its dependencies or to the lines of Cargo.lock that only those need then rebuilds nothing of this one.
#
# Cargo is to be called with --offline, not --locked: the lock still holds what only the features of other crates switch
# on, and cargo wants to drop that. It can choose nothing else, since crane vendors what this lock holds and no more.
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
    workspace = whole.workspace // {
      members = map (directory: lib.removePrefix "./" (lib.path.removePrefix root directory)) reached.directories;
      dependencies = reached.inherited;
    };
  };
}
