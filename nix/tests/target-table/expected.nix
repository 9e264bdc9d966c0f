{
  empty = [ "there is no row under \"targets\"" ];
  right = [ ];
  missing = [
    "x86_64-unknown-linux-musl has no \"libc\""
    "another-platform has no \"floor\""
    "another-platform has no \"triple\""
  ];
  twice = [
    "x86_64-unknown-linux-musl stands twice as \"triple\""
    "another-platform stands twice as \"platform\""
  ];
  stops = true;
}
