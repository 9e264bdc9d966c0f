{
  glibc.glibc = "2.28";
  musl = { };
  macos.macos-arm64 = "11.0";
}
