#include "correlator/auth_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/auth_intake.h"
#include "correlator/auth_lines.h"
#include "correlator/auth_queue.h"
#include "correlator/auth_rotation.h"
#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/read_at.h"
#include "lib/record/clock.h"

enum {
  CHUNKS = 32,         /* in a step */
  RUN_MAX = 256,       /* items handed in at once */
  PRIME_BYTES = 16384, /* in which the line before a position is looked for */
};

struct auth_log {
  const char *path;
  size_t file;
  struct ingest *ingest;
  struct auth_lines *lines;
  struct auth_stream *stream; /* NULL: no file was found yet */
  bool known;                 /* the next two are */
  uint64_t generation;        /* of the position to begin from */
  struct auth_position from;
  int fd;                  /* -1: its file is not found yet */
  struct auth_place place; /* in it; but the offset is that of `lines` */
  uint64_t handed;         /* the offset that ingest has */
  int said;                /* the errno that was logged last */
  size_t items_len;        /* a run that is to be handed in */
  struct auth_item items[RUN_MAX];
};

struct auth_log *auth_log_new(const char *path, size_t file,
                              struct ingest *ingest) {
  struct auth_log *log = calloc(1, sizeof(*log));

  if (log == NULL)
    return NULL;
  log->path = path;
  log->file = file;
  log->ingest = ingest;
  log->fd = -1;
  log->lines = auth_lines_new();
  if (log->lines != NULL)
    return log;
  auth_log_free(log);
  return NULL;
}

static void drop_run(struct auth_log *log) {
  for (size_t i = 0; i < log->items_len; i++)
    auth_record_free(log->items[i].record);
  log->items_len = 0;
}

static void close_file(struct auth_log *log) {
  if (log->fd >= 0)
    (void)close(log->fd);
  log->fd = -1;
}

void auth_log_free(struct auth_log *log) {
  if (log == NULL)
    return;
  drop_run(log);
  close_file(log);
  auth_stream_free(log->stream);
  auth_lines_free(log->lines);
  free(log);
}

/* Once for each thing that is wrong in a row. */
static void say(struct auth_log *log, int rc) {
  if (rc == -EAGAIN || log->said == -rc)
    return;
  log->said = -rc;
  if (rc == -ENOENT)
    log_info("auth-log %s: not there yet", log->path);
  else
    log_error("auth-log %s: %s", log->path,
              rc == -EINVAL ? "expected a regular file" : strerrordesc_np(-rc));
}

/* --- Where to read ------------------------------------------------------- */

/* "last message repeated" tells of the line before, which was read before the
 * position was left: what it says is known already. */
static void prime(struct auth_log *log) {
  struct auth_event event;
  char *text = malloc(PRIME_BYTES);
  uint64_t offset = auth_lines_offset(log->lines);
  size_t len = offset < PRIME_BYTES ? (size_t)offset : (size_t)PRIME_BYTES;

  if (text != NULL && len > 0 &&
      read_at(log->fd, offset - len, text, len) == 0 && text[len - 1] == '\n') {
    const char *before = memrchr(text, '\n', len - 1);
    const char *line = before == NULL ? text : before + 1;
    if (before != NULL || len == offset)
      (void)auth_stream_line(log->stream, line, (size_t)(text + len - 1 - line),
                             clock_wall_us(), &event);
  }
  free(text);
}

/* From here on, `file` is read. */
static void take_file(struct auth_log *log, const struct auth_file *file) {
  close_file(log);
  log->fd = file->fd;
  log->place = file->place;
  log->handed = file->place.offset;
  log->said = 0;
  auth_lines_reset(log->lines, file->place.offset);
}

/* A place's file has gone: what came after it is read. */
static int give_up(struct auth_log *log, const struct auth_place *place) {
  struct auth_place gone = *place;
  struct auth_file file;

  gone.device = 0; /* what has its inode now is another file */
  int rc = auth_rotation_next(log->path, &gone, &file);
  if (rc != 0)
    return rc;
  if (file.place.inode == place->inode) {
    log_info("auth-log %s: was cut, is read from its begin", log->path);
  } else {
    counters_add(COUNTER_AUTH_FILES_LOST, 1);
    log_warning("auth-log %s: expected a file with inode %llu, found none "
                "beside it: what it had behind byte %llu is lost",
                log->path, (unsigned long long)place->inode,
                (unsigned long long)place->offset);
  }
  take_file(log, &file);
  return 0;
}

/* The file of a place, wherever it is now. */
static int find_place(struct auth_log *log, const struct auth_place *place) {
  struct auth_file file;
  int rc = auth_rotation_find(log->path, place, &file);

  if (rc == -ENOENT)
    return give_up(log, place);
  if (rc == 0)
    take_file(log, &file);
  return rc;
}

/* Begin where the database says. */
static int begin(struct auth_log *log) {
  struct auth_place place = {.device = log->from.device,
                             .inode = log->from.inode,
                             .offset = log->from.offset};
  struct auth_file file;
  struct auth_stream *stream = auth_stream_new();
  int rc = stream == NULL ? -ENOMEM : 0;

  if (rc == 0 && log->from.head[0] == '\0') {
    rc = auth_rotation_path(log->path, &file);
    if (rc == 0)
      take_file(log, &file);
  } else if (rc == 0) {
    rc = auth_head_parse(log->from.head, &place.head, &place.mtime_ns) == 0
             ? find_place(log, &place)
             : -EBADMSG; /* of another version */
  }
  if (rc != 0) {
    auth_stream_free(stream);
    return rc;
  }
  auth_stream_free(log->stream);
  log->stream = stream;
  prime(log);
  return 0;
}

/* Is there a file to read, from a position that counts? */
static bool is_open(struct auth_log *log) {
  if (!log->known ||
      !ingest_auth_current(log->ingest, log->file, log->generation)) {
    drop_run(log);
    close_file(log);
    log->known = ingest_auth_position(log->ingest, log->file, &log->from,
                                      &log->generation);
  }
  if (!log->known || log->fd >= 0)
    return log->known;
  int rc = begin(log);
  if (rc != 0)
    say(log, rc);
  return rc == 0;
}

/* --- Reading ------------------------------------------------------------- */

static void add_item(struct auth_log *log, struct auth_record *record) {
  log->items[log->items_len++] =
      (struct auth_item){.record = record,
                         .file = (int)log->file,
                         .generation = log->generation,
                         .position = {.device = log->place.device,
                                      .inode = log->place.inode,
                                      .offset = auth_lines_offset(log->lines)}};
}

/* Hand the run in, with all lines up to now. False: it waits. */
static bool hand_in(struct auth_log *log) {
  uint64_t offset = auth_lines_offset(log->lines);
  char head[AUTH_HEAD_MAX + 1];

  if (log->items_len == 0 && offset > log->handed)
    add_item(log, NULL);
  if (log->items_len == 0)
    return true;
  log->items[log->items_len - 1].position.offset = offset;
  auth_head_text(&log->place.head, log->place.mtime_ns, head);
  for (size_t i = 0; i < log->items_len; i++)
    memcpy(log->items[i].position.head, head, sizeof(head));
  if (!ingest_auth_file(log->ingest, log->items, log->items_len))
    return false;
  log->items_len = 0;
  log->handed = offset;
  return true;
}

static void take_line(struct auth_log *log, enum auth_lines_found found,
                      struct auth_text line) {
  const struct auth_arrival arrival = {.arrived_us = clock_wall_us(),
                                       .trust = AUTH_TRUST_FILE};
  struct auth_record *record = NULL;

  if (found == AUTH_LINES_TOO_LONG)
    auth_intake_too_long(log->stream);
  else
    record = auth_intake_line(log->ingest, log->stream, line, &arrival);
  if (record != NULL)
    add_item(log, record);
}

/* All whole lines that were read. False: there is no room for more. */
static bool take_lines(struct auth_log *log) {
  enum auth_lines_found found;
  struct auth_text line;

  for (;;) {
    if (log->items_len == RUN_MAX && !hand_in(log))
      return false;
    found = auth_lines_next(log->lines, &line);
    if (found == AUTH_LINES_NONE)
      return hand_in(log);
    take_line(log, found, line);
  }
}

/* More of the file. Returns 0 with how much (none: its end), -ESTALE (it is
 * another file by now, what was read is of no use) or a negative errno. */
static int read_chunk(struct auth_log *log, size_t *ret_len) {
  struct stat st;
  size_t len;
  char *room = auth_lines_room(log->lines, &len);
  uint64_t offset = auth_lines_read_offset(log->lines);
  uint64_t size = offset;

  ssize_t n = pread(log->fd, room, len, (off_t)offset);
  if (n > 0)
    size += (uint64_t)n;
  if (n < 0 || fstat(log->fd, &st) != 0)
    return errno == EINTR ? -EAGAIN : -errno;
  /* After reading: it may have been cut before. */
  int rc = (uint64_t)st.st_size < size ? -ESTALE : 0;
  if (rc == 0)
    rc = auth_head_check(log->fd, size, &log->place.head);
  if (rc != 0)
    return rc == -ENODATA ? -ESTALE : rc;
  log->place.mtime_ns =
      (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
  auth_lines_filled(log->lines, (size_t)n);
  *ret_len = (size_t)n;
  return 0;
}

static bool is_same_place(const struct auth_place *a,
                          const struct auth_place *b) {
  return a->inode == b->inode && a->device == b->device &&
         a->offset == b->offset && a->head.len == b->head.len &&
         digest_equal(&a->head.digest, &b->head.digest);
}

/* It was cut, or something else lies there: what was not read of it yet may be
 * in a copy. One that is not as long as what it gives, as those of /proc, is
 * not tried again at once. */
static enum auth_log_state find_again(struct auth_log *log) {
  struct auth_place place = log->place;

  place.offset = auth_lines_offset(log->lines);
  int rc = find_place(log, &place);
  if (rc == 0)
    return is_same_place(&log->place, &place) ? AUTH_LOG_IDLE : AUTH_LOG_MORE;
  say(log, rc);
  return AUTH_LOG_IDLE;
}

static bool is_still_path(const struct auth_log *log) {
  struct stat st;

  return stat(log->path, &st) == 0 && st.st_ino == log->place.inode &&
         st.st_dev == log->place.device;
}

/* Whoever wrote this file writes the next one now, so that nothing more comes
 * to it, once it was read to its end after the next had its first line. */
static enum auth_log_state go_on(struct auth_log *log,
                                 const struct auth_file *next) {
  struct auth_text line;
  size_t len = 0;
  int rc = read_chunk(log, &len);

  if (rc != 0 || len > 0) {
    (void)close(next->fd);
    return rc != 0 ? AUTH_LOG_IDLE : AUTH_LOG_MORE;
  }
  enum auth_lines_found found = auth_lines_rest(log->lines, &line);
  if (found != AUTH_LINES_NONE)
    take_line(log, found, line);
  if (!hand_in(log)) {
    (void)close(next->fd);
    return AUTH_LOG_FULL;
  }
  log_debug("auth-log %s: rotated, inode %llu is read next", log->path,
            (unsigned long long)next->place.inode);
  take_file(log, next);
  return AUTH_LOG_MORE;
}

static enum auth_log_state at_end(struct auth_log *log) {
  struct auth_file next;

  if (is_still_path(log))
    return AUTH_LOG_IDLE;
  int rc = auth_rotation_next(log->path, &log->place, &next);
  if (rc == 0)
    return go_on(log, &next);
  if (rc != -ENOENT) /* whose next one is not there yet */
    say(log, rc);
  return AUTH_LOG_IDLE;
}

enum auth_log_state auth_log_step(struct auth_log *log) {
  if (!is_open(log))
    return AUTH_LOG_IDLE;
  for (int i = 0; i < CHUNKS; i++) {
    size_t len = 0;
    if (!take_lines(log))
      return AUTH_LOG_FULL;
    int rc = read_chunk(log, &len);
    if (rc == -ESTALE)
      return find_again(log);
    if (rc != 0) {
      say(log, rc);
      return AUTH_LOG_IDLE;
    }
    if (len == 0)
      return at_end(log);
  }
  return AUTH_LOG_MORE;
}
