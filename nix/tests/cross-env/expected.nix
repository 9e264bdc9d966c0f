{
  aarch64-apple-darwin = {
    CARGO_BUILD_TARGET = "aarch64-apple-darwin";
    CC_aarch64_apple_darwin = "the-cc";
    CXX_aarch64_apple_darwin = "the-c++";
    AR_aarch64_apple_darwin = "the-ar";
    RANLIB_aarch64_apple_darwin = "the-ranlib";
    CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER = "the-ld";
  };
  aarch64-unknown-linux-gnu = {
    CARGO_BUILD_TARGET = "aarch64-unknown-linux-gnu";
    CC_aarch64_unknown_linux_gnu = "the-cc";
    CXX_aarch64_unknown_linux_gnu = "the-c++";
    AR_aarch64_unknown_linux_gnu = "the-ar";
    RANLIB_aarch64_unknown_linux_gnu = "the-ranlib";
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER = "the-ld";
  };
  aarch64-unknown-linux-musl = {
    CARGO_BUILD_TARGET = "aarch64-unknown-linux-musl";
    CC_aarch64_unknown_linux_musl = "the-cc";
    CXX_aarch64_unknown_linux_musl = "the-c++";
    AR_aarch64_unknown_linux_musl = "the-ar";
    RANLIB_aarch64_unknown_linux_musl = "the-ranlib";
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER = "the-ld";
  };
  x86_64-apple-darwin = {
    CARGO_BUILD_TARGET = "x86_64-apple-darwin";
    CC_x86_64_apple_darwin = "the-cc";
    CXX_x86_64_apple_darwin = "the-c++";
    AR_x86_64_apple_darwin = "the-ar";
    RANLIB_x86_64_apple_darwin = "the-ranlib";
    CARGO_TARGET_X86_64_APPLE_DARWIN_LINKER = "the-ld";
  };
  x86_64-pc-windows-msvc = {
    CARGO_BUILD_TARGET = "x86_64-pc-windows-msvc";
    CC_x86_64_pc_windows_msvc = "the-cc";
    CXX_x86_64_pc_windows_msvc = "the-c++";
    AR_x86_64_pc_windows_msvc = "the-ar";
    RANLIB_x86_64_pc_windows_msvc = "the-ranlib";
    CARGO_TARGET_X86_64_PC_WINDOWS_MSVC_LINKER = "the-ld";
  };
  x86_64-unknown-linux-gnu = {
    CARGO_BUILD_TARGET = "x86_64-unknown-linux-gnu";
    CC_x86_64_unknown_linux_gnu = "the-cc";
    CXX_x86_64_unknown_linux_gnu = "the-c++";
    AR_x86_64_unknown_linux_gnu = "the-ar";
    RANLIB_x86_64_unknown_linux_gnu = "the-ranlib";
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER = "the-ld";
  };
  x86_64-unknown-linux-musl = {
    CARGO_BUILD_TARGET = "x86_64-unknown-linux-musl";
    CC_x86_64_unknown_linux_musl = "the-cc";
    CXX_x86_64_unknown_linux_musl = "the-c++";
    AR_x86_64_unknown_linux_musl = "the-ar";
    RANLIB_x86_64_unknown_linux_musl = "the-ranlib";
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER = "the-ld";
  };
}
