# Packages that are symlinks to the machine's programs.
{
  host,
  hostPackage,
  lib,
}:
final: _:
let
  programs =
    name: binaries:
    hostPackage {
      inherit name;
      commands = "mkdir -p $out/bin; for b in ${toString binaries}; do ln -s ${host.bin}/$b $out/bin/$b; done";
      attributes.meta.mainProgram = lib.head binaries;
    };
  # coreutils, diffutils, findutils, gawk, grep, gzip, make, patch, sed, tar, unzip, xz
  baseTools = toString [
    "[ awk basename cat chmod cmp comm cp cut date dd diff dirname du echo egrep env expr false fgrep find fold"
    "grep gunzip gzip head id install join ln ls make mkdir mktemp mv nproc od paste patch printf pwd readlink"
    "realpath rm rmdir sed seq sha256sum sleep sort split stat tac tail tar tee test touch tr true uname uniq"
    "unzip wc which xargs xz yes zcat"
  ];
  compilers = "cc:gcc c++:g++ gcc:gcc g++:g++ cpp:cpp";
  binutils = "ar as ld nm objcopy objdump ranlib readelf size strings strip addr2line";
in
{
  # The programs that nixpkgs' stdenv has on PATH.
  hostTools = hostPackage {
    name = "host-tools";
    commands = ''
      mkdir -p $out/bin
      for b in ${baseTools}; do ln -s ${host.bin}/$b $out/bin/$b; done
      ln -sf ${host.bash} $out/bin/bash
      ln -sf ${host.bash} $out/bin/sh
    '';
  };
  coreutils = final.hostTools;
  gnutar = final.hostTools;

  bash = hostPackage {
    name = "bash";
    commands = "mkdir -p $out/bin; ln -s ${host.bash} $out/bin/bash; ln -s ${host.bash} $out/bin/sh";
  };
  runtimeShell = host.bash;

  gcc = hostPackage {
    name = "cc";
    commands = ''
      mkdir -p $out/bin
      for pair in ${compilers}; do ln -s ${host.bin}/''${pair#*:} $out/bin/''${pair%:*}; done
      for b in ${binutils}; do ln -s ${host.bin}/$b $out/bin/$b; done
    '';
    attributes = {
      cc = final.gcc;
      isGNU = true;
      isClang = false;
      targetPrefix = "";
    };
  };

  # A package that evaluates but cannot be built.
  absent =
    name:
    hostPackage {
      inherit name;
      commands = "echo 'offline-nixpkgs has no ${name}; use the real nixpkgs' >&2; exit 1";
    };
  nixfmt-tree = final.absent "nixfmt-tree";

  jq = programs "jq" [ "jq" ];
  zstd = programs "zstd" [ "zstd" ];
  rsync = programs "rsync" [ "rsync" ];
  git = programs "git" [ "git" ];
  perl = programs "perl" [ "perl" ];
  nodejs = programs "nodejs" [ "node" ];
  pkg-config = programs "pkg-config" [ "pkg-config" ];
  pkg-config-unwrapped = final.pkg-config;
  llvm = programs "llvm" [ "dsymutil" ];
}
