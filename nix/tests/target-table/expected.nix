{
  empty = [ "\"targets\" is missing or empty" ];
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
  unbuilt = [
    "x86_64-unknown-linux-musl has no build host"
    "another-triple has no build host"
  ];
  flagOfNoRow = [ "-one in \"cFlags\" names another-platform, which no row has" ];
  badFlag = [
    "-a b in \"rustFlags\" has no \"why\""
    "\"-a b\" in \"rustFlags\" is not one word"
    "an entry in \"rustFlags\" has no \"flag\""
    "an entry in \"rustFlags\" has no \"platforms\""
  ];
  noList = [
    "the list \"cFlags\" is missing"
    "the list \"rustFlags\" is missing"
  ];
  flags = {
    another-triple = [ "-one" ];
    x86_64-unknown-linux-musl = [ ];
  };
  stops = true;
}
