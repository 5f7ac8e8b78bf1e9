#!/bin/bash
# Saves the files and runs the commands of engine/openssl/README.md.
# Arguments: the page, the provider, the ENGINE, the wait layer, the page's program in C.
set -euo pipefail
page=$(realpath "$1")
provider=$(realpath "$2")
engine=$(realpath "$3")
wait_layer=$(realpath "$4")
program=$(realpath "$5")

fail() {
  echo "$*" >&2
  exit 1
}

# Places the files as the page says, in this test's folder.
place_files() {
  mkdir -p "$stage/provider" "$stage/engine"
  cp "$provider" "$stage/provider/ghostcard.so"
  cp "$engine" "$stage/engine/ghostcard.so"
  cp "$wait_layer" "$stage/libwaitctx_async.so"
  cp "$program" external_polling
  ln -s ghostcard.so "$stage/engine/qatengine.so"
}

# Extracts the page's files, its steps as 01.step, 02.step ..., and its server, client, proxy and
# visitor scripts.
take_page_apart() {
  python3 - "$page" "$stage" "$port" "$proxy_port" <<'PYTHON'
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
text = text.replace("/opt/ghostcard", sys.argv[2])
text = text.replace("4433", sys.argv[3]).replace("8443", sys.argv[4])
saved = re.findall(r"[Ss]ave this as `([^`]+)`(?:(?!```).)*```(?:ini|toml|haproxy)\n(.*?)```", text, re.S)
steps = re.findall(r"```sh( \w+)?\n(.*?)```", text, re.S)
for number, (name, body) in enumerate(steps):
    saved.append((name.strip() or "%02d.step" % number, body))
for name, body in saved:
    open(name, "w", encoding="utf-8").write(body)
print("%d files, of which %d steps" % (len(saved), len(steps)))
PYTHON
}

# Each command with statistics must have used the card.
check_counts() {
  local asked printed
  asked=$(grep -c 'STATISTICS=on' "$1" || true)
  printed=$(grep -cE '^ghostcard: [1-9][0-9]* requests, [1-9][0-9]* completions, 0 in flight' "$2" || true)
  ((printed == asked)) || fail "$asked commands should print statistics of work on the card, $printed did: $(cat "$1" "$2")"
}

# Sources the step, so that its exports stay.
run_step() {
  echo "--- $1"
  # shellcheck disable=SC1090
  source "$1" >"$1.log" 2>&1 || fail "failed: $(cat "$1" "$1.log")"
  check_counts "$1" "$1.log"
}

serve() {
  mkfifo said
  # shellcheck disable=SC1091
  (source ./server) >said 2>server.log &
  local server=$! line=
  exec 3<said
  while [[ $line != ACCEPT* ]]; do
    read -r -t 60 line <&3 || fail "the server does not accept: $(cat server.log)"
  done
  # shellcheck disable=SC1091
  source ./client >client.log 2>&1 || fail "the client failed: $(cat client.log server.log)"
  wait "$server" || fail "the server failed: $(cat server.log)"
  check_counts server server.log
  grep -q 'TLSv1.3' client.log || fail "no TLS 1.3: $(cat client.log)"
  grep -q 'TLSv1.2' client.log || fail "no TLS 1.2: $(cat client.log)"
}

# Runs HAProxy until the visitor script ends it.
serve_by_proxy() {
  # shellcheck disable=SC1091
  (source ./proxy) >proxy.log 2>&1 &
  local proxy=$!
  curl -sk --retry 50 --retry-delay 0 --retry-max-time 30 --retry-connrefused \
    "https://localhost:$proxy_port/" >proxy.first || fail "the proxy does not serve: $(cat proxy.log)"
  # shellcheck disable=SC1091
  source ./visitor >visitor.log 2>&1 || fail "the visitor failed: $(cat visitor.log proxy.log)"
  wait "$proxy" || fail "the proxy failed: $(cat proxy.log)"
  check_counts proxy proxy.log
  grep -q 'Hello' visitor.log || fail "the visitor got something else: $(cat visitor.log)"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }

cd "$(mktemp -d "$TEST_TMPDIR/page.XXXXXX")"
stage=$PWD/ghostcard
export PATH=$PATH:/usr/sbin no_proxy=localhost
port=$(free_port)
proxy_port=$(free_port)
place_files
take_page_apart
served=
for step in *.step; do
  if [[ -e key.pem && -z $served ]]; then
    serve
    serve_by_proxy
    served=yes
  fi
  run_step "$step"
done
[[ -n $served ]] || fail "the page has no server"
grep -q 'Ghostcard, a simulated accelerator card' ./*.step.log || fail "the provider is not listed"
[[ $(grep -hc '\[ available \]' ./*.step.log | sort -n | tail -1) == 3 ]] || fail "engines are not available"
grep -q 'starts with 30' ./*.step.log || fail "external polling gave no hash"
echo "the page runs"
