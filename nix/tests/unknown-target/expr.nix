{
  lib,
  mkNode,
  nodeEnv,
  packageSets,
}:
let
  triple = "sparc64-unknown-linux-gnu";
  windows = "x86_64-pc-windows-msvc";
  stops = list: !(builtins.tryEval (mkNode list).targets.${builtins.head list}.drvPath).success;
in
{
  message = nodeEnv.unknownTarget triple;
  stops = stops [ triple ];

  # The target is in the table, but no system of this flake builds it.
  windows = nodeEnv.notBuilt (lib.attrNames packageSets) windows;
  windowsStops = stops [ windows ];

  duplicateStops = stops [
    "x86_64-unknown-linux-gnu"
    "x86_64-unknown-linux-gnu"
  ];
  emptyStops = !(builtins.tryEval (mkNode [ ]).targets).success;
}
