#!/bin/sh
# The report on the page is what ghostcard check prints.
# Arguments: the page, ghostcard, the program that is shown.
set -eu
page=$PWD/$1
ghostcard=$PWD/$2
report=$TEST_TMPDIR/report
cd "$(dirname "$3")"
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0
status=0
"$ghostcard" check --json "$TEST_TMPDIR/report.json" -- ./busy_resume 2>"$report" || status=$?
[ "$status" -eq 1 ] || { echo "exit code $status"; exit 1; }
python3 - "$page" "$report" <<'PYTHON'
import sys

page, report = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
if report not in page:
    sys.exit(f"the page does not show this report:\n{report}")
PYTHON
