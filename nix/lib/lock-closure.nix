# The part of a parsed Cargo.lock that one package reaches: lock -> package name -> lock.
{ lib }:
lock: name:
let
  # Cargo writes a dependency as "name", or, if that is ambiguous, as "name version" or "name version (source)".
  spellings = package: [
    package.name
    "${package.name} ${package.version}"
    "${package.name} ${package.version} (${package.source or ""})"
  ];
  bySpelling = lib.listToAttrs (
    lib.concatMap (package: map (spelling: lib.nameValuePair spelling package) (spellings package)) lock.package
  );
  find =
    spelling:
    bySpelling.${spelling} or (throw "lockClosure: Cargo.lock has no package ${spelling}; run: cargo metadata");
  node =
    spelling:
    let
      package = find spelling;
    in
    {
      inherit package;
      key = "${package.name} ${package.version}";
    };
  reached = builtins.genericClosure {
    startSet = [ (node name) ];
    operator = step: map node (step.package.dependencies or [ ]);
  };
in
{
  inherit (lock) version;
  package = map (step: step.package) reached;
}
