# Every variable that names a tool carries the target's suffix.
{ nodeEnv }:
nodeEnv.environment "x86_64-unknown-linux-gnu" {
  cc = "the-cc";
  cxx = "the-c++";
  ar = "the-ar";
  ranlib = "the-ranlib";
  linker = "the-ld";
}
