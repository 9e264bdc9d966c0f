# The additional packages that rust-overlay needs. The Rust project's binaries run on Debian unpatched.
{
  host,
  hostPackage,
  lib,
  platform,
}:
final: previous:
let
  empty =
    name:
    hostPackage {
      inherit name;
      commands = "mkdir -p $out/lib";
    };
in
{
  # rust-overlay reads the scripts of nixpkgs' bintools wrapper in this folder.
  path = ./..;
  gcc = previous.gcc // {
    bintools = previous.gcc // {
      shell = host.bash;
      coreutils_bin = final.coreutils;
      targetPrefix = "";
      suffixSalt = lib.replaceStrings [ "-" "." ] [ "_" "_" ] platform.config;
      wrapperName = "BINTOOLS_WRAPPER";
      expandResponseParams = "";
    };
  };
  bintools = final.gcc;
  gccForLibs.lib = empty "gcc-lib";
  zlib = empty "zlib";
  libiconv = empty "libiconv";
  curl = empty "curl" // {
    out = empty "curl";
  };
  lndir = empty "lndir";
  patchelf = empty "patchelf";
  rustc = { };
  cargo = { };
  clippy = { };
  rustfmt = { };
  autoPatchelfHook = final.makeSetupHook { name = "auto-patchelf-hook"; } (builtins.toFile "hook.sh" "");
}
