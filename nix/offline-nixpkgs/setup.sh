# Every builder sources this file first. The file defines inputs, hooks and phases, as nixpkgs' setup.sh does,
# but only those that crane and rust-overlay need.
set -e -o pipefail
shopt -s inherit_errexit nullglob
: "${outputs:=out}" "${NIX_BUILD_CORES:=1}"
export NIX_BUILD_CORES SHELL CONFIG_SHELL=$SHELL SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800} TZ=UTC LC_ALL=C.UTF-8
export TMP=${NIX_BUILD_TOP:?} TEMP=$NIX_BUILD_TOP TMPDIR=$NIX_BUILD_TOP TEMPDIR=$NIX_BUILD_TOP
export NIX_SSL_CERT_FILE=${NIX_SSL_CERT_FILE-/no-cert-file.crt}
unset PKG_CONFIG_PATH

# --- hooks: runs a function or a variable of that name, then the functions that setup hooks registered
_isFunction() { declare -F "$1" >/dev/null; }

_runOne() {
  if _isFunction "$1"; then "$1"; else eval "$1"; fi
}

runHook() {
  local hook=$1 registered="${1}Hooks[@]" one
  if [[ $hook == *Hook ]]; then registered="${hook%Hook}Hooks[@]"; fi
  if _isFunction "$hook"; then "$hook"; elif [ -n "${!hook-}" ]; then eval "${!hook}"; fi
  for one in "${!registered}"; do _runOne "$one"; done
}

# --- substitution: substitute IN OUT [--replace[-fail] FROM TO | --subst-var NAME | --subst-var-by NAME VALUE]...
substitute() {
  local in=$1 out=$2 text name
  shift 2
  text=$(cat "$in"; printf x) # keeps trailing newlines
  text=${text%x}
  while (($#)); do
    case $1 in
    --replace | --replace-fail)
      if [ "$1" = --replace-fail ] && [[ $text != *"$2"* ]]; then
        echo "substitute: $in does not contain $2" >&2
        return 1
      fi
      text=${text//"$2"/"$3"}
      shift 3
      ;;
    --subst-var)
      name=$2
      text=${text//"@$name@"/"${!name}"}
      shift 2
      ;;
    --subst-var-by)
      text=${text//"@$2@"/"$3"}
      shift 3
      ;;
    *)
      echo "substitute: unknown option $1" >&2
      return 1
      ;;
    esac
  done
  printf %s "$text" >"$out"
}

# Replaces every @name@ for which a variable is exported.
substituteAll() {
  local in=$1 out=$2 name options=()
  for name in $(compgen -e); do
    if [[ $name =~ ^[a-z][a-zA-Z0-9_]*$ ]]; then options+=(--subst-var "$name"); fi
  done
  substitute "$in" "$out" "${options[@]}"
}

substituteInPlace() {
  local file=$1
  shift
  substitute "$file" "$file.substituted" "$@"
  chmod --reference="$file" "$file.substituted"
  mv "$file.substituted" "$file"
}

# --- inputs: adds inputs, including propagated ones, to PATH, and sources their setup hooks
declare -A _activated
_activate() {
  local input=$1 list one
  if [ -n "${_activated[$input]-}" ]; then return; fi
  _activated[$input]=1
  if [ -f "$input" ]; then # a bare script is its own setup hook
    source "$input"
    return
  fi
  for list in "$input"/nix-support/propagated-{native-,}build-inputs; do
    for one in $([ ! -f "$list" ] || cat "$list"); do _activate "$one"; done
  done
  if [ -d "$input/bin" ]; then PATH=$PATH:$input/bin; fi
  if [ -f "$input/nix-support/setup-hook" ]; then source "$input/nix-support/setup-hook"; fi
}

PATH=$initialPath/bin
for _input in ${depsBuildBuild-} ${nativeBuildInputs-} ${propagatedNativeBuildInputs-} ${buildInputs-} \
  ${propagatedBuildInputs-} $defaultNativeBuildInputs; do
  _activate "$_input"
done
# The inputs come before the base tools.
PATH=${PATH#"$initialPath/bin:"}:$initialPath/bin
export PATH

# --- phases
unpackPhase() {
  runHook preUnpack
  if [ -d "${src:?variable src should name the source}" ]; then
    sourceRoot=${src##*/}
    if [[ $sourceRoot =~ ^[0-9a-z]{32}- ]]; then sourceRoot=${sourceRoot:33}; fi
    cp -r --preserve=mode,timestamps --reflink=auto -- "$src" "$sourceRoot"
  else
    tar xf "$src" --no-same-owner
    local directories=(*/)
    sourceRoot=${directories[0]%/}
  fi
  chmod -R u+w -- "$sourceRoot"
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  runHook postPatch
}

# A phase that a derivation does not define only runs its hooks.
configurePhase() { runHook preConfigure; runHook postConfigure; }
buildPhase() { runHook preBuild; runHook postBuild; }
installPhase() { runHook preInstall; runHook postInstall; }
fixupPhase() { runHook preFixup; runHook postFixup; }

_skipped() { # "Unpack" -> succeeds if dontUnpack is set
  local variable=dont$1
  [ -n "${!variable-}" ]
}

_runPhase() {
  local phase=$1 name=${1%Phase}
  if _skipped "${name^}"; then return; fi
  echo "Running phase: $phase" >&2
  if [ -n "${!phase-}" ]; then eval "${!phase}"; else "$phase"; fi
  if [ "$phase" = unpackPhase ]; then cd -- "${sourceRoot:-.}"; fi
}

genericBuild() {
  local phase
  if [ -n "${buildCommandPath-}" ]; then
    source "$buildCommandPath"
    return
  fi
  for phase in unpackPhase patchPhase configurePhase buildPhase ${doCheck:+checkPhase} installPhase fixupPhase; do
    _runPhase "$phase"
  done
}

cd "$NIX_BUILD_TOP"
runHook preHook
runHook postHook
