# shellcheck shell=sh
# Sourced by tests that run the ghostcard program and look at its exit code and output.
# Argument of those tests: the ghostcard program.
ghostcard=$1
out=${TEST_TMPDIR:-/tmp}/out
failures=0

fail() {
  failures=$((failures + 1))
  echo "FAILED: $*"
  sed 's/^/    /' "$out"
}

# expect CODE TEXT ARGUMENT...: the program exits with CODE and prints TEXT.
expect() {
  code=$1 text=$2
  shift 2
  "$ghostcard" "$@" >"$out" 2>&1 </dev/null
  got=$?
  [ "$got" -eq "$code" ] || fail "ghostcard $*: exit code $got, expected $code"
  grep -qF -- "$text" "$out" || fail "ghostcard $*: '$text' not printed"
}
