# From the library that the linker made to the addon that is shipped, as a list of steps per system: { triple, library } ->
# shell text that fills $out and $debug. Each step changes $addon in place; none replaces another.
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
      ${objcopy} --strip-all "$addon"
      # By the name alone, so in the directory of the debug information.
      (cd "$debug" && ${objcopy} --add-gnu-debuglink=${name}.debug "$addon")
    '';
    # rust-objcopy signs ad hoc again, as the linker did; the audit checks each page.
    splitMachO = ''
      # Cargo leaves a link to a folder. A debugger looks for the file by the addon's name.
      cp -rL ${library}.dSYM "$debug/${name}.dSYM"
      mv "$debug/${name}.dSYM/Contents/Resources/DWARF/"{${baseNameOf library},${name}}
      ${objcopy} --strip-debug --discard-all "$addon"
    '';
    # Debug information has the store path of each crate's source. The rest of the path is enough for a debugger.
    scrubDebug = ''
      LC_ALL=C find "$debug" -type f -exec sed -i -E "s|$NIX_STORE/[a-z0-9]{32}-|$NIX_STORE/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-|g" {} +
    '';
    # Neither a store path nor what is left of one that was scrubbed.
    noStorePath = ''
      if grep -a -o -m 1 "$NIX_STORE/[^[:cntrl:]]*" "$addon"; then
        echo "fixup: ${name} holds that store path; find what put it there, or remap it in release-settings.nix" >&2
        exit 1
      fi
    '';
  };
  perSystem = {
    linux = [
      steps.splitElf
      steps.scrubDebug
      steps.noStorePath
    ];
    darwin = [
      steps.splitMachO
      steps.scrubDebug
      steps.noStorePath
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
