# Prints the matrices of release-node.yml as lines for $GITHUB_OUTPUT. The rows come from targets.json; this file
# assigns GitHub's runners, images and versions of Node to them.
#
#   jq --raw-output --from-file .github/matrix.jq targets.json

# By the first of the target's build hosts. Windows has a runner for each processor.
def build_runners: {
  "x86_64-linux": "ubuntu-24.04",
  "aarch64-darwin": "macos-15",
  "windows": {"x64": "windows-2025", "arm64": "windows-11-arm"}[.cpu]
};

# By the target's system and processor.
def load_runners: {
  "linux-x64": "ubuntu-24.04",
  "linux-arm64": "ubuntu-24.04-arm",
  "darwin-arm64": "macos-15",
  "darwin-x64": "macos-15-intel",
  "win32-x64": "windows-2025",
  "win32-arm64": "windows-11-arm"
};

# Windows on arm64 also runs a Node for x64, by emulation, and that Node takes the addon for x64.
def emulated: if .os == "win32" and .cpu == "x64" then "windows-11-arm" else empty end;

# Images of the oldest Debian and of the newest Alpine that have an image with this Node for x64 and arm64
# (docker-library/official-images, commit 37079fb of 2026-08; Node 20 has kept its last images).
def images: {
  "glibc": ["20", "22", "24", "26"] | map("node:\(.)-bullseye-slim"),
  "musl": ["20", "22", "24", "26"] | map("node:\(.)-alpine")
};

# Versions for actions/setup-node, by system. nodejs.org has builds of all three for each processor.
def versions: {
  "darwin": ["20", "22", "24"],
  "win32": ["20", "22", "24"]
};

def build_runner:
  build_runners[.buildHosts[0]] // error("\(.platform): no runner is known for the build host \(.buildHosts[0])");
def load_runner:
  load_runners["\(.os)-\(.cpu)"] // error("\(.platform): no runner is known for \(.os) on \(.cpu)");

# A row has an image or a version of Node; the other of the two is "".
def nodes:
  if .libc then images[.libc] // error("\(.platform): no image is known for the C library \(.libc)")
    | map({image: ., node: ""})
  else versions[.os] // error("\(.platform): no version of Node is known for \(.os)") | map({image: "", node: .}) end;

def build(os): [.targets[] | select(.os == os) | {platform, triple, runner: build_runner}];
def load: [.targets[] | {platform, cpu, runner: (load_runner, emulated)} + nodes[]];

"linux=\(build("linux") | tojson)",
"macos=\(build("darwin") | tojson)",
"windows=\(build("win32") | tojson)",
"load=\(load | tojson)"
