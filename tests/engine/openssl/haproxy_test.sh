#!/usr/bin/env bash
# Unmodified HAProxy with ssl-mode-async and one of our modules: it serves, the card did the work, and
# HAProxy survives clients that disconnect and cards that fail.
# Arguments: provider or engine; the module; a library to preload (the wait layer), or nothing.
set -euo pipefail
# shellcheck source=tests/engine/openssl/module.sh
source "$(dirname "$0")/module.sh"
proxy=
trap '[[ -z $proxy ]] || kill -KILL "$proxy" 2>/dev/null || true; rm -rf "$dir"' EXIT
PATH=$PATH:/usr/sbin

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

write_configurations() {
  cat >haproxy.cfg <<CONFIGURATION
global
  ssl-mode-async
  nbthread 2
  hard-stop-after 20s
  stats socket $dir/admin.sock level admin expose-fd listeners
defaults
  mode http
  timeout client 30s
frontend rsa
  bind 127.0.0.1:$rsa_port ssl crt $dir/rsa.pem
  http-request return status 200 content-type text/plain string "served"
frontend ec
  bind 127.0.0.1:$ec_port ssl crt $dir/ec.pem
  http-request return status 200 content-type text/plain string "served"
CONFIGURATION
  # Slow enough that jobs wait and clients can disconnect while they wait.
  printf 'transit = "5ms"\n' >slow.toml
  printf '[[fault]]\nkind = "submit_refused"\nevery_nth = 1\n' >refusing.toml
}

make_keys() {
  local name
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key
  printf '[req]\ndistinguished_name = name\n[name]\n' >request.cnf
  for name in rsa ec; do
    openssl req -config request.cnf -x509 -new -key "$name.key" -out "$name.crt" -days 30 \
      -subj /CN=localhost -addext subjectAltName=DNS:localhost
    cat "$name.crt" "$name.key" >"$name.pem"
  done
}

# Starts HAProxy with the card of the file $1 and the arguments that follow. Sets proxy.
start_proxy() {
  local card=$1
  shift
  OPENSSL_CONF=$dir/module.cnf LD_PRELOAD=$preload GHOSTCARD_STATISTICS=on GHOSTCARD_CONFIG=$dir/$card \
    GHOSTCARD_SOFTWARE_FALLBACK=on GHOSTCARD_EXECUTION_THREADS=2 \
    haproxy "$@" -f haproxy.cfg 2>proxy.err &
  proxy=$!
  get rsa tls1.3 --retry 50 --retry-delay 0 --retry-max-time 20 --retry-connrefused || fail "HAProxy does not serve"
}

# Fetches a page from a frontend. The arguments that follow go to curl.
get() {
  local name=$1 version=$2 port=${1}_port
  shift 2
  port=${!port}
  [[ $(timeout 30 curl -sS --noproxy '*' --cacert "$name.crt" --resolve "localhost:$port:127.0.0.1" \
    "--tlsv${version#tls}" --tls-max "${version#tls}" "$@" "https://localhost:$port/" 2>>curl.err) == served ]]
}

# Asks HAProxy to end after its connections, and waits for it. Sets counts to its card's statistics.
end_proxy() {
  kill -USR1 "$proxy"
  wait "$proxy" || fail "HAProxy ended with $?"
  proxy=
  counts=$(grep '^ghostcard: [0-9]* requests' proxy.err) || fail "no statistics"
  ! grep -q 'FATAL' proxy.err || fail "HAProxy reported a fatal error"
}

# The number of descriptors of the process $1.
descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }

# --- tests ---

resumes() {
  local name=$1 version=$2 port=${1}_port sessions
  port=${!port}
  sessions=(-connect "127.0.0.1:$port" -CAfile "$name.crt" -verify_return_error -ign_eof "-${version/./_}")
  printf 'GET / HTTP/1.0\r\n\r\n' | timeout 30 openssl s_client "${sessions[@]}" -sess_out session >client.out 2>client.err ||
    fail "$name, $version: s_client"
  printf 'GET / HTTP/1.0\r\n\r\n' | timeout 30 openssl s_client "${sessions[@]}" -sess_in session >client.out 2>client.err ||
    fail "$name, $version: s_client with a session"
  grep -q '^Reused, TLSv' client.out || fail "$name, $version: the session was not resumed"
}

# Clients that send a hello and disconnect before the card has completed.
clients_leave() {
  python3 - "$rsa_port" <<'PYTHON'
import socket, ssl, struct, sys
context = ssl.create_default_context()
for number in range(30):
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    client.sendall(out.read())
    if number % 2:  # by a reset
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
PYTHON
}

many_at_once() {
  local clients=() pid failed=0
  for _ in {1..12}; do
    for version in tls1.2 tls1.3; do
      get rsa "$version" &
      clients+=($!)
      get ec "$version" &
      clients+=($!)
    done
  done
  for pid in "${clients[@]}"; do wait "$pid" || failed=1; done
  ((failed == 0)) || fail "not all concurrent clients were served"
}

serves_and_leaves_nothing() {
  local name version before line
  start_proxy slow.toml -db
  for name in rsa ec; do
    for version in tls1.2 tls1.3; do
      get "$name" "$version" || fail "$name, $version: curl"
      resumes "$name" "$version"
    done
  done
  many_at_once
  clients_leave
  many_at_once
  end_proxy
  line=$counts
  [[ $line =~ ([0-9]+)\ requests,\ ([0-9]+)\ completions,\ 0\ in\ flight,.*\ 0\ in\ software ]] || fail "$line"
  ((BASH_REMATCH[1] >= 100 && BASH_REMATCH[1] == BASH_REMATCH[2])) || fail "100 requests expected: $line"
}

# The card refuses everything: no job pauses, so HAProxy must find no fd in a wait context.
serves_though_the_card_refuses() {
  start_proxy refusing.toml -db
  many_at_once
  end_proxy
  [[ $counts == *' 0 requests,'*' 0 in flight,'* && $counts != *' 0 in software'* ]] || fail "$counts"
}

# A master process: each worker has its own card, and the master keeps no descriptor of a worker.
reloads() {
  local before printed
  start_proxy slow.toml -W
  many_at_once
  before=$(descriptors "$proxy")
  for _ in 1 2; do
    kill -USR2 "$proxy"
    # Wait until the previous worker has ended; it then prints its statistics.
    printed=$((${printed:-0} + 1))
    timeout 30 bash -c "until (( \$(grep -c '^ghostcard: [1-9]' proxy.err) >= $printed )); do read -rt 0.05 <> <(:) || :; done" ||
      fail "a worker does not end"
    many_at_once
  done
  (($(descriptors "$proxy") <= before)) || fail "the master has more descriptors than before"
  kill -USR1 "$proxy"
  wait "$proxy" || fail "HAProxy ended with $?"
  proxy=
  (($(grep -c '^ghostcard: [1-9][0-9]* requests, .* 0 in flight' proxy.err) == 3)) || fail "not three cards"
}

rsa_port=$(free_port)
ec_port=$(free_port)
make_keys
write_configurations
serves_and_leaves_nothing
serves_though_the_card_refuses
reloads
echo "passed"
