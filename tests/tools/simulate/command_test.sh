#!/bin/sh
# Exit codes and output of simulate and replay. Argument: the ghostcard program.
set -u
# shellcheck source=tests/tools/cli/expect.sh
. "$(dirname "$0")/../cli/expect.sh"
tmp=${TEST_TMPDIR:-/tmp}

expect 0 "50  seeds, all good" simulate --seeds 1..50
expect 0 "25  seeds, all good" simulate --seeds 1..50 --shard 1/2 --jobs 1
expect 0 "reached" simulate --seeds 1..3
expect 0 "SEED=7" simulate --seed 7
expect 0 "notify = " simulate --seed 7
expect 0 "SEED=45301208" simulate --seed 2b33dd8
expect 0 "3 an invariant was" simulate --help

expect 2 "--seed: 'seven' given; allowed: a number, or a commit hash" simulate --seed seven
expect 2 "--seeds: '9..1' given; allowed: A..B" simulate --seeds 9..1
expect 2 "--seeds: '1-9' given; allowed: A..B" simulate --seeds 1-9
expect 2 "--shard: '2/2' given; allowed: I/N" simulate --shard 2/2
expect 2 "--jobs" simulate --jobs 0
expect 2 "--log requires --seed" simulate --log "$tmp/log"
expect 2 "--seed excludes --seeds" simulate --seed 1 --seeds 1..2
expect 1 "/nowhere/log: No such file or directory" simulate --seed 1 --log /nowhere/log

# A seed gives one hash each time, and its log replays to that hash. replay writes a trace and a test case.
"$ghostcard" simulate --seed 11 --log "$tmp/log" >"$out" || fail "simulate --seed 11"
hash=$(sed -n 's/^event log hash //p' "$out")
expect 0 "event log hash $hash" simulate --seed 11
expect 0 "good; event log hash $hash" replay "$tmp/log" --trace "$tmp/trace.json" --gtest "$tmp/case.cc"
expect 0 "traceEvents" replay "$tmp/log" --trace -
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["traceEvents"]' "$tmp/trace.json" || fail "the trace"
grep -q "TEST(ReplayTest, EveryRuleHoldsAndEverythingEnds)" "$tmp/case.cc" || fail "the test case"
sed 's/^# hash .*/# hash 1/' "$tmp/log" >"$tmp/other"
expect 0 "another version wrote it" replay "$tmp/other"

# Completion errors after faults_end break an invariant. A lost response without a time limit is stuck.
cat >"$tmp/broken.toml" <<TOML
[card]
operation.sha256.service = "100us"
[[card.fault]]
kind = "completion_error"
every_nth = 5
[[card.fault]]
kind = "response_delayed"
every_nth = 3
[run]
notify = "fd"
faults_end = "400us"
patience = "50ms"
TOML
expect 3 "broken invariant: with the faults over" replay "$tmp/broken.toml"
expect 3 "1 faults; was: 4 jobs, 16 operations each, 2 faults" replay "$tmp/broken.toml" --gtest "$tmp/case.cc"
[ "$(grep -c 'kind = ' "$tmp/case.cc")" -eq 1 ] || fail "the test case is not the reduced one"
expect 3 "response_delayed" replay --no-reduce "$tmp/broken.toml"
sed 's/completion_error/response_dropped/; s/^faults_end.*//' "$tmp/broken.toml" >"$tmp/stuck.toml"
expect 4 "no progress: not everything had ended" replay "$tmp/stuck.toml"

# The [expect] tables of a file decide the exit code, for each notification.
printf '[expect]\nok = 64\n[expect_fd]\ncallbacks = 0\n' >"$tmp/expected.toml"
expect 0 "as expected" replay "$tmp/expected.toml"
printf '[expect]\nok = 64\n[expect_callback]\nok = 65\n' >"$tmp/expected.toml"
expect 6 "not as expected, notified by callback: ok: 64; expected: 65" replay "$tmp/expected.toml"
printf '\n[expect]\nstuck = { min = 1 }\n' | cat "$tmp/stuck.toml" - >"$tmp/expected.toml"
expect 0 "no progress: not everything had ended" replay "$tmp/expected.toml"

expect 2 "/nowhere: No such file or directory" replay /nowhere
expect 2 "LOG is required" replay
printf 'this is no log\n' >"$tmp/wrong"
expect 2 "wrong:1: not TOML" replay "$tmp/wrong"
printf '[run]\njob = 3\n' >"$tmp/wrong"
expect 2 "run.job: no such key; did you mean 'jobs'?" replay "$tmp/wrong"
printf '[run]\nmix = ["null", "rsa"]\n' >"$tmp/wrong"
expect 2 "wrong:2: run.mix: 'rsa' given; allowed: a list of null, copy" replay "$tmp/wrong"
expect 1 "/nowhere/trace" replay "$tmp/log" --trace /nowhere/trace

[ "$failures" -eq 0 ] && echo "all as expected"
exit "$failures"
