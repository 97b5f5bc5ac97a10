#!/bin/sh
# What docs/article.md names is there: each FILE of this tree, and in FILE:NAME
# the test function (a unit test has to be run as well), or the assertion of a
# SQL test. article.sh [FILE] checks another text.
set -eu

cd "$(dirname "$0")/.."
text=${1:-docs/article.md}
folders='lib|collectd-plugin|snmp-subagent|correlator|sql|tests|docs|packaging'
least=100 # names that are found at least, or the text is not what it was
# shellcheck disable=SC2016 # the quotes are Markdown's
names=$(grep -o '`[^`]*`' "$text" | tr -d '`' | grep -E "^($folders)/" | sort -u)

# has FILE NAME
has() {
  case $1 in
  *.c) grep -q "^static void $2(" "$1" &&
    [ "$(grep -cw "$2" "$1")" -gt 1 ] ;;
  *.py) grep -q "^def $2(" "$1" ;;
  *.sql) grep -Fq "'$(printf '%s' "$2" | sed "s/'/''/g")'" "$1" ;;
  *) false ;;
  esac
}

status=0
while read -r name; do
  file=${name%%:*}
  if [ ! -f "$file" ]; then
    echo "$text: $file: no such file" >&2
    status=1
  elif [ "$file" != "$name" ] && ! has "$file" "${name#*:}"; then
    echo "$text: $file: has no test \"${name#*:}\"" >&2
    status=1
  fi
done <<EOF
$names
EOF
if [ -z "${1-}" ] && [ "$(echo "$names" | wc -l)" -lt "$least" ]; then
  echo "$text: names fewer than $least files and tests" >&2
  status=1
fi
exit $status
