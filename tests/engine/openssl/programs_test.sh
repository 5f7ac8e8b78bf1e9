#!/usr/bin/env bash
# The unmodified openssl program and curl with one of our modules: they work, their results equal
# those of the default provider, and the card did the work.
# Arguments: provider or engine; the module; a library to preload (the wait layer), or nothing.
set -euo pipefail
# shellcheck source=tests/engine/openssl/module.sh
source "$(dirname "$0")/module.sh"

# Runs the openssl program with the card, with a time limit.
with_card() {
  GHOSTCARD_STATISTICS=on GHOSTCARD_EXECUTION_THREADS=2 OPENSSL_CONF=$dir/module.cnf \
    LD_PRELOAD=$preload timeout 60 openssl "$@"
}
without_card() { timeout 60 openssl "$@"; }

# Checks a program's statistics on standard error: the card did at least that many requests, and none
# was left in flight, given up, or done in software.
card_did() {
  local at_least=$1 line
  line=$(grep '^ghostcard: [0-9]* requests' "$2") || fail "no statistics in $2"
  [[ $line =~ ([0-9]+)\ requests,\ ([0-9]+)\ completions,\ 0\ in\ flight,.*\ 0\ in\ software,\ 0\ given\ up ]] ||
    fail "$line"
  ((BASH_REMATCH[1] >= at_least && BASH_REMATCH[1] == BASH_REMATCH[2])) || fail "$at_least requests expected: $line"
}

make_keys() {
  local name
  printf '[req]\ndistinguished_name = name\n[name]\n' >request.cnf
  without_card genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
  without_card genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key
  without_card genpkey -algorithm X25519 -out x25519.key
  for name in rsa ec; do
    without_card req -config request.cnf -x509 -new -key "$name.key" -out "$name.crt" -days 30 \
      -subj /CN=localhost -addext subjectAltName=DNS:localhost
  done
}

# --- openssl speed ---

speed_goes_through_the_card() {
  local what
  for what in rsa2048 ecdsap256 "-evp aes-256-gcm -bytes 32768" "-evp sha256 -bytes 32768"; do
    # shellcheck disable=SC2086 # several arguments
    with_card speed -elapsed -seconds 1 -async_jobs 8 $what >speed.out 2>speed.err || fail "speed $what"
    ! grep -q ':error:' speed.err || fail "speed $what"
    card_did 100 speed.err
  done
}

# --- results ---

# Runs a command with and without the card. The outputs must be equal, and the card must have worked.
same() {
  with_card "$1" -out card.out "${@:2}" 2>same.err || fail "openssl $*"
  without_card "$1" -out software.out "${@:2}" || fail "openssl $* (without the card)"
  cmp card.out software.out || fail "openssl $*: the output differs from libcrypto"
  card_did 1 same.err
}

results_are_the_default_providers() {
  local name iv=000102030405060708090a0b0c0d0e0f
  local key=${iv}101112131415161718191a1b1c1d1e1f
  head -c 300000 /dev/urandom >data
  head -c 32 /dev/urandom >digest
  export GHOSTCARD_THRESHOLD_DIGEST=1024 GHOSTCARD_THRESHOLD_CBC=1024 GHOSTCARD_THRESHOLD_CTR=1024
  for name in sha1 sha256 sha384 sha512; do same dgst "-$name" -binary data; done
  for name in aes-256-cbc $([[ $kind == provider ]] && echo aes-256-ctr); do
    same enc "-$name" -K "$key" -iv "$iv" -in data
    with_card enc -d "-$name" -K "$key" -iv "$iv" -in card.out -out opened 2>same.err || fail "enc -d -$name"
    cmp data opened || fail "enc -d -$name"
  done
  same pkeyutl -sign -inkey rsa.key -in digest -pkeyopt digest:sha256
  with_card pkeyutl -sign -inkey ec.key -in digest -out signature 2>same.err || fail "pkeyutl -sign: ECDSA"
  card_did 1 same.err
  without_card pkeyutl -verify -inkey ec.key -in digest -sigfile signature >verified.out || fail "the card's ECDSA signature"
  without_card pkey -in ec.key -pubout -out ec.pub
  same pkeyutl -derive -inkey ec.key -peerkey ec.pub
  without_card pkeyutl -encrypt -inkey rsa.key -in digest -out sealed -pkeyopt rsa_padding_mode:oaep
  same pkeyutl -decrypt -inkey rsa.key -in sealed -pkeyopt rsa_padding_mode:oaep
  if [[ $kind == provider ]]; then
    without_card pkey -in x25519.key -pubout -out x25519.pub
    same pkeyutl -derive -inkey x25519.key -peerkey x25519.pub
  fi
  unset GHOSTCARD_THRESHOLD_DIGEST GHOSTCARD_THRESHOLD_CBC GHOSTCARD_THRESHOLD_CTR
}

# --- openssl s_server -async ---

# Starts a server that ends after the given number of connections. Sets port and server.
start_server() {
  local connections=$1 line
  shift
  exec {from_server}< <(GHOSTCARD_STATISTICS=on OPENSSL_CONF=$dir/module.cnf LD_PRELOAD=$preload \
    exec timeout 60 openssl s_server -async -accept 127.0.0.1:0 -naccept "$connections" -www "$@" 2>server.err)
  server=$!
  port=
  while [[ -z $port ]] && read -r -t 30 line <&"$from_server"; do
    [[ $line == ACCEPT* ]] && port=${line##*:}
  done
  [[ -n $port ]] || fail "s_server $* does not accept"
}

end_server() {
  wait "$server" || fail "s_server ended with $?"
  exec {from_server}<&-
  card_did "$1" server.err
}

client() {
  printf 'GET / HTTP/1.0\r\n\r\n' |
    without_card s_client -connect "127.0.0.1:$port" -verify_return_error -ign_eof "$@" >client.out 2>client.err
}

server_serves() {
  local version=$1 key=$2 name="s_server -$1 with $2"
  start_server 3 "-$version" -key "../$key.key" -cert "../$key.crt"
  timeout 30 curl -sS --noproxy '*' --cacert "../$key.crt" --resolve "localhost:$port:127.0.0.1" \
    "https://localhost:$port/" >curl.out 2>curl.err || fail "$name: curl"
  grep -q 'Cipher' curl.out || fail "$name: curl got something else"
  client -CAfile "../$key.crt" -sess_out session || fail "$name: s_client"
  grep -q '^New, TLSv' client.out || fail "$name: no new session"
  client -CAfile "../$key.crt" -sess_in session || fail "$name: s_client with a session"
  grep -q '^Reused, TLSv' client.out || fail "$name: the session was not resumed"
  end_server 2
}

server_demands_certificates() {
  local version=$1 key=$2 name="s_server -$1 -Verify with $2"
  start_server 2 "-$version" -key "../$key.key" -cert "../$key.crt" -Verify 1 -verify_return_error -CAfile ../rsa.crt
  client -CAfile "../$key.crt" -key ../rsa.key -cert ../rsa.crt || fail "$name: s_client with its certificate"
  grep -q 'Cipher' client.out || fail "$name: s_client got something else"
  client -CAfile "../$key.crt" || true # with TLS 1.3 the refusal comes after the handshake
  end_server 2
  grep -q 'peer did not return a certificate' server.err || fail "$name let a client in without one"
}

# s_server -www sleeps for a second at each pause, so all cases run in parallel, each in its own folder.
in_folder() (
  mkdir "$1-$2-$3" && cd "$1-$2-$3"
  "$@"
)
server_does_handshakes_on_the_card() {
  local what version key pid under_way=() failed=0
  for what in server_serves server_demands_certificates; do
    for version in tls1_2 tls1_3; do
      for key in rsa ec; do
        in_folder "$what" "$version" "$key" &
        under_way+=($!)
      done
    done
  done
  for pid in "${under_way[@]}"; do wait "$pid" || failed=1; done
  ((failed == 0)) || exit 1
}

# --- wrong configuration ---

wrong_configuration_is_named_and_the_program_goes_on() {
  local folder=${module%/*}
  echo abc >data
  export GHOSTCARD_DEPTH=lots
  # Loaded from openssl.cnf: the program continues with the default provider.
  with_card dgst -sha256 data >card.out 2>wrong.err || fail "a module that does not load ended the program"
  without_card dgst -sha256 data >software.out
  cmp card.out software.out
  # Requested by name: the program prints the reason, and behaves as with any missing module.
  if [[ $kind == provider ]]; then
    ! LD_PRELOAD=$preload without_card dgst -sha256 -provider-path "$folder" -provider ghostcard data >wrong.out 2>wrong.err ||
      fail "a provider with a wrong option was loaded"
  else
    OPENSSL_ENGINES=$folder LD_PRELOAD=$preload without_card dgst -sha256 -engine ghostcard data >card.out 2>wrong.err ||
      fail "an engine with a wrong option ended the program"
    cmp card.out software.out
  fi
  grep -q ':ghostcard:.*GHOSTCARD_DEPTH: depth: "lots" is not allowed; 0 to 32768' wrong.err || fail "the error message is missing"
  unset GHOSTCARD_DEPTH
}

# --- the wait layer ---

wait_layer_is_used() {
  LD_DEBUG=bindings LD_BIND_NOW=1 LD_PRELOAD=$preload without_card version >bindings.out 2>&1 || fail "openssl version"
  # Not grep -q, which would close the pipe while the program writes.
  grep 'libssl[^ ]* .*libwaitctx_async.so.*ASYNC_start_job' bindings.out >/dev/null || fail "libssl does not use the wait layer"
}

make_keys
[[ -z $wait_layer ]] || wait_layer_is_used
results_are_the_default_providers
server_does_handshakes_on_the_card
wrong_configuration_is_named_and_the_program_goes_on
speed_goes_through_the_card
echo "passed"
