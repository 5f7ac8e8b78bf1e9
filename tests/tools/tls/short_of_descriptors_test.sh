#!/usr/bin/env bash
# `ghostcard bench --tls` with too few file descriptors ends: with a sentence that says so, or, where
# the limit happens to suffice, with a result. It once waited forever for connections that it had
# failed to accept. Argument: the ghostcard program.
set -u
# shellcheck source=tests/tools/cli/expect.sh
source "$(dirname "$0")/../cli/expect.sh"

sentence="no file descriptors left for 64 connections: raise the limit (ulimit -n), or lower --concurrency"
seconds_max=120

# run_with_limit LIMIT: prints the exit code; 124: the run did not end.
run_with_limit() {
  (
    ulimit -S -n "$1" || exit 125
    timeout --signal=KILL --kill-after=1 "$seconds_max" "$ghostcard" bench --tls --tls-version 1.3 \
      --tls-key ecdsa_p256 --concurrency 64 --client-threads 1 --repetitions 1 --requests 300 \
      >"$out" 2>&1 </dev/null
    echo $?
  )
}

short=0
for limit in 40 60 90 120; do
  code=$(run_with_limit "$limit")
  case $code in
    0) ;;
    1)
      short=$((short + 1))
      grep -qF -- "$sentence" "$out" || fail "limit $limit: exit code 1 without '$sentence'"
      ;;
    *) fail "limit $limit: exit code $code" ;;
  esac
done
# 64 clients alone need more than 40 descriptors.
[ "$short" -ge 1 ] || fail "no run was short of descriptors"

code=$(run_with_limit 1024)
[ "$code" -eq 0 ] || fail "limit 1024: exit code $code"

[ "$failures" -eq 0 ] && echo "all as expected"
exit "$failures"
