{ system }:
let
  zig = [
    "node-bindings-darwin-arm64"
    "node-bindings-darwin-x64"
    "node-bindings-fast"
    "node-bindings-js"
    "node-bindings-linux-arm64-gnu"
    "node-bindings-linux-x64-gnu"
    "node-c-darwin-arm64"
    "node-c-darwin-x64"
    "node-c-linux-arm64-gnu"
    "node-c-linux-x64-gnu"
  ];
in
{
  aarch64-darwin = zig;
  aarch64-linux = zig;
  x86_64-linux = [
    "node-bindings-darwin-arm64"
    "node-bindings-darwin-x64"
    "node-bindings-fast"
    "node-bindings-js"
    "node-bindings-linux-arm64-gnu"
    "node-bindings-linux-arm64-musl"
    "node-bindings-linux-x64-gnu"
    "node-bindings-linux-x64-musl"
    "node-c-darwin-arm64"
    "node-c-darwin-x64"
    "node-c-linux-arm64-gnu"
    "node-c-linux-arm64-musl"
    "node-c-linux-x64-gnu"
    "node-c-linux-x64-musl"
  ];
}
.${system}
