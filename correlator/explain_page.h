/* The page that an explanation is written on: paragraphs wrapped, commands as
 * they are. Used by explain.c and explain_*.c only. */
#ifndef PDNA_EXPLAIN_PAGE_H
#define PDNA_EXPLAIN_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "correlator/explain.h"

struct explain_page {
  FILE *out;
  const struct explain_facts *raw;  /* for commands: quote what is used */
  const struct explain_facts *safe; /* for prose: printable, "" for null */
  const struct explain_movement *movement; /* to who tells: never NULL */
  const char *config_file;                 /* NULL: the default */
  unsigned step;                           /* the last one's number */
  bool failed;                             /* memory ran out */
};

/* A paragraph and an empty line. */
void explain_para(struct explain_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "  LABEL     text": a line of the list of facts; a line that goes on with the
 * label before has the label "". */
void explain_item(struct explain_page *page, const char *label,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An empty line and "N. text". */
void explain_step(struct explain_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* More words within a step. */
void explain_note(struct explain_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A command within a step, never wrapped. */
void explain_command(struct explain_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A command of this program, on the central host; and one about an alert, which
 * is left out if its number is not known: "COMMAND ID REST". */
void explain_program(struct explain_page *page, const char *rest);
void explain_program_about(struct explain_page *page, const char *command,
                           const char *id, const char *rest);

/* Have `tell` write about these facts: page->raw and page->safe are theirs
 * while it does. Memory that runs out is noted in the page. */
void explain_facts_on(struct explain_page *page,
                      const struct explain_facts *facts,
                      void (*tell)(struct explain_page *page));

/* explain_story.c: one line that says what is wrong, what happened, and what
 * to think of it. */
void explain_headline(struct explain_page *page);
void explain_story(struct explain_page *page);

/* explain_manifest.c: items about the manifest that decided, or that is wanted;
 * about the manifest alone: of what it is, who vouches for it and where it came
 * from; and the step of importing one, where that would help. */
void explain_manifest(struct explain_page *page);
void explain_manifest_source(struct explain_page *page);
void explain_import(struct explain_page *page);

/* explain_steps.c: what to do, in order; and how a host is cut off, all but the
 * session in which that is typed. */
void explain_steps(struct explain_page *page);
void explain_cut_off(struct explain_page *page);

/* explain_movement.c: the same for a movement: the line, the story, and items
 * about its hosts, logins and hops; explain_movement_steps.c: what to do. */
void explain_movement_headline(struct explain_page *page);
void explain_movement_story(struct explain_page *page);
void explain_movement_items(struct explain_page *page);
void explain_movement_steps(struct explain_page *page);

/* What a word of the database means to a reader: itself if it is new. */
struct explain_word {
  const char *word, *meaning;
};
const char *explain_meaning(const struct explain_word *words, size_t len,
                            const char *word);
#define EXPLAIN_MEANING(words, word)                                           \
  explain_meaning(words, sizeof(words) / sizeof(*(words)), word)

/* Of facts: equality where NULL equals nothing; a count, -1 if not known. */
bool explain_is(const char *fact, const char *value);
long long explain_count(const char *fact);
/* Is it a movement? */
bool explain_about_movement(const struct explain_facts *facts);
/* Is it about an executable (not a silent agent)? */
bool explain_about_executable(const struct explain_facts *facts);

#endif
