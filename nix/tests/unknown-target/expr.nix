{ mkNode, nodeEnv }:
let
  triple = "sparc64-unknown-linux-gnu";
  stops = name: !(builtins.tryEval (mkNode [ name ]).targets.${name}.drvPath).success;
in
{
  message = nodeEnv.unknownTarget triple;
  stops = stops triple;
  # In the table, but made by no toolchain of this flake.
  windowsStops = stops "x86_64-pc-windows-msvc";
}
