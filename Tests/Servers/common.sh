# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the servers' scripts `run` have in common. Each of them sets
#
#   here       its own directory
#   name       what the server is called
#   logs       the files of DIRECTORY that tell why it failed
#
# defines
#
#   prepare    writes its files into $directory
#   launch     starts it on $c2s, $tls and $component, and puts its process ids into $server, the one to wait for last
#   is_ready   whether it accepts connections
#   is_taken   whether it failed because somebody else has one of the ports
#
# redefines `certify` where the server makes its certificate itself, and ends with `serve DIRECTORY`. EXPIRED in the environment makes certificates that expired yesterday.
server=
watcher=

stop() {
  [ -n "$server" ] || return 0
  # shellcheck disable=SC2086 # several
  kill $server 2>/dev/null || :
  for process in $server; do
    tries=0
    while kill -0 "$process" 2>/dev/null; do
      tries=$((tries + 1))
      [ "$tries" -lt 60 ] || kill -KILL "$process" 2>/dev/null
      sleep 0.05
    done
  done
  server=
}

die() {
  {
    echo "$name: $1"
    for log in $logs; do tail -n 20 "$directory/$log" 2>/dev/null; done
  } >&2
  exit 1
}

# make_certificate DOMAIN NAMES: DIRECTORY/DOMAIN.crt, signed by itself, and its key. NAMES is what subjectAltName takes.
make_certificate() {
  at=$directory/$1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$1" \
    -addext "subjectAltName=$2" -keyout "$at.key" -out "$at.crt" 2>"$directory/openssl.out" ||
    die "openssl: $(cat "$directory/openssl.out")"
  # Signed again: for a new certificate openssl takes no end that is in the past.
  [ -z "${EXPIRED-}" ] || openssl x509 -in "$at.crt" -signkey "$at.key" -days -1 -out "$at.crt" \
    2>"$directory/openssl.out" || die "openssl: $(cat "$directory/openssl.out")"
  # Some want both in one file.
  cat "$at.key" "$at.crt" >"$at.pem"
}

certify() {
  [ -e "$directory/localhost.crt" ] || make_certificate localhost DNS:localhost,DNS:sip.localhost,IP:127.0.0.1
}

is_running() {
  for process in $server; do kill -0 "$process" 2>/dev/null || return 1; done
}

# Between the choice of a port and its use somebody else may have taken it: then all is tried anew.
start() {
  ports=${PORTS:-$(lua5.4 "$here/../free-ports.lua" 3)} || die "no free ports"
  read -r c2s tls component <<END
$ports
END
  for log in $logs; do : >"$directory/$log"; done
  launch
  for _ in $(seq 2400); do
    ! is_ready || return 0
    if is_taken; then
      stop
      return 1
    fi
    is_running || die "did not start"
    sleep 0.05
  done
  die "does not listen after two minutes"
}

serve() {
  trap 'stop; [ -z "$watcher" ] || kill "$watcher" 2>/dev/null || :' EXIT
  trap 'exit 0' USR1
  trap 'exit 143' TERM
  trap 'exit 130' INT HUP
  mkdir -p "$1"
  directory=$(cd "$1" && pwd)
  certify
  prepare
  start || start || start || die "others take every port that is chosen"
  # shellcheck disable=SC3013 # every sh of Debian has -ef
  if ! [ /dev/stdin -ef /dev/null ]; then
    exec 3<&0
    (
      while read -r _ <&3; do :; done
      kill -USR1 $$ 2>/dev/null || kill $server 2>/dev/null
    ) &
    watcher=$!
    exec 3<&-
  fi
  echo "ready pid=${server##* } c2s=$c2s tls=$tls component=$component ca=$directory/localhost.crt"
  wait "${server##* }" || :
  die "ended by itself"
}
