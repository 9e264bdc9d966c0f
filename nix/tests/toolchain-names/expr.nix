# Compilers are names on PATH instead of store paths, since OpenSSL writes its compiler's name into the library.
{ lib, nodeEnv }:
lib.mapAttrs (
  triple: _:
  let
    compiler = builtins.tryEval (nodeEnv.toolchain triple).compiling.cc;
  in
  if compiler.success then compiler.value else null
) nodeEnv.targets
