#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/record.h"

static const char *const state_names[] = {
    [EXE_CURRENT] = "current",       [EXE_REPLACED] = "replaced",
    [EXE_DELETED] = "deleted",       [EXE_ANONYMOUS] = "anonymous",
    [EXE_SPOOFED] = "spoofed",       [EXE_UNREADABLE] = "unreadable",
    [EXE_SUPERSEDED] = "superseded",
};

static const char *const reason_names[] = {
    [EXE_REASON_PENDING] = "pending",   [EXE_REASON_DENIED] = "denied",
    [EXE_REASON_CHANGING] = "changing", [EXE_REASON_TIMEOUT] = "timeout",
    [EXE_REASON_REMOTE] = "remote",     [EXE_REASON_IO] = "io",
};

enum {
  STATES = sizeof(state_names) / sizeof(state_names[0]),
  REASONS = sizeof(reason_names) / sizeof(reason_names[0]),
};

static const char *name_at(const char *const *names, size_t names_len,
                           size_t i) {
  return i < names_len ? names[i] : NULL;
}

/* The index of a name, or 0, which no name has. */
static size_t index_of(const char *const *names, size_t names_len,
                       const char *name, size_t len) {
  for (size_t i = 1; i < names_len; i++) {
    if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
      return i;
  }
  return 0;
}

const char *exe_state_name(enum exe_state state) {
  return name_at(state_names, STATES, state);
}

const char *exe_reason_name(enum exe_reason reason) {
  return name_at(reason_names, REASONS, reason);
}

int exe_state_from_name(const char *name, size_t len,
                        enum exe_state *ret_state) {
  size_t i = index_of(state_names, STATES, name, len);

  if (i == 0)
    return -EINVAL;
  *ret_state = (enum exe_state)i;
  return 0;
}

int exe_reason_from_name(const char *name, size_t len,
                         enum exe_reason *ret_reason) {
  size_t i = index_of(reason_names, REASONS, name, len);

  if (i == 0)
    return -EINVAL;
  *ret_reason = (enum exe_reason)i;
  return 0;
}

bool container_key_valid(const char *key) {
  static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
  size_t len = strlen(key);

  return len <= CONTAINER_MAX && strspn(key, allowed) == len;
}

/* Which digests each state must have; a missing one needs a reason. */
static bool digests_fit(const struct record *r) {
  bool reason = exe_reason_name(r->reason) != NULL;

  switch (r->state) {
  case EXE_CURRENT:
  case EXE_DELETED:
  case EXE_ANONYMOUS:
  case EXE_SPOOFED:
    return r->has_running_sha256 && !reason;
  case EXE_REPLACED:
    return reason == !(r->has_running_sha256 && r->has_exe_sha256);
  case EXE_UNREADABLE:
    return !r->has_running_sha256 && reason;
  default:
    return false;
  }
}

int record_validate(const struct record *r) {
  if (r->pid <= 0 || r->exe_path == NULL || r->exe_path[0] != '/')
    return -EINVAL;
  if (!container_key_valid(r->container) || !digests_fit(r))
    return -EINVAL;
  return 0;
}

void record_clear(struct record *r) {
  free(r->exe_path);
  memset(r, 0, sizeof(*r));
}
