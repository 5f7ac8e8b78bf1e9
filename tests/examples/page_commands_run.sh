#!/bin/bash
# The commands of ghostcard on a page work as they are written. They run in the order of the page, in a folder of the
# test; long ones are given less to do. Commands of bazel do not run here.
# Arguments: the page, ghostcard, then files for the folder; a .c file comes with its path for the compiler.
set -euo pipefail
page=$(realpath "$1")
ghostcard() { "$program" "$@"; }
program=$(realpath "$2")
shift 2

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  [[ ! -e out ]] || tail -n 30 out >&2
  exit 1
}

# What is preloaded may be built for a sanitizer that the program is not built for.
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0

sources=$PWD
folder=$(mktemp -d "$TEST_TMPDIR/page.XXXXXX")
programs=()
for file in "$@"; do
  case $file in
    *.c | *.h) mkdir -p "$folder/${file%/*}" && cp "$sources/$file" "$folder/$file" ;;
    *) programs+=("$sources/$file") ;;
  esac
done
cd "$folder"

# One command a line, without comments; the page's scenario as the file FILE.
python3 - "$page" <<'PYTHON'
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
lines = "".join(re.findall(r"```sh\n(.*?)```", text, re.S)).replace("\\\n", " ").splitlines()
commands = [re.sub(r"\s+#.*", "", line) for line in lines]
open("commands", "w", encoding="utf-8").write("".join(line + "\n" for line in commands if line))
scenario = re.search(r"```toml\n(.*?)```", text, re.S)
open("FILE", "w", encoding="utf-8").write(scenario.group(1) if scenario else "")
PYTHON

run=0
while read -r command; do
  may_find=false
  case $command in
    bazel*) continue ;;
    'ghostcard bench'*) command+=" --requests 100 --repetitions 1" ;;
    'ghostcard saturate'*) command+=" --requests 1000" ;;
    'ghostcard simulate --seeds 1..100000') command="ghostcard simulate --seeds 1..200" ;;
    'ghostcard simulate') command+=" --seeds 1..100" ;;
    'ghostcard check'*) may_find=true ;;
  esac
  echo "--- $command"
  status=0
  eval "$command" >out 2>&1 </dev/null || status=$?
  [[ $status -eq 0 || ($status -eq 1 && $may_find == true) ]] || fail "$command: exit code $status"
  run=$((run + 1))
  # The programs as Bazel builds them, in place of those that the page has just compiled.
  if [[ $command == cc* ]]; then
    ((${#programs[@]} == 0)) || cp -f "${programs[@]}" .
  fi
done <commands
((run > 0)) || fail "the page has no commands"
echo "$run commands run"
