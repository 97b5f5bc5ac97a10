#!/bin/sh
# The SQL tests: run.sh [FILE...]
#
# A private cluster below the build folder gets the schema, of which each
# database is a copy. In one with helpers.psql each .sql file runs in a
# transaction of its own, which it rolls back; then the .test.sh scripts run, in
# databases of their own. The cluster is stopped whatever happens.
set -eu

cd "$(dirname "$0")/../.."
cluster=${B:-build}/sql-test
rm -rf "$cluster"
trap 'sh tests/postgres.sh stop "$cluster"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
conninfo=$(sh tests/postgres.sh start "$cluster")
PGHOST=${conninfo#host=}
PGHOST=${PGHOST%% *}
PGUSER=postgres
PGOPTIONS='-c client_min_messages=warning'
# Debian's wrapper of psql takes longer to start than most queries to answer.
PATH=${PGBIN:-/usr/lib/postgresql/15/bin}:$PATH
export PGHOST PGUSER PGOPTIONS PATH
# What is read is counted with tables that nobody has analyzed, but where tests
# do. A vacuum after tests that were rolled back would have the planner take them
# for empty.
psql -X -q -d postgres -c 'ALTER SYSTEM SET autovacuum = off' \
  -c 'SELECT pg_reload_conf()' >/dev/null

# make_schema: a database of that name with it, as migrate would make it.
make_schema() {
  psql -X -q -d postgres -c 'CREATE DATABASE schema'
  for file in sql/migrations/*.sql sql/functions/*.sql; do
    psql -X -q -1 -v ON_ERROR_STOP=1 -d schema -f "$file"
    case $file in
    sql/migrations/*)
      number=$(basename "$file" | sed 's/^0*\([0-9]*\)_.*/\1/')
      psql -X -q -d schema -c "INSERT INTO process_dna.schema_version
        (version, name) VALUES ($number, '$(basename "$file")')"
      ;;
    esac
  done
}

# make_database NAME
make_database() {
  psql -X -q -d postgres -c "CREATE DATABASE $1 TEMPLATE schema"
}

make_schema
make_database pgtap
psql -X -q -v ON_ERROR_STOP=1 -d pgtap -f tests/sql/helpers.psql
[ $# != 0 ] || set -- tests/sql/*.sql tests/sql/*.test.sh

scripts=
for file in "$@"; do
  shift
  case $file in
  *.test.sh) scripts="$scripts $file" ;;
  *) set -- "$@" "$file" ;;
  esac
done
status=0
if [ $# != 0 ]; then
  pg_prove --failures --dbname pgtap "$@" || status=$?
fi
for script in $scripts; do
  name=$(basename "$script" .test.sh)
  make_database "$name"
  echo "== $script"
  PGDATABASE=$name sh "$script" || status=$?
done
exit $status
