#!/bin/sh
# A private PostgreSQL cluster for tests: postgres.sh {start|stop} DIR
#
# start makes the cluster in DIR unless it is there, starts it and prints the
# conninfo to connect with. It listens on a unix socket only, trusts whoever
# can reach that, and does not sync to disk. stop ends it by its pid and waits
# until it is gone; the data stay, so that it can be started again.
set -eu

usage() {
  echo 'usage: postgres.sh {start|stop} DIR' >&2
  exit 2
}

[ $# = 2 ] || usage
action=$1
bin=${PGBIN:-/usr/lib/postgresql/15/bin}
mkdir -p "$2"
dir=$(cd "$2" && pwd)
data=$dir/data

# initdb and postgres refuse root, and an ordinary user can't read a clone
# under root's home: so the user postgres, with leave to pass by permissions.
as_owner() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --clear-groups \
      --inh-caps=+dac_override --ambient-caps=+dac_override \
      --bounding-set=-all,+dac_override -- "$@"
  else
    "$@"
  fi
}

running() {
  [ -s "$data/postmaster.pid" ] || return 1
  pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || return 1
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]
}

# A socket's path ends at 107 bytes, and a conninfo wants no odd characters:
# where DIR is not short and plain, a link in /tmp stands for it.
socket_dir() {
  case $dir in
  *[!A-Za-z0-9_./-]*) ;;
  *)
    if [ ${#dir} -le 80 ]; then
      echo "$dir"
      return
    fi
    ;;
  esac
  if [ ! -L "$dir/socket-link" ]; then
    link_home=$(mktemp -d /tmp/pdna-XXXXXX)
    chmod 755 "$link_home"
    ln -s "$dir" "$link_home/s"
    ln -s "$link_home/s" "$dir/socket-link"
  fi
  readlink "$dir/socket-link"
}

remove_socket_dir() {
  if [ -L "$dir/socket-link" ]; then
    link=$(readlink "$dir/socket-link")
    rm -f "$link" "$dir/socket-link"
    rmdir "${link%/s}" 2>/dev/null || true
  fi
}

start() {
  if [ ! -s "$data/PG_VERSION" ]; then
    rm -rf "$data"
    mkdir -p "$data"
    if [ "$(id -u)" = 0 ]; then
      chown postgres: "$dir" "$data"
    fi
    as_owner "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust \
      --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions \
      >"$dir/initdb.log" 2>&1 || {
      cat "$dir/initdb.log" >&2
      exit 1
    }
  fi
  socket=$(socket_dir)
  if ! running; then
    rm -f "$data/postmaster.pid"
    as_owner "$bin/pg_ctl" start --pgdata="$data" --wait --timeout=60 --silent \
      --log="$dir/postgres.log" --options="-c listen_addresses='' \
        -c unix_socket_directories=$socket -c fsync=off \
        -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=50 -c timezone=UTC" >/dev/null || {
      echo "postgres.sh: $data did not start:" >&2
      tail -n 20 "$dir/postgres.log" >&2
      remove_socket_dir
      exit 1
    }
  fi
  echo "host=$socket user=postgres dbname=postgres"
}

# SIGINT is the fast shutdown, SIGQUIT the immediate one.
stop() {
  tries=0
  while running; do
    case $tries in
    0) kill -INT "$pid" ;;
    100) kill -QUIT "$pid" ;;
    200)
      echo "postgres.sh: process $pid does not end" >&2
      exit 1
      ;;
    esac
    tries=$((tries + 1))
    sleep 0.1
  done
  remove_socket_dir
}

case $action in
start) start ;;
stop) stop ;;
*) usage ;;
esac
