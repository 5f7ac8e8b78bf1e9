#!/bin/sh
# The README's examples are the files that are compiled and run here, to the letter.
# Arguments: the README, then the examples.
set -eu
readme=$1
shift
for example in "$@"; do
  python3 - "$readme" "$example" <<'PYTHON'
import sys

readme, example = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
if example not in readme:
    sys.exit(f"{sys.argv[2]} is not in {sys.argv[1]}, or differs from what stands there")
lines = len(example.splitlines())
if lines > 30:
    sys.exit(f"{sys.argv[2]} has {lines} lines; an example has 30 at most")
PYTHON
done
echo "all examples found"
