# musl targets have a zig name too, so that setting "toolchain" to "zig" in targets.json is enough to switch them.
{ nodeEnv }:
{
  x64 = nodeEnv.zigTarget "x86_64-unknown-linux-gnu";
  arm64 = nodeEnv.zigTarget "aarch64-unknown-linux-gnu";
  musl = nodeEnv.zigTarget "x86_64-unknown-linux-musl";
  darwin = nodeEnv.zigTarget "aarch64-apple-darwin";
  windows = (builtins.tryEval (nodeEnv.zigTarget "x86_64-pc-windows-msvc")).success;
}
