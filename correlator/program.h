/* Running other programs: without a shell, in a process group of their own,
 * with an environment that is given, for a bounded time. */
#ifndef PDNA_PROGRAM_H
#define PDNA_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct program {
  const char *path;         /* absolute; NULL: the first of argv */
  char *const *argv;        /* ends with NULL */
  char *const *environment; /* ends with NULL */
  const char *folder;       /* to run in; NULL: ours */
  uint64_t file_size_max;   /* bytes of a file that it writes; 0: no bound */
  int input;                /* its standard input; 0: /dev/null */
  int output;               /* of program_run: its standard output; 0: goes to
                               the result */
};

/* Begin it, with standard output and error to the descriptors, and none else
 * but its input. It ends with the thread that begins it.
 * Returns 0 or a negative errno; the caller ends it by program_kill or waits
 * for it. */
int program_start(const struct program *program, int output, int error,
                  pid_t *ret_pid);

/* End the group of an own child that was not waited for yet. */
void program_kill(pid_t pid);

enum { PROGRAM_OUTPUT_MAX = 1 << 16 };

/* How a program ended, and what it wrote, each cut at PROGRAM_OUTPUT_MAX. */
struct program_result {
  bool timed_out;
  int status; /* as waitpid(2) gives it; valid unless timed_out */
  char *output;
  char *error;
};

/* Run it to its end, or until it has taken timeout_s. Whatever it has left
 * running in its group is ended, too. Free the result with
 * program_result_free in any case. Returns 0 or a negative errno: it could not
 * be run. */
int program_run(const struct program *program, unsigned timeout_s,
                struct program_result *ret_result);
void program_result_free(struct program_result *result);

#endif
