{
  empty = [ "there is no row under \"targets\"" ];
  right = [ ];
  missing = [
    "x86_64-unknown-linux-musl has no \"libc\""
    "another-platform has no \"floor\""
    "another-platform has no \"triple\""
  ];
  twice = [
    "two rows have the \"triple\" x86_64-unknown-linux-musl"
    "two rows have the \"platform\" another-platform"
  ];
  unbuilt = [ "x86_64-unknown-linux-musl has no build host" ];
  flagOfNoRow = [ "\"cFlags\" has -one for another-platform, which no row is named" ];
  flags = {
    another-triple = [ "-one" ];
    x86_64-unknown-linux-musl = [ ];
  };
  stops = true;
}
