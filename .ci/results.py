"""Counts the tests of one `bazel test` from its event file, and shows why the failed ones failed.

Usage: results.py EVENTS. Standard output: "PASSED FAILED". Standard error: the failures.
A test that did not build, or was never reached, has failed.
"""

import json
import sys
import urllib.parse

TAIL_LINES = 40
FAILURE_LINES = 12  # from where GoogleTest says "Failure", and where a sanitizer begins
MAX_FAILURES = 10


def read_events(path):
    """The file's events; the last one may be cut off, where bazel was killed."""
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return


def failures(lines):
    """The places where the log says why, as far as they are not in its end anyway."""
    marks = [at for at, line in enumerate(lines[:-TAIL_LINES])
             if line.endswith(": Failure") or "Sanitizer:" in line or "CHECK(" in line]
    for at in marks[:MAX_FAILURES]:
        yield from lines[at:min(at + FAILURE_LINES, len(lines) - TAIL_LINES)]
        yield "..."


def show(uri):
    path = urllib.parse.unquote(urllib.parse.urlparse(uri).path)
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            lines = log.read().splitlines()
    except OSError as error:
        lines = [str(error)]
    for line in [*failures(lines), *lines[-TAIL_LINES:]]:
        print("    " + line, file=sys.stderr)


def main():
    tests = {}  # label: its summary, None until there is one
    for event in read_events(sys.argv[1]):
        what = event.get("id", {})
        if "testSize" in event.get("configured", {}):
            tests.setdefault(what["targetConfigured"]["label"], None)
        if "testSummary" in event:
            tests[what["testSummary"]["label"]] = event["testSummary"]

    failed = 0
    for label, summary in sorted(tests.items()):
        status = summary["overallStatus"] if summary else "NOT BUILT OR NOT RUN"
        if status in ("PASSED", "FLAKY"):
            continue
        failed += 1
        print(f"{label}: {status}", file=sys.stderr)
        for log in (summary or {}).get("failed", []):
            show(log["uri"])
    print(len(tests) - failed, failed)


main()
