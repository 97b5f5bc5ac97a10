#include "correlator/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
  MESSAGE_MAX = 2048,   /* bytes before escaping */
  LIMITS_MAX = 512,     /* (reason, peer) pairs remembered */
  LIMIT_PERIOD_S = 60,  /* one message of a pair in this time */
  LIMIT_KEY_MAX = 160,  /* bytes of a pair that tell it from others */
  ESCAPED_BYTE_LEN = 4, /* "\xNN" */
};

static const struct {
  const char *prefix;
  int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error: ", LOG_ERR},
    [LOG_LEVEL_WARNING] = {"warning: ", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug: ", LOG_DEBUG},
};

static atomic_bool use_syslog;
static atomic_int max_level = LOG_LEVEL_INFO;

struct limit {
  char key[LIMIT_KEY_MAX];
  time_t since_s; /* monotonic; when its last message went out */
  uint64_t held;  /* held back since */
  bool used;
};

/* The last slot stands for every pair that found no other free. */
static struct limit limits[LIMITS_MAX + 1];
static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;

void log_setup(bool to_syslog, enum log_level level) {
  use_syslog = to_syslog;
  max_level = (int)level;
  if (to_syslog)
    openlog("process-dna-correlator", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

/* C0 controls and DEL, and a C1 control in UTF-8: a terminal or a log reader
 * would act on them. */
static size_t unsafe_bytes(const unsigned char *s) {
  if (s[0] < 0x20 || s[0] == 0x7F)
    return 1;
  if (s[0] == 0xC2 && s[1] >= 0x80 && s[1] <= 0x9F)
    return 2;
  return 0;
}

/* Cuts what does not fit. Returns the length. */
static size_t escape(const char *text, char *ret, size_t ret_size) {
  static const char hex[] = "0123456789ABCDEF";
  size_t len = 0;

  for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
    size_t unsafe = unsafe_bytes(s);
    if (len + (unsafe == 0 ? 1 : unsafe * ESCAPED_BYTE_LEN) >= ret_size)
      break;
    if (unsafe == 0)
      ret[len++] = (char)*s++;
    for (; unsafe > 0; unsafe--, s++) {
      ret[len++] = '\\';
      ret[len++] = 'x';
      ret[len++] = hex[*s >> 4];
      ret[len++] = hex[*s & 0x0F];
    }
  }
  ret[len] = '\0';
  return len;
}

static void emit(enum log_level level, const char *message) {
  char line[MESSAGE_MAX * 2];
  size_t prefix_len = strlen(levels[level].prefix);

  memcpy(line, levels[level].prefix, prefix_len);
  size_t len = prefix_len + escape(message, line + prefix_len,
                                   sizeof(line) - prefix_len - 1);
  if (use_syslog) {
    syslog(levels[level].priority, "%s", line);
    return;
  }
  /* One write, so that lines of several threads don't mix. */
  line[len++] = '\n';
  if (write(STDERR_FILENO, line, len) < 0)
    return; /* nobody left to tell */
}

__attribute__((format(printf, 2, 0))) static void
log_v(enum log_level level, const char *format, va_list args) {
  char message[MESSAGE_MAX];

  if ((int)level > max_level)
    return;
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, by callers. */
  if (vsnprintf(message, sizeof(message), format, args) >= 0)
    emit(level, message);
}

void log_error(const char *format, ...) {
  va_list args;
  va_start(args, format);
  log_v(LOG_LEVEL_ERROR, format, args);
  va_end(args);
}

void log_warning(const char *format, ...) {
  va_list args;
  va_start(args, format);
  log_v(LOG_LEVEL_WARNING, format, args);
  va_end(args);
}

void log_info(const char *format, ...) {
  va_list args;
  va_start(args, format);
  log_v(LOG_LEVEL_INFO, format, args);
  va_end(args);
}

void log_debug(const char *format, ...) {
  va_list args;
  va_start(args, format);
  log_v(LOG_LEVEL_DEBUG, format, args);
  va_end(args);
}

static bool limit_expired(const struct limit *l, time_t now_s) {
  return now_s - l->since_s >= LIMIT_PERIOD_S;
}

static struct limit *limit_find(const char *key, time_t now_s) {
  struct limit *free_slot = NULL;

  for (size_t i = 0; i < LIMITS_MAX; i++) {
    if (limits[i].used && strcmp(limits[i].key, key) == 0)
      return &limits[i];
    if (free_slot == NULL &&
        (!limits[i].used || limit_expired(&limits[i], now_s)))
      free_slot = &limits[i];
  }
  if (free_slot == NULL)
    return &limits[LIMITS_MAX];
  *free_slot = (struct limit){0};
  memcpy(free_slot->key, key, strlen(key) + 1);
  return free_slot;
}

/* May a message of this pair go out now? Then *ret_held is how many did not
 * since the last. */
static bool limit_pass(const char *reason, const char *peer,
                       uint64_t *ret_held) {
  char key[LIMIT_KEY_MAX];
  struct timespec now;

  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0 ||
      snprintf(key, sizeof(key), "%s\x1f%s", reason, peer) < 0)
    return false;
  (void)pthread_mutex_lock(&limits_lock);
  struct limit *l = limit_find(key, now.tv_sec);
  bool pass = !l->used || limit_expired(l, now.tv_sec);
  if (pass) {
    *ret_held = l->held;
    l->used = true;
    l->since_s = now.tv_sec;
    l->held = 0;
  } else {
    l->held++;
  }
  (void)pthread_mutex_unlock(&limits_lock);
  return pass;
}

void log_limited(const char *reason, const char *peer, const char *format,
                 ...) {
  char message[MESSAGE_MAX];
  uint64_t held;
  va_list args;

  if (max_level < LOG_LEVEL_WARNING || !limit_pass(reason, peer, &held))
    return;
  va_start(args, format);
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above. */
  int len = vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  if (len < 0)
    return;
  if (held == 0)
    emit(LOG_LEVEL_WARNING, message);
  else
    log_warning("%s (%llu more of these since the last)", message,
                (unsigned long long)held);
}
