# From the library that the linker made to the addon that is shipped, as a list of steps per platform: { triple,
# library } -> shell text that fills $out and $debug. Each step changes $addon in place; none replaces another.
{ pkgs }:
{ triple, library }:
let
  inherit (pkgs) lib nodeEnv;
  rust = nodeEnv.rustToolchain [ triple ];
  hostTriple = pkgs.stdenv.hostPlatform.rust.rustcTarget;
  platform = nodeEnv.platformName triple;
  name = "bindings_node.${platform}.node";

  # rustc's own, which knows every target; the binutils of one machine know that machine's files only.
  objcopy = "LD_LIBRARY_PATH=${rust}/lib ${rust}/lib/rustlib/${hostTriple}/bin/rust-objcopy";

  steps = {
    splitElf = ''
      ${objcopy} --only-keep-debug "$addon" "$debug/${name}.debug"
      # Debug information names each crate where it really is in the store; a debugger needs no more than the rest.
      LC_ALL=C sed -i -E "s|$NIX_STORE/[a-z0-9]{32}-|$NIX_STORE/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-|g" "$debug/${name}.debug"
      ${objcopy} --strip-all "$addon"
      # By the name alone, so in the directory of the debug information.
      (cd "$debug" && ${objcopy} --add-gnu-debuglink=${name}.debug "$addon")
    '';
    splitMachO = ''
      cp -r ${library}.dSYM "$debug/${name}.dSYM"
      ${objcopy} --strip-debug --discard-all "$addon"
    '';
    # Neither a store path nor what is left of one that was scrubbed.
    noStorePath = ''
      if grep -a -o -m 1 "$NIX_STORE/[^[:cntrl:]]*" "$addon"; then
        echo "fixup: ${name} holds that store path; find what put it there, or remap it in release-settings.nix" >&2
        exit 1
      fi
    '';
    installName = ''
      install_name_tool -id "@rpath/${name}" "$addon"
    '';
    # What the linker took from the store stands in /usr/lib on every Mac, under the same name.
    systemLibraries = ''
      for needed in $(otool -L "$addon" | sed -n 's|^[[:space:]]*\(${builtins.storeDir}/[^ ]*\) .*|\1|p'); do
        install_name_tool -change "$needed" "/usr/lib/''${needed##*/}" "$addon"
      done
    '';
    # Last: each change before it made the linker's signature invalid, and macOS loads no unsigned code on arm64.
    sign = ''
      ${pkgs.darwin.sigtool}/bin/codesign --force --sign - "$addon"
    '';
  };
  perSystem = {
    linux = [
      steps.splitElf
      steps.noStorePath
    ];
    darwin = [
      steps.splitMachO
      steps.installName
      steps.systemLibraries
      steps.noStorePath
      steps.sign
    ];
  };
in
''
  mkdir -p "$out" "$debug"
  addon=$out/${name}
  install -m 644 ${library} "$addon"
  ${lib.concatStrings perSystem.${(nodeEnv.target triple).os}}
  chmod 444 "$addon"
''
