/* Words of what an operator or a package wrote: how they are cut out, and what
 * may stand in one. */
#ifndef PDNA_WORD_H
#define PDNA_WORD_H

#include <stdbool.h>

/* Cut the blanks (space, tab, CR) off both ends, in place. Gives where the rest
 * begins. */
char *word_trim(char *text);

/* Does it begin with an ASCII letter or digit, and hold nothing but those and
 * characters of `also`? */
bool word_is_plain(const char *word, const char *also);

/* Does it hold nothing but printable ASCII without blanks, and none of `but`?
 * The empty word does. */
bool word_is_printable(const char *word, const char *but);

#endif
