# Sourced by tools/run, tools/test and .ci/run: installs the Debian packages that are missing.
# With everything installed it asks no package manager and no network.

# What a build and the tests need.
PACKAGES=(
  bazel-bootstrap       # the build; brings a JDK
  build-essential       # g++ 12
  python3               # small test helpers
  liburing-dev          # the rings
  libboost-context-dev  # fibres
  libboost-dev
  libexpected-dev       # tl::expected
  libssl-dev openssl    # libcrypto: the operations
  zlib1g-dev            # deflate
  libtomlplusplus-dev libcli11-dev libfmt-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev libbenchmark-dev
)
# What the static checks need besides.
CHECK_PACKAGES=(clang clang-format clang-tidy)

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      printf '%s\n' "$package"
  done
}

install_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "this is not Debian: install the equivalents of these packages, then use bazel itself" \
      "(bazel run -c opt //tools:ghostcard, bazel test //...): $*"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "these packages are missing, and neither root nor sudo is at hand to install them:" \
        "${missing[*]}"
    as_root=(sudo)
  fi
  printf 'Installing: %s\n' "${missing[*]}" >&2
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
      install "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    die "apt-get could not install the packages above. Debian 12 (bookworm) has all of them;" \
      "is this an older system, or is there no network?"
  fi
  rm -f "$log"
}

# Not a failure: the memory transport takes over. But a person wants to know.
warn_if_no_io_uring() {
  local disabled=0
  [[ -r /proc/sys/kernel/io_uring_disabled ]] && disabled=$(</proc/sys/kernel/io_uring_disabled)
  if ((disabled == 2 || (disabled == 1 && EUID != 0))); then
    printf 'Note: io_uring is switched off here (sysctl kernel.io_uring_disabled = %s): %s\n' \
      "$disabled" 'requests travel through the memory transport instead.' >&2
  fi
}

# Bazel wants a home for its output, and a minimal machine may not name one.
export HOME="${HOME:-/tmp/ghostcard-home-$EUID}"
mkdir -p "$HOME" 2>/dev/null || die "the home directory $HOME cannot be written"
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
