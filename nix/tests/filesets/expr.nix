{ lib, fixture }:
let
  relative = file: lib.removePrefix "./" (lib.path.removePrefix fixture.root file);
  files = fileset: map relative (lib.fileset.toList fileset);
in
{
  forCrate = files (fixture.filesets.forCrate (fixture.root + "/addon"));
  depsOnly = files (fixture.filesets.depsOnly (fixture.root + "/addon"));
}
