{
  message = "nodeEnv: targets.json has no target sparc64-unknown-linux-gnu; known targets: aarch64-apple-darwin, aarch64-pc-windows-msvc, aarch64-unknown-linux-gnu, aarch64-unknown-linux-musl, x86_64-apple-darwin, x86_64-pc-windows-msvc, x86_64-unknown-linux-gnu, x86_64-unknown-linux-musl";
  stops = true;
  windows = "mkNode: x86_64-pc-windows-msvc builds on windows, but mkNode has package sets only for aarch64-darwin, aarch64-linux, x86_64-linux; add a build host to targets.json, or a package set";
  windowsStops = true;
  duplicateStops = true;
  emptyStops = true;
}
