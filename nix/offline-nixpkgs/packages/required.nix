# Packages unpacked from files that `cargo xtask setup` puts into the store, in the layout of nixpkgs' packages.
{
  hostPackage,
  lib,
  platform,
  requiredFile,
}:
_: _:
let
  package =
    name: registryName: commands:
    let
      required = requiredFile registryName;
    in
    hostPackage {
      inherit name;
      commands = commands required.file;
      attributes = { inherit (required) version; };
    };

  unpackInto = directory: file: ''
    mkdir -p ${directory}
    tar xzf ${file} -C ${directory} --strip-components=1 --no-same-owner
  '';

  # Modules that @napi-rs/cli imports at startup.
  cliModules = [
    "clipanion"
    "colorette"
    "es-toolkit"
    "js-yaml"
    "obug"
    "semver"
    "typanion"
  ];
  # @napi-rs/cli also imports these modules, for interactive commands and for GitHub; placeholders suffice.
  cliAbsent = {
    "@octokit/rest" = [ "Octokit" ];
    "@inquirer/prompts" = [
      "checkbox"
      "confirm"
      "input"
      "select"
    ];
  };
  absentModule =
    name: exports:
    let
      refuse = export: "export function ${export}() { throw new Error('offline-nixpkgs has no ${name}; use the real nixpkgs') }";
    in
    ''
      mkdir -p $modules/${name}
      echo '{ "type": "module", "exports": "./index.js" }' >$modules/${name}/package.json
      echo "${lib.concatMapStringsSep "\n" refuse exports}" >$modules/${name}/index.js
    '';

  # Up to version 6, nixpkgs' typescript is a script in lib/node_modules with a link in bin.
  scriptedTypescript =
    name:
    package "typescript" name (
      tarball:
      unpackInto "$out/lib/node_modules/typescript" tarball
      + ''
        mkdir -p $out/bin
        ln -s ../lib/node_modules/typescript/bin/tsc $out/bin/tsc
      ''
    );
  typescript = scriptedTypescript "typescript";
in
{
  inherit typescript;

  zig = package "zig" "ziglang" (wheel: ''
    mkdir -p $out/bin
    unzip -q ${wheel} 'ziglang/*' -d $out
    chmod +x $out/ziglang/zig
    ln -s ../ziglang/zig $out/bin/zig
  '');

  cargo-zigbuild = package "cargo-zigbuild" "cargo-zigbuild" (wheel: ''
    mkdir -p $out/bin
    unzip -q -j ${wheel} '*.data/scripts/cargo-zigbuild' -d $out/bin
    chmod +x $out/bin/cargo-zigbuild
  '');

  # Other versions that nixpkgs has or will have. Version 7 is a native program.
  typescriptLayouts = lib.optionalAttrs (platform.system == "x86_64-linux") {
    "5" = scriptedTypescript "typescript_5";
    "7" = package "typescript" "typescript_7" (
      tarball:
      unpackInto "$out/lib/typescript" tarball
      + ''
        mkdir -p $out/bin
        ln -s ../lib/typescript/lib/tsc $out/bin/tsc
      ''
    );
  };

  napi-rs-cli_3 = package "napi-rs-cli" "@napi-rs/cli" (
    tarball:
    ''
      modules=$out/lib/napi-rs-cli/node_modules
    ''
    + unpackInto "$out/lib/napi-rs-cli" tarball
    + lib.concatMapStrings (name: unpackInto "$modules/${name}" (requiredFile name).file) cliModules
    + lib.concatStrings (lib.mapAttrsToList absentModule cliAbsent)
    + "ln -s ${typescript}/lib/node_modules/typescript $modules/typescript"
  );
}
