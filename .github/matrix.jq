# Prints the matrices of release-node.yml as lines for $GITHUB_OUTPUT. The rows come from targets.json; this file
# assigns GitHub's runners to them.
#
#   jq --raw-output --from-file .github/matrix.jq targets.json

def build_runner: {
  "x86_64-linux": "ubuntu-24.04",
  "aarch64-darwin": "macos-15",
  "windows": {"x64": "windows-2025", "arm64": "windows-11-arm"}[.cpu]
}[.buildHosts[0]] // error("\(.platform): no runner is known for the build host \(.buildHosts[0])");

def load_runner: {
  "linux-x64": "ubuntu-24.04",
  "linux-arm64": "ubuntu-24.04-arm",
  "darwin-arm64": "macos-15",
  "darwin-x64": "macos-15-intel",
  "win32-x64": "windows-2025",
  "win32-arm64": "windows-11-arm"
}["\(.os)-\(.cpu)"] // error("\(.platform): no runner is known for \(.os) on \(.cpu)");

# Images with each supported Node, each on the oldest Debian that has such an image; "" means the runner's own Node,
# without an image.
def images: {
  "glibc": ["node:20-bullseye-slim", "node:22-bookworm-slim", "node:24-trixie-slim"],
  "musl": ["node:20-alpine", "node:22-alpine", "node:24-alpine"]
}[.libc // "none"] // [""];

def build(os): [.targets[] | select(.os == os) | {platform, triple, runner: build_runner}];
# Windows on arm64 also runs a Node for x64, by emulation, and that Node takes the addon for x64.
def emulated: if .os == "win32" and .cpu == "x64" then "windows-11-arm" else empty end;
def load: [.targets[] | {platform, cpu, runner: (load_runner, emulated), image: images[]}];

"linux=\(build("linux") | tojson)",
"macos=\(build("darwin") | tojson)",
"windows=\(build("win32") | tojson)",
"load=\(load | tojson)"
