#!/bin/sh
# This shard's share of a range of seeds. Arguments: the ghostcard program, --seeds A..B, and what else
# simulate takes.
set -eu
ghostcard=$1
shift
if [ -n "${TEST_SHARD_STATUS_FILE:-}" ]; then : >"$TEST_SHARD_STATUS_FILE"; fi
exec "$ghostcard" simulate "$@" --jobs 1 --shard "${TEST_SHARD_INDEX:-0}/${TEST_TOTAL_SHARDS:-1}"
