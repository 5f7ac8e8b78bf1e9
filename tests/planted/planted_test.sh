#!/bin/sh
# A planted bug is found: some seed breaks an invariant, makes no progress or crashes, and says which.
# Argument: the program with the bug in it. PLANTED_SEEDS: from how many; by default a thousand.
set -u
out=${TEST_TMPDIR:-/tmp}/out
"$1" --seeds "1..${PLANTED_SEEDS:-1000}" >"$out" 2>&1
code=$?
grep -E '^SEED=' "$out"
case $code in
  3 | 4 | 5) grep -qE '^SEED=[0-9]+ ' "$out" && exit 0 ;;
esac
echo "not found: exit code $code"
tail -n 20 "$out"
exit 1
