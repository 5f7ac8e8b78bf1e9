#!/bin/sh
# A page shows exactly the example programs that are compiled and run as tests.
# Arguments: the page, then the programs.
set -eu
page=$1
shift
for example in "$@"; do
  python3 - "$page" "$example" <<'PYTHON'
import sys

page, example = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
if example not in page:
    sys.exit(f"{sys.argv[2]} is not in {sys.argv[1]}, or differs from the program there")
lines = len(example.splitlines())
if lines > 30:
    sys.exit(f"{sys.argv[2]} has {lines} lines; an example has 30 at most")
PYTHON
done
echo "all examples found"
