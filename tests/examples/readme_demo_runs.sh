#!/bin/bash
# The README's demo, as it is typed, prints what the README shows, apart from the figures.
# Arguments: the README, the provider.
set -euo pipefail
readme=$(realpath "$1")
provider=$(realpath "$2")
cd "$(mktemp -d "$TEST_TMPDIR/demo.XXXXXX")"
mkdir -p bazel-bin/engine/openssl/provider
cp "$provider" bazel-bin/engine/openssl/provider/ghostcard.so

# What bazel builds is here already.
bazel() { :; }
python3 - "$readme" <<'PYTHON'
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
demo = re.search(r"## A demo\n.*?```sh\n(.*?)```\n\n```\n(.*?)```", text, re.S)
open("demo", "w", encoding="utf-8").write(demo.group(1))
open("shown", "w", encoding="utf-8").write(demo.group(2))
assert len(demo.group(1).splitlines()) <= 6, "the demo has more than six lines"
PYTHON
# shellcheck disable=SC1091
source ./demo >printed

python3 - <<'PYTHON'
import re

# Every figure but zero may differ, and the columns with it.
def shape(path):
    lines = open(path, encoding="utf-8").read().splitlines()
    return sorted(re.sub(r"\s+", " ", re.sub(r"\d*\.\d+|[1-9]\d*", "N", line)).strip() for line in lines)

printed, shown = shape("printed"), shape("shown")
assert printed == shown, f"printed {printed}, the README shows {shown}"

# What the README says of the faults: every fifth submit, and every seventh request.
for path in "printed", "shown":
    counts = re.search(r"(\d+) requests, .* (\d+) retries, (\d+) in software", open(path, encoding="utf-8").read())
    requests, retries, in_software = (int(count) for count in counts.groups())
    assert abs(in_software - requests / 7) < 2, f"{path}: {in_software} of {requests} requests in software"
    assert abs(retries - (requests + retries) / 5) < 2, f"{path}: {retries} retries for {requests} requests"
print("the demo prints what the README shows")
PYTHON

# The README's last sentence about it.
export GHOSTCARD_SOFTWARE_FALLBACK=off
sed 's/ 2>&1 | grep.*//' demo >without_fallback
# shellcheck disable=SC1091
source ./without_fallback >printed 2>&1 || true
grep -q 'the card failed the request' printed || { cat printed && exit 1; }
