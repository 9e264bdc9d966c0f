# The directories of a crate and of the workspace crates that the crate reaches through path dependencies of every kind.
# Cargo reads the manifest of each crate, even of crates that are not compiled.
{ lib, root }:
let
  manifest = directory: lib.importTOML (directory + "/Cargo.toml");
  shared = (manifest root).workspace.dependencies;
  kinds = [
    "dependencies"
    "dev-dependencies"
    "build-dependencies"
  ];
  declared =
    directory:
    let
      own = manifest directory;
      tables = [ own ] ++ lib.attrValues (own.target or { });
    in
    lib.concatMap (table: lib.concatMap (kind: lib.attrsToList (table.${kind} or { })) kinds) tables;

  inheritsOne = dependency: dependency.value.workspace or false;
  directoryOf =
    directory: dependency:
    if dependency.value ? path then
      [ (directory + "/${dependency.value.path}") ]
    else if inheritsOne dependency && shared.${dependency.name} ? path then
      [ (root + "/${shared.${dependency.name}.path}") ]
    else
      [ ];
  node = directory: {
    inherit directory;
    key = toString directory;
  };
in
crate:
let
  directories = map (step: step.directory) (
    builtins.genericClosure {
      startSet = [ (node crate) ];
      operator = step: map node (lib.concatMap (directoryOf step.directory) (declared step.directory));
    }
  );
in
{
  inherit directories;
  # The entries of [workspace.dependencies] that these crates inherit.
  inherited = lib.genAttrs (map (dependency: dependency.name) (
    lib.filter inheritsOne (lib.concatMap declared directories)
  )) (name: shared.${name});
}
