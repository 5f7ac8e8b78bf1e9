# Sourced by tools/run, tools/test and .ci/run, never run: installs the Debian packages that are missing.
# With everything installed it asks neither apt nor the network.
# shellcheck shell=bash

# Package, and what it is for. Other systems have these packages under other names.
readonly needed_packages=(
  "bazel-bootstrap: Bazel 4.2, builds everything, brings a JDK"
  "build-essential: make, the C compiler and library headers"
  "g++: the C++20 compiler, GCC 12 or later"
  "python3: used by Bazel, and to ask whether io_uring works"
  "liburing-dev: io_uring, the rings between host and card"
  "libboost-context-dev: Boost.Context, switches between jobs"
  "libboost-dev: Boost headers, among them Boost.Histogram"
  "libexpected-dev: tl::expected, errors of set-up calls"
  "libssl-dev: libcrypto and libssl 3, the work of the card and the modules for OpenSSL"
  "openssl: the openssl program, which tests run"
  "curl: a client that tests run against a TLS server"
  "haproxy: a TLS server that tests run with the modules"
  "zlib1g-dev: zlib, compression on the card"
  "libcli11-dev: CLI11, command lines"
  "libtomlplusplus-dev: toml++, configuration files"
  "libfmt-dev: fmt, tables"
  "nlohmann-json3-dev: JSON for Modern C++, reports"
  "libelf-dev: libelf of elfutils, programs as files"
  "libdw-dev: libdw of elfutils, source lines of call sites"
  "libgtest-dev: GoogleTest"
  "libgmock-dev: GoogleMock"
  "libbenchmark-dev: Google Benchmark"
)
# What the static checks and --config=sanitize need besides.
readonly check_packages=(
  "clang: the compiler that checks locks, layers, addresses and undefined behaviour"
  "libclang-rt-dev: sanitizers of clang"
  "lld: the linker for what clang compiled with sanitizers"
  "clang-tidy: finds mistakes"
  "clang-format: keeps the layout"
  "shellcheck: finds mistakes in scripts"
)

# The top of the tree, wherever the caller stands.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root

say() { printf 'ghostcard: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# Runs a command and shows what it prints only where somebody watches; when it failed, its end.
quietly_lines=200
quietly() {
  if [[ -t 2 ]]; then
    "$@" >&2
    return
  fi
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  ((status == 0)) || tail -n "$quietly_lines" "$log" >&2
  rm -f "$log"
  return "$status"
}

# Bazel in our tree. It keeps its files under the home directory; accounts of services and containers
# often have none that can be written.
bazel() {
  local startup=()
  local home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
  if [[ ! -w $home ]]; then
    startup=("--output_user_root=${TMPDIR:-/tmp}/ghostcard-bazel-$(id -u)")
  fi
  (cd "$root" && command bazel "${startup[@]}" "$@")
}

# Prints those of the packages that are not installed. Takes lines as above.
missing_packages() {
  local installed line
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${@%%:*}" 2>/dev/null || true)
  for line in "$@"; do
    grep -qxF "${line%%:*} installed" <<<"$installed" || printf '%s\n' "${line%%:*}"
  done
}

# Runs a command as root.
as_root() {
  if ((EUID == 0)); then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif [[ -t 0 ]]; then
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else # nobody there to type a password
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# Prints those of the packages that apt does not know.
unknown_packages() {
  local package
  for package in "$@"; do
    [[ -n $(apt-cache show --no-all-versions "$package" 2>/dev/null) ]] || printf '%s ' "$package"
  done
}

system_name() { (. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-}") || printf 'this system'; }

install_packages() {
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "packages are missing, and this account is not root and has no sudo. Have root run:" \
      "apt-get install --no-install-recommends $*"
  fi
  say "installing $# Debian packages, the first time only: $*"
  quietly_lines=5 # apt repeats one complaint for each package
  # A list that cannot be fetched need not be one of those that matter: go on, and remember.
  local updated=true
  quietly as_root apt-get -q -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=300 update || updated=false
  local unknown
  unknown=$(unknown_packages "$@")
  if [[ -n $unknown ]]; then
    $updated || fail "apt-get update failed (see above); without it apt does not know: $unknown"
    fail "$(system_name) has no package ${unknown% }. Ghostcard is made for Debian 12 (main)."
  fi
  quietly as_root apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" ||
    fail "apt-get install failed, see above.$($updated || printf ' So did apt-get update: is there a network?')"
}

# Prints the errno of io_uring_setup(2), 0 if it works.
io_uring_errno() {
  python3 -c '
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(425, 2, ctypes.create_string_buffer(120))  # io_uring_setup, 120: sizeof(io_uring_params)
print(ctypes.get_errno() if fd < 0 else 0)' 2>/dev/null || echo 0
}

# io_uring can be done without, so this warns at most.
check_io_uring() {
  local error why
  error=$(io_uring_errno)
  case $error in
    0) return ;;
    38) why="the kernel ($(uname -r)) has none, or a seccomp filter hides it" ;;
    1 | 13)
      why="a seccomp filter forbids it (for Docker: --security-opt seccomp=unconfined)"
      local sysctl=/proc/sys/kernel/io_uring_disabled
      if [[ $(cat "$sysctl" 2>/dev/null) == [12] ]]; then
        why="sysctl kernel.io_uring_disabled is $(cat "$sysctl"); 0 allows it"
      fi
      ;;
    12) why="the limit on locked memory is too low (ulimit -l)" ;;
    *) why="errno $error" ;;
  esac
  say "warning: io_uring is refused: $why. The card uses its memory transport instead."
}

# Sees to it that what is needed is there: `set_up build`, or `set_up checks` for the static checks too.
set_up() {
  local packages=("${needed_packages[@]}")
  [[ $1 != checks ]] || packages+=("${check_packages[@]}")
  if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    local missing
    mapfile -t missing < <(missing_packages "${packages[@]}")
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
  elif type -P bazel >/dev/null; then
    say "$(system_name) is not a Debian system: using what is installed."
  else
    say "$(system_name) is not a Debian system, and has no bazel. Install the equivalents of these packages:"
    printf '  %s\n' "${packages[@]}" >&2
    exit 1
  fi
  check_io_uring
}
