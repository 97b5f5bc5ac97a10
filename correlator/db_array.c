#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "correlator/db.h"

enum {
  CAPACITY_MIN = 256,
  USEC_PER_SEC = 1000000,
  /* What any element needs beside its text: '{' or ',', quotes, '}', NUL. */
  ELEMENT_OVERHEAD = 5,
};

/* 0001-01-01 and the last microsecond of 9999, between which a timestamptz
 * has the form written here. */
#define TIME_MIN_US (INT64_C(-62135596800) * USEC_PER_SEC)
#define TIME_MAX_US (INT64_C(253402300800) * USEC_PER_SEC - 1)

/* Make room for an element of `len` bytes of text. */
static bool reserve(struct db_array *a, size_t len) {
  size_t needed = a->len + len + ELEMENT_OVERHEAD;

  if (a->failed)
    return false;
  if (needed <= a->capacity)
    return true;
  size_t capacity = a->capacity == 0 ? CAPACITY_MIN : a->capacity;
  while (capacity < needed)
    capacity *= 2;
  char *text = realloc(a->text, capacity);
  if (text == NULL) {
    a->failed = true;
    return false;
  }
  a->text = text;
  a->capacity = capacity;
  return true;
}

static void add_raw(struct db_array *a, const char *text, size_t len) {
  if (!reserve(a, len))
    return;
  a->text[a->len] = a->len == 0 ? '{' : ',';
  memcpy(a->text + a->len + 1, text, len);
  a->len += len + 1;
}

void db_array_add_text(struct db_array *a, const char *value) {
  if (value == NULL) {
    add_raw(a, "NULL", strlen("NULL"));
    return;
  }
  if (!reserve(a, 2 * strlen(value)))
    return;
  a->text[a->len] = a->len == 0 ? '{' : ',';
  a->len++;
  a->text[a->len++] = '"';
  for (; *value != '\0'; value++) {
    if (*value == '"' || *value == '\\')
      a->text[a->len++] = '\\';
    a->text[a->len++] = *value;
  }
  a->text[a->len++] = '"';
}

void db_array_add_escaped(struct db_array *a, const char *text, size_t len) {
  /* A backslash is one more in the literal. */
  if (!reserve(a, len * sizeof("\\\\ooo")))
    return;
  a->text[a->len] = a->len == 0 ? '{' : ',';
  a->len++;
  a->text[a->len++] = '"';
  for (; len > 0; len--, text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\' || c < ' ' || c > '~')
      a->text[a->len++] = '\\';
    if (c >= ' ' && c <= '~') {
      a->text[a->len++] = (char)c;
      continue;
    }
    a->text[a->len++] = '\\';
    for (unsigned shift = 9; shift > 0; shift -= 3)
      a->text[a->len++] = (char)('0' + ((c >> (shift - 3)) & 7));
  }
  a->text[a->len++] = '"';
}

void db_array_add_int(struct db_array *a, int64_t value) {
  char text[sizeof("-9223372036854775808")];

  int len = snprintf(text, sizeof(text), "%" PRId64, value);
  add_raw(a, text, (size_t)len);
}

void db_array_add_bool(struct db_array *a, bool value) {
  add_raw(a, value ? "t" : "f", 1);
}

void db_array_add_time(struct db_array *a, int64_t time_us) {
  char text[64];
  struct tm tm;

  if (time_us < TIME_MIN_US)
    time_us = TIME_MIN_US;
  if (time_us > TIME_MAX_US)
    time_us = TIME_MAX_US;
  int64_t fraction_us = time_us % USEC_PER_SEC;
  if (fraction_us < 0)
    fraction_us += USEC_PER_SEC;
  time_t seconds = (time_us - fraction_us) / USEC_PER_SEC;
  if (gmtime_r(&seconds, &tm) == NULL) {
    a->failed = true;
    return;
  }
  int len =
      snprintf(text, sizeof(text), "\"%04d-%02d-%02d %02d:%02d:%02d.%06d+00\"",
               tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
               tm.tm_min, tm.tm_sec, (int)fraction_us);
  add_raw(a, text, (size_t)len);
}

const char *db_array_text(struct db_array *a) {
  if (!reserve(a, 0))
    return NULL;
  if (a->len == 0)
    return "{}";
  /* Left out of len, so that more can be appended. */
  a->text[a->len] = '}';
  a->text[a->len + 1] = '\0';
  return a->text;
}

void db_array_reset(struct db_array *a) {
  a->len = 0;
  a->failed = false;
}

void db_array_free(struct db_array *a) {
  free(a->text);
  *a = (struct db_array){0};
}
