#!/bin/sh
# Each link from a page to a page leads to a page and a heading that exist. The README has 150 lines at most.
# Arguments: the pages, by their paths in the tree.
set -eu
python3 - "$@" <<'PYTHON'
import os
import re
import sys


def without_code(path):
    return re.sub(r"^```.*?^```", "", open(path, encoding="utf-8").read(), flags=re.S | re.M)


def anchors(path):
    headings = re.findall(r"^#+ (.*)$", without_code(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


pages = [os.path.normpath(page) for page in sys.argv[1:]]
assert "README.md" in pages
wrong = []
links = 0
for page in pages:
    for link in re.findall(r"\]\(([^)]+)\)", without_code(page)):
        file, _, anchor = link.partition("#")
        if link.startswith("https://") or (file and not file.endswith(".md")):
            continue
        links += 1
        target = os.path.normpath(os.path.join(os.path.dirname(page), file)) if file else page
        if target not in pages:
            wrong.append(f"{page}: {link} leads to no page")
        elif anchor and anchor not in anchors(target):
            wrong.append(f"{page}: {target} has no heading #{anchor}")
lines = len(open("README.md", encoding="utf-8").read().splitlines())
if lines > 150:
    wrong.append(f"README.md has {lines} lines, 150 are allowed")
if links == 0:
    wrong.append("no links found")
print("\n".join(wrong) or f"{links} links of {len(pages)} pages lead somewhere")
sys.exit(1 if wrong else 0)
PYTHON
