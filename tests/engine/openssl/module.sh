# shellcheck shell=bash
# Sourced by tests that run unmodified programs with one of our modules.
# Arguments: provider or engine; the module; a library to preload (the wait layer), or nothing.
# Changes to a new folder, $dir, and writes module.cnf there. Sets $preload: what programs preload.
# shellcheck disable=SC2034  # the sourcing test uses the variables
kind=$1
module=$(readlink -f "$2")
wait_layer=${3:+$(readlink -f "$3")}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit
export HOME=$dir
unset OPENSSL_CONF

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  tail -n 30 ./*.err >&2 || true
  exit 1
}

# A program without AddressSanitizer must preload it before it loads a module built with it.
preload=$wait_layer
if grep -q __asan_init "$module"; then
  runtime=$(clang -print-file-name="libclang_rt.asan-$(uname -m).so")
  [[ -e $runtime ]] || fail "clang has no AddressSanitizer to preload: $runtime"
  preload="$runtime $wait_layer"
  # libcrypto's own leaks are not the subject of these tests. (The sanitizer also warns of
  # libcrypto's fibre stacks, because libcrypto does not announce them.)
  export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
fi

cat >module.cnf <<CONFIGURATION
openssl_conf = init
[init]
$([[ $kind == provider ]] && printf 'providers = providers\nalg_section = algorithms' || echo 'engines = engines')
[providers]
default = default_provider
ghostcard = ghostcard_provider
[default_provider]
activate = 1
[ghostcard_provider]
module = $module
activate = 1
[algorithms]
default_properties = ?provider=ghostcard
[engines]
ghostcard = ghostcard_engine
[ghostcard_engine]
engine_id = ghostcard
dynamic_path = $module
default_algorithms = ALL
CONFIGURATION
