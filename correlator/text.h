/* Text for an operator's eyes and an operator's shell: what came from a
 * monitored host (host names, paths, user names) must do no harm in either. */
#ifndef PDNA_TEXT_H
#define PDNA_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Read one UTF-8 sequence (RFC 3629) from the first of `len` bytes on. Gives
 * its length; 0: there is none, and *ret_code is untouched. */
size_t text_read_utf8(const char *text, size_t len, uint32_t *ret_code);

/* A copy that is fit for a terminal: control characters (C0, C1, DEL), bytes
 * that are no UTF-8, and the invisible characters that reorder or hide text
 * (bidirectional controls, zero width, line separators) are written as \xHH,
 * one for each byte. The caller frees it. NULL: out of memory. */
char *text_printable(const char *text);

/* How many columns a printable text takes: one for each code point, which is
 * wrong for wide scripts only. */
size_t text_columns(const char *text);

/* Print a printable text in at most `columns` columns, which are more than
 * two: one that is wider is cut in its middle, with ".." there, since what
 * begins and what ends a path tell most. */
void text_put_cut(FILE *out, const char *text, size_t columns);

/* A word for the shell that says exactly `raw`, in plain ASCII: as it is where
 * no character means anything to a shell, else in '...', or, if it has control
 * bytes or bytes over 0x7E, in $'...' (POSIX.1-2024; bash, zsh, ksh and
 * busybox know it, dash does not). It may still begin with '-'. The caller
 * frees it. NULL: out of memory. */
char *text_shell_quote(const char *raw);

/* `prefix` and a path, as one shell word. `identity` is the text of
 * lib/record/pathname.h; it is decoded. The caller frees *ret_word. Returns 0,
 * -EINVAL (shortened, or no such text: no command can name the file) or
 * -ENOMEM. */
int text_shell_path(const char *prefix, const char *identity, char **ret_word);

enum { TEXT_WIDTH = 80 };

/* Print a paragraph, wrapped at spaces to TEXT_WIDTH columns, every line after
 * `indent` columns; in the first of them stands `head` instead of blanks. A
 * word that is too long gets a line of its own. */
void text_wrap(FILE *out, const char *head, const char *paragraph,
               unsigned indent);

#endif
