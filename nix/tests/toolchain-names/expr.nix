# By name and not by store path: OpenSSL writes the name of its compiler into the library.
{ lib, nodeEnv }:
lib.mapAttrs (
  triple: _:
  let
    compiler = builtins.tryEval (nodeEnv.toolchain triple).compiling.cc;
  in
  if compiler.success then compiler.value else null
) nodeEnv.targets
