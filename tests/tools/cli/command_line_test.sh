#!/usr/bin/env bash
# The command line: each command prints its result, and bad arguments are named, with exit code 2.
# Argument: the ghostcard program.
set -u
# shellcheck source=tests/tools/cli/expect.sh
source "$(dirname "$0")/expect.sh"

small=(--requests 200 --repetitions 1 --concurrency 8 --operation null)

expect 0 "simulated card 'ideal'" bench "${small[@]}"
expect 0 "transport memory" bench "${small[@]}" --transport memory
expect 0 "simulated card 'qat-4xxx'" bench "${small[@]}" --profile qat-4xxx --completion inline
expect 0 "sha256" bench --requests 50 --repetitions 1 --operation sha256 --completion polling --notify callback
expect 0 "Nothing was lost, nothing completed twice" saturate --requests 500 --profile ideal --operation null --depth 4
expect 0 "Usage:" --help
expect 0 "--notify" bench --help
expect 0 "Exit codes:" bench --help
expect 0 "Jain's index" saturate --help
expect 0 "ghostcard 0." --version

expect 2 "A subcommand is required"
expect 2 "'nonsense' given; allowed: bench, saturate, check, simulate, replay" nonsense
expect 2 "--seed: '18446744073709551616' given; allowed: a whole number below 2^64" bench --seed 18446744073709551616
expect 2 "--seeds: '0..18446744073709551615' given" simulate --seeds 0..18446744073709551615
expect 1 "/dev/full: cannot be written to its end" simulate --seed 7 --log /dev/full

# Output that cannot be written is a failure.
if "$ghostcard" simulate --seeds 1..2 >/dev/full 2>"$out"; then
  fail "standard output on a full disk: exit code 0"
fi
grep -qF "standard output cannot be written" "$out" || fail "standard output on a full disk is not named"

# The bench runs out of file descriptors while jobs are under way. Not under UndefinedBehaviorSanitizer:
# it opens a pipe to inspect an object, and reports a bad object when no descriptor is left.
if ! grep -q __ubsan "$ghostcard"; then
  descriptors=$(ulimit -S -n)
  ulimit -S -n 100
  expect 1 "no file descriptors left for 200 jobs" bench --requests 1000 --repetitions 1 --concurrency 200 \
    --operation null --notify fd --completion inline
  ulimit -S -n "$descriptors"
fi

expect 2 "--completion: 'sometimes' given; allowed: inline, interrupt, polling" bench --completion sometimes
expect 2 "--notify: 'pigeon' given; allowed: callback, fd" bench --notify pigeon
expect 2 "--operation" bench --operation rsa1024_sign
expect 2 "--transport" bench --transport carrier
expect 2 "--concurrency" bench --concurrency 0
expect 2 "--requests" bench --requests many
expect 2 "--requests: Value -4 not in range 0 to 1000000000000" bench --requests -4
expect 2 "--seed: '-1' given; allowed: a whole number" bench --seed -1
expect 2 "--depth" bench --depth 40000
expect 2 "profiles that ship: ideal, qat-4xxx, qat-c62x, dsa" bench --profile qat-9xxx
expect 2 "No such file or directory" bench --config /nowhere.toml
expect 2 "card 'dsa' has at most 8" bench --profile dsa --queue-pairs 9

# Options without effect are refused. A file that cannot be written is refused before the runs.
expect 2 "--profile excludes --config" bench --profile dsa --config /nowhere.toml
expect 2 "--tls-key requires --tls" bench --tls-key rsa2048
expect 2 "--client-threads requires --tls" bench --client-threads 3
expect 2 "--operation excludes --tls" bench --tls --operation sha256
expect 2 "--completion: 2 given; with --tls allowed: one" bench --tls --completion interrupt,polling
expect 2 "/nowhere/out.json: No such file or directory" bench --json /nowhere/out.json
expect 2 "/nowhere/out.json: No such file or directory" check --json /nowhere/out.json -- true
expect 2 "--requests: 10 given; allowed: at least one for each of 256 jobs" saturate --requests 10
expect 2 "--shard: '5/10' given, of 3 seeds: none is left; allowed: I < 3" simulate --seeds 1..3 --shard 5/10

config=${TEST_TMPDIR:-/tmp}/broken.toml
printf 'depth = 0\nengine = 3\n' >"$config"
expect 2 "broken.toml:1: depth: 0 given; allowed: a whole number from 1 to 32768" bench --config "$config"
expect 2 "broken.toml:2: engine: no such key; did you mean 'engines'?" bench --config "$config"

json=${TEST_TMPDIR:-/tmp}/out.json
expect 0 "ops/s" bench "${small[@]}" --json "$json"
python3 -c 'import json, sys; report = json.load(open(sys.argv[1])); assert len(report["runs"]) == 6' "$json" ||
  fail "the JSON file does not have six runs"

"$ghostcard" bench "${small[@]}" --json - 2>/dev/null | python3 -c 'import json, sys; json.load(sys.stdin)' ||
  fail "--json - printed more than JSON"

# Completion errors make saturate fail.
printf '[[fault]]\nkind = "completion_error"\nevery_nth = 10\n' >"$config"
expect 1 "SOMETHING WENT WRONG" saturate --requests 500 --config "$config" --operation null --depth 4

# A TLS server whose card is lost says that software did the work. Bad settings of the provider are named.
tls=(bench --tls --tls-version 1.3 --tls-key ecdsa_p256 --notify fd --requests 20 --repetitions 1 --concurrency 4)
printf '[[fault]]\nkind = "card_lost"\nat = "0ns"\n' >"$config"
expect 0 "requests, which were done in software" "${tls[@]}" --config "$config"
export GHOSTCARD_KEY_EXCHANGE=maybe
expect 1 'GHOSTCARD_KEY_EXCHANGE: key_exchange: "maybe" is not allowed; on, off' "${tls[@]}"
unset GHOSTCARD_KEY_EXCHANGE
export GHOSTCARD_KEYEXCHANGE=off
expect 1 "GHOSTCARD_KEYEXCHANGE: no such variable; did you mean 'GHOSTCARD_KEY_EXCHANGE'?" "${tls[@]}"
unset GHOSTCARD_KEYEXCHANGE

[ "$failures" -eq 0 ] && echo "all as expected"
exit "$failures"
