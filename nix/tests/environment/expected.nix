{
  CARGO_BUILD_TARGET = "x86_64-unknown-linux-gnu";
  CC_x86_64_unknown_linux_gnu = "the-cc";
  CXX_x86_64_unknown_linux_gnu = "the-c++";
  AR_x86_64_unknown_linux_gnu = "the-ar";
  RANLIB_x86_64_unknown_linux_gnu = "the-ranlib";
  CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER = "the-ld";
}
