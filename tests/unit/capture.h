/* What a test program writes to standard error, as text. */
#ifndef PDNA_CAPTURE_H
#define PDNA_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
  int real_fd;
  FILE *file;
  char text[16384];
};

static inline void capture_begin(struct capture *c) {
  (void)fflush(stderr);
  c->file = tmpfile();
  c->real_fd = dup(STDERR_FILENO);
  if (c->file == NULL || c->real_fd < 0 ||
      dup2(fileno(c->file), STDERR_FILENO) < 0)
    abort();
}

static inline void capture_end(struct capture *c) {
  (void)fflush(stderr);
  if (dup2(c->real_fd, STDERR_FILENO) < 0 || fseek(c->file, 0, SEEK_SET) != 0)
    abort();
  c->text[fread(c->text, 1, sizeof(c->text) - 1, c->file)] = '\0';
  (void)close(c->real_fd);
  (void)fclose(c->file);
}

#endif
