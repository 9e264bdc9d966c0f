{
  x64 = "x86_64-linux-gnu.2.28";
  arm64 = "aarch64-linux-gnu.2.28";
  musl = "x86_64-linux-musl";
  darwin = "aarch64-macos.11.0-none";
  windows = false;
}
