{
  aarch64-apple-darwin = "zig-aarch64-macos.11.0-none-cc";
  aarch64-pc-windows-msvc = null;
  aarch64-unknown-linux-gnu = "zig-aarch64-linux-gnu.2.28-cc";
  aarch64-unknown-linux-musl = "cross-aarch64-unknown-linux-musl-cc";
  x86_64-apple-darwin = "zig-x86_64-macos.10.15-none-cc";
  x86_64-pc-windows-msvc = null;
  x86_64-unknown-linux-gnu = "zig-x86_64-linux-gnu.2.28-cc";
  x86_64-unknown-linux-musl = "cross-x86_64-unknown-linux-musl-cc";
}
