# Shared by ./run, ./test, .ci/run and tools/*: sourced, not run. Leaves the caller in its folder.
# shellcheck shell=bash

KVS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KVS_JOBS=${KVS_JOBS:-$(nproc)}

say() { printf '== %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# quietly LOG WHAT COMMAND...: runs the command with its output in LOG; if it fails, shows the end
# of the log and dies saying that WHAT failed.
quietly() {
  local log=$1 what=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    die "$what failed; the whole output is in $log"
  fi
}

# missing_packages LIST...: the packages of those lists in tools/packages.txt that are not installed.
missing_packages() {
  local list package
  for list in "$@"; do
    while read -r package; do
      if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
        printf '%s\n' "$package"
      fi
    done < <(awk -v list="$list" '$1 == list { print $2 }' "$KVS_ROOT/tools/packages.txt")
  done
}

# install_packages LIST...: makes sure of the Debian packages of those lists; touches nothing if
# all are there.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: the packages of tools/packages.txt are taken to be there"
    return
  fi
  local -a missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} -eq 0 ]]; then
    return
  fi
  if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
      die "packages are missing and this user may not install them; as root: apt-get install ${missing[*]}"
    fi
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  local log=$KVS_ROOT/build/install.log
  mkdir -p "$KVS_ROOT/build"
  # A source that does not answer is no reason to stop: the install below decides.
  "${as_root[@]}" "${apt[@]}" update >"$log" 2>&1 </dev/null ||
    say "apt-get update did not reach every source; trying with what is known"
  quietly "$log" "apt-get install ${missing[*]}" \
    "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}

# build PRESET [TARGET...]: configures and builds a preset of CMakePresets.json into build/PRESET.
# With build_once set, in a way that is faster from nothing and slower after a change.
build() {
  local preset=$1
  shift
  local folder=$KVS_ROOT/build/$preset
  say "building $preset in build/$preset ($KVS_JOBS jobs)"
  quietly "$folder.configure.log" "configuring $preset" \
    cmake -S "$KVS_ROOT" --preset "$preset" ${build_once:+-DKVS_UNITY=ON -DKVS_PCH=ON}
  quietly "$folder.build.log" "building $preset" \
    cmake --build "$folder" --parallel "$KVS_JOBS" ${1:+--target "$@"}
}
