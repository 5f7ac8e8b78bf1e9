# shellcheck shell=bash
# For tests of unmodified programs with one of our modules, which read this.
# Arguments: provider or engine; the module; a library to preload (the wait layer), or nothing.
# Goes to a new folder, $dir, and puts module.cnf there; what programs preload is $preload.
# Where programs cannot be followed, the test ends here.
# shellcheck disable=SC2034  # what is set here is for whoever reads it
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

# A program that was not built with AddressSanitizer has to load it ahead of a module that was.
preload=$wait_layer
case $(ldd "$module") in
  *libtsan*)
    echo "skipped: ThreadSanitizer cannot follow programs that were not built with it"
    exit 0
    ;;
  *libasan*)
    preload="$(ldd "$module" | sed -n 's/.*=> \(.*libasan[^ ]*\).*/\1/p') $wait_layer"
    # What libcrypto leaks of its own is not ours to find. (Nor can libcrypto tell the sanitizer of its
    # fibres' stacks, of which it warns.)
    export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
    ;;
esac

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
