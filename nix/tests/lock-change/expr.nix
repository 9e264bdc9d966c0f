# A value is `true` if a change to the crate's entry in this workspace's Cargo.lock rebuilds the C layer, which depends
# only on the part of the lock that vendored-sys reaches.
{
  lib,
  nodeEnv,
  root,
}:
let
  lock = lib.importTOML (root + "/Cargo.lock");
  keyOf = whole: nodeEnv.lockClosure whole "vendored-sys";
  changedBy =
    name:
    let
      change = package: if package.name == name then package // { checksum = "another"; } else package;
      other = lock // {
        package = map change lock.package;
      };
    in
    assert lib.assertMsg (other != lock) "Cargo.lock has no ${name}";
    keyOf other != keyOf lock;
in
{
  outside = map changedBy [
    "clap"
    "napi"
    "rusqlite"
    "zeroize"
  ];
  inside = map changedBy [
    "cc"
    "openssl-src"
    "sqlcipher-src"
    "zstd-sys"
  ];
}
