{
  aarch64-apple-darwin = {
    CARGO_BUILD_TARGET = "aarch64-apple-darwin";
    CC_aarch64_apple_darwin = "the-cc";
    CXX_aarch64_apple_darwin = "the-c++";
    AR_aarch64_apple_darwin = "the-ar";
    RANLIB_aarch64_apple_darwin = "the-ranlib";
    CFLAGS_aarch64_apple_darwin = "-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -DSQLCIPHER_OMIT_LOG_DEVICE";
  };
  aarch64-pc-windows-msvc = {
    CARGO_BUILD_TARGET = "aarch64-pc-windows-msvc";
    CC_aarch64_pc_windows_msvc = "the-cc";
    CXX_aarch64_pc_windows_msvc = "the-c++";
    AR_aarch64_pc_windows_msvc = "the-ar";
    RANLIB_aarch64_pc_windows_msvc = "the-ranlib";
    CFLAGS_aarch64_pc_windows_msvc = "";
  };
  aarch64-unknown-linux-gnu = {
    CARGO_BUILD_TARGET = "aarch64-unknown-linux-gnu";
    CC_aarch64_unknown_linux_gnu = "the-cc";
    CXX_aarch64_unknown_linux_gnu = "the-c++";
    AR_aarch64_unknown_linux_gnu = "the-ar";
    RANLIB_aarch64_unknown_linux_gnu = "the-ranlib";
    CFLAGS_aarch64_unknown_linux_gnu = "-fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2";
  };
  aarch64-unknown-linux-musl = {
    CARGO_BUILD_TARGET = "aarch64-unknown-linux-musl";
    CC_aarch64_unknown_linux_musl = "the-cc";
    CXX_aarch64_unknown_linux_musl = "the-c++";
    AR_aarch64_unknown_linux_musl = "the-ar";
    RANLIB_aarch64_unknown_linux_musl = "the-ranlib";
    CFLAGS_aarch64_unknown_linux_musl = "-fstack-protector-strong -fstack-clash-protection -fno-semantic-interposition";
  };
  x86_64-apple-darwin = {
    CARGO_BUILD_TARGET = "x86_64-apple-darwin";
    CC_x86_64_apple_darwin = "the-cc";
    CXX_x86_64_apple_darwin = "the-c++";
    AR_x86_64_apple_darwin = "the-ar";
    RANLIB_x86_64_apple_darwin = "the-ranlib";
    CFLAGS_x86_64_apple_darwin = "-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -DSQLCIPHER_OMIT_LOG_DEVICE";
  };
  x86_64-pc-windows-msvc = {
    CARGO_BUILD_TARGET = "x86_64-pc-windows-msvc";
    CC_x86_64_pc_windows_msvc = "the-cc";
    CXX_x86_64_pc_windows_msvc = "the-c++";
    AR_x86_64_pc_windows_msvc = "the-ar";
    RANLIB_x86_64_pc_windows_msvc = "the-ranlib";
    CFLAGS_x86_64_pc_windows_msvc = "";
  };
  x86_64-unknown-linux-gnu = {
    CARGO_BUILD_TARGET = "x86_64-unknown-linux-gnu";
    CC_x86_64_unknown_linux_gnu = "the-cc";
    CXX_x86_64_unknown_linux_gnu = "the-c++";
    AR_x86_64_unknown_linux_gnu = "the-ar";
    RANLIB_x86_64_unknown_linux_gnu = "the-ranlib";
    CFLAGS_x86_64_unknown_linux_gnu = "-fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fomit-frame-pointer";
  };
  x86_64-unknown-linux-musl = {
    CARGO_BUILD_TARGET = "x86_64-unknown-linux-musl";
    CC_x86_64_unknown_linux_musl = "the-cc";
    CXX_x86_64_unknown_linux_musl = "the-c++";
    AR_x86_64_unknown_linux_musl = "the-ar";
    RANLIB_x86_64_unknown_linux_musl = "the-ranlib";
    CFLAGS_x86_64_unknown_linux_musl = "-fstack-protector-strong -fstack-clash-protection -fomit-frame-pointer -fno-semantic-interposition";
  };
}
