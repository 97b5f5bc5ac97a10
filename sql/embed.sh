#!/bin/sh
# Print an assembler source that holds the SQL files named as arguments, as
# the table that correlator/migrate.c reads: pairs of pointers (name, text),
# ended by a pair of null pointers.
set -eu

echo '.section .rodata'
n=0
for file in "$@"; do
  n=$((n + 1))
  printf 'name%d: .asciz "%s"\n' "$n" "$file"
  printf 'text%d: .incbin "%s"\n.byte 0\n' "$n" "$file"
done
echo '.section .data.rel.ro,"aw"'
printf '.balign 8\n.globl sql_files\n.type sql_files, @object\nsql_files:\n'
i=0
while [ $i -lt $n ]; do
  i=$((i + 1))
  printf '.quad name%d, text%d\n' "$i" "$i"
done
echo '.quad 0, 0'
echo '.size sql_files, . - sql_files'
echo '.section .note.GNU-stack,"",@progbits'
