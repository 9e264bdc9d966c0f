let
  apple = [
    "-Clinker-flavor=ld64.lld"
    "-Clink-arg=-dead_strip_dylibs"
    "-Clink-arg=-adhoc_codesign"
    "-Clink-arg=-oso_prefix"
    "-Clink-arg=."
  ];
in
{
  variables = [ ];
  names = {
    aarch64-apple-darwin = "rust-lld";
    aarch64-unknown-linux-gnu = "zig-aarch64-linux-gnu.2.28-link";
    aarch64-unknown-linux-musl = "cross-aarch64-unknown-linux-musl-link";
    x86_64-apple-darwin = "rust-lld";
    x86_64-unknown-linux-gnu = "zig-x86_64-linux-gnu.2.28-link";
    x86_64-unknown-linux-musl = "cross-x86_64-unknown-linux-musl-link";
  };
  flags = {
    aarch64-apple-darwin = apple;
    aarch64-unknown-linux-gnu = [ ];
    aarch64-unknown-linux-musl = [ ];
    x86_64-apple-darwin = apple;
    x86_64-unknown-linux-gnu = [ ];
    x86_64-unknown-linux-musl = [ ];
  };
}
