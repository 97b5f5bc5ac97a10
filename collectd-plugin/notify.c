#include "collectd-plugin/notify.h"

#include "globals.h"
#include "utils/common/common.h"

#include "collectd-plugin/config.h"

#include "lib/record/digest.h"

enum {
  KNOWN_MAX = 1024,   /* executables remembered after they are gone */
  PER_SCAN_MAX = 100, /* notifications; each can start programs of exec */
};

struct known {
  struct digest key;
  uint64_t seen; /* the scan that saw it last */
};

struct dna_notifier {
  uint64_t states;
  uint64_t scans;
  struct known *known; /* sorted by key between scans */
  size_t known_len;
  struct digest *waiting; /* sorted; paths that have waited for a digest in
                             every scan since the first */
  size_t waiting_len;
};

int dna_notifier_new(uint64_t states, struct dna_notifier **ret_notifier) {
  struct dna_notifier *n = calloc(1, sizeof(*n));

  if (n == NULL)
    return -ENOMEM;
  n->states = states;
  *ret_notifier = n;
  return 0;
}

void dna_notifier_free(struct dna_notifier *notifier) {
  if (notifier == NULL)
    return;
  free(notifier->known);
  free(notifier->waiting);
  free(notifier);
}

/* Keys of the same length whatever the path's. Neither container keys nor
 * canonical paths have a newline. */
static int key_of(const struct executable *e, bool with_state,
                  struct digest *ret_key) {
  char hex[DIGEST_HEX_LEN + 1] = "";
  char *text;
  int len, r;

  if (with_state && e->state != EXE_UNREADABLE)
    digest_to_hex(&e->sha256, hex);
  len = asprintf(&text, "%s\n%s\n%d\n%s", e->container, e->path,
                 with_state ? (int)e->state : 0, hex);
  if (len < 0)
    return -ENOMEM;
  r = digest_of(text, (size_t)len, ret_key);
  free(text);
  return r;
}

static int compare_keys(const void *a, const void *b) {
  return memcmp(a, b, sizeof(struct digest));
}

static int compare_known(const void *left, const void *right) {
  const struct known *a = left, *b = right;

  return compare_keys(&a->key, &b->key);
}

static int compare_seen(const void *left, const void *right) {
  const struct known *a = left, *b = right;

  return a->seen > b->seen ? -1 : a->seen < b->seen;
}

static int severity_of(enum exe_state state) {
  switch (state) {
  case EXE_SPOOFED:
  case EXE_ANONYMOUS:
    return NOTIF_FAILURE;
  case EXE_CURRENT:
    return NOTIF_OKAY;
  default:
    return NOTIF_WARNING;
  }
}

/* A process sets its name as it likes; writers want plain ASCII. */
static void copy_name(const char *name, char ret_name[static COMM_MAX + 1]) {
  sstrncpy(ret_name, name, COMM_MAX + 1);
  for (char *c = ret_name; *c != '\0'; c++) {
    if (*c < 0x20 || *c > 0x7e)
      *c = '?';
  }
}

static void add_file(notification_t *n, const struct file_facts *f) {
  plugin_notification_meta_add_unsigned_int(n, "size", f->size);
  plugin_notification_meta_add_unsigned_int(n, "mode", f->mode);
  plugin_notification_meta_add_unsigned_int(n, "owner", f->uid);
  plugin_notification_meta_add_unsigned_int(n, "group", f->gid);
  plugin_notification_meta_add_signed_int(n, "mtime", f->mtime_s);
  plugin_notification_meta_add_signed_int(n, "ctime", f->ctime_s);
}

static void add_package(notification_t *n, const struct package *p) {
  plugin_notification_meta_add_string(n, "package_manager", p->manager);
  plugin_notification_meta_add_string(n, "package", p->name);
  plugin_notification_meta_add_string(n, "package_version", p->version);
  plugin_notification_meta_add_string(n, "package_arch", p->arch);
  plugin_notification_meta_add_boolean(n, "package_transaction",
                                       p->in_transaction);
}

static void add_meta(notification_t *n, const struct executable *e,
                     const char *name, int64_t observed_at_s) {
  const char *reason = exe_reason_name(e->reason);
  char hex[DIGEST_HEX_LEN + 1] = "";

  if (e->state != EXE_UNREADABLE)
    digest_to_hex(&e->sha256, hex);
  plugin_notification_meta_add_string(n, "exe_path", e->path);
  plugin_notification_meta_add_string(n, "exe_sha256", hex);
  plugin_notification_meta_add_string(n, "container", e->container);
  plugin_notification_meta_add_string(n, "state", exe_state_name(e->state));
  plugin_notification_meta_add_string(n, "reason",
                                      reason != NULL ? reason : "");
  plugin_notification_meta_add_signed_int(n, "pid", e->pid);
  plugin_notification_meta_add_string(n, "name", name);
  plugin_notification_meta_add_unsigned_int(n, "uid", e->uid);
  plugin_notification_meta_add_signed_int(n, "started", e->started_s);
  plugin_notification_meta_add_unsigned_int(n, "processes", e->processes);
  plugin_notification_meta_add_unsigned_int(n, "rss", e->rss_bytes);
  plugin_notification_meta_add_signed_int(n, "observed_at", observed_at_s);
  if (e->has_file)
    add_file(n, &e->file);
  if (e->package.manager[0] != '\0')
    add_package(n, &e->package);
}

static void dispatch(const struct executable *e, const struct dna_scan *scan) {
  notification_t n = {.severity = severity_of(e->state), .time = scan->time};
  char identity[PATHNAME_MAX + 1], name[COMM_MAX + 1];
  const char *digest_or_reason;
  struct wire_list list;
  int len;

  if (wire_from_executable(e, &list) < 0 ||
      pathname_to_identity(e->container, e->path, identity) < 0)
    return; /* dna_dispatch has logged it */
  copy_name(e->name, name);
  digest_or_reason = strchr(list.type_instance, '-') + 1;
  /* The name comes last: it is what a long path cuts off. */
  len = snprintf(n.message, sizeof(n.message),
                 "%s executable %s: %s%s, pid %d, uid %u, name %s",
                 exe_state_name(e->state), identity,
                 e->state == EXE_UNREADABLE ? "" : "sha256 ", digest_or_reason,
                 (int)e->pid, (unsigned)e->uid, name);
  if (len < 0)
    return;
  sstrncpy(n.host, hostname_g, sizeof(n.host));
  sstrncpy(n.plugin, WIRE_PLUGIN, sizeof(n.plugin));
  sstrncpy(n.plugin_instance, list.plugin_instance, sizeof(n.plugin_instance));
  sstrncpy(n.type, wire_data_sets[list.type].type, sizeof(n.type));
  sstrncpy(n.type_instance, list.type_instance, sizeof(n.type_instance));
  add_meta(&n, e, name, scan->snapshot->observed_at_s);
  plugin_dispatch_notification(&n);
  if (n.meta != NULL)
    plugin_notification_meta_free(n.meta);
}

static bool is_pending(const struct executable *e) {
  return e->state == EXE_UNREADABLE && e->reason == EXE_REASON_PENDING;
}

static bool is_waiting(const struct dna_notifier *n, const struct digest *key) {
  return n->waiting_len > 0 && bsearch(key, n->waiting, n->waiting_len,
                                       sizeof(*key), compare_keys) != NULL;
}

/* Of the paths that wait for a digest now, keep those that did all along. */
static int update_waiting(struct dna_notifier *n, const struct snapshot *s) {
  struct digest *waiting = NULL;
  size_t len = 0;

  if (n->scans == 1 || n->waiting_len > 0) {
    waiting = calloc(s->executables_len + 1, sizeof(*waiting));
    if (waiting == NULL)
      return -ENOMEM;
  }
  for (size_t i = 0; waiting != NULL && i < s->executables_len; i++) {
    struct digest key;

    if (!is_pending(&s->executables[i]))
      continue;
    if (key_of(&s->executables[i], false, &key) == 0 &&
        (n->scans == 1 || is_waiting(n, &key)))
      waiting[len++] = key;
  }
  if (len > 1)
    qsort(waiting, len, sizeof(*waiting), compare_keys);
  free(n->waiting);
  n->waiting = waiting;
  n->waiting_len = len;
  return 0;
}

/* Is it something that the first scan already saw, if without a digest? */
static bool was_there(const struct dna_notifier *n,
                      const struct executable *e) {
  struct digest key;

  return n->scans == 1 || (n->waiting_len > 0 && key_of(e, false, &key) == 0 &&
                           is_waiting(n, &key));
}

/* Notify of those that are new; they are appended to `known`, which has room
 * for them. */
static int notify_new(struct dna_notifier *n, const struct dna_scan *scan) {
  const struct snapshot *s = scan->snapshot;
  size_t sorted = n->known_len, sent = 0;

  for (size_t i = 0; i < s->executables_len; i++) {
    const struct executable *e = &s->executables[i];
    struct known entry = {.seen = n->scans};
    struct known *known = NULL;

    if ((n->states & DNA_STATE_BIT(e->state)) == 0)
      continue;
    if (key_of(e, true, &entry.key) < 0)
      return -ENOMEM;
    if (sorted > 0)
      known = bsearch(&entry, n->known, sorted, sizeof(entry), compare_known);
    if (known == NULL && n->known_len > sorted &&
        compare_known(&n->known[n->known_len - 1], &entry) == 0)
      known = &n->known[n->known_len - 1]; /* unreadable for two reasons */
    if (known != NULL) {
      known->seen = n->scans;
    } else if (was_there(n, e)) {
      n->known[n->known_len++] = entry;
    } else if (sent < PER_SCAN_MAX) {
      n->known[n->known_len++] = entry;
      dispatch(e, scan);
      sent++;
    }
  }
  return 0;
}

/* Sort, and forget the oldest of those that are gone. */
static void forget(struct dna_notifier *n) {
  if (n->known_len > KNOWN_MAX) {
    qsort(n->known, n->known_len, sizeof(*n->known), compare_seen);
    while (n->known_len > KNOWN_MAX &&
           n->known[n->known_len - 1].seen != n->scans)
      n->known_len--;
  }
  if (n->known_len > 1)
    qsort(n->known, n->known_len, sizeof(*n->known), compare_known);
}

int dna_notifier_scan(struct dna_notifier *notifier,
                      const struct dna_scan *scan) {
  struct known *known;
  int r;

  if (notifier->states == 0)
    return 0;
  known =
      reallocarray(notifier->known,
                   notifier->known_len + scan->snapshot->executables_len + 1,
                   sizeof(*known));
  if (known == NULL)
    return -ENOMEM;
  notifier->known = known;
  notifier->scans++;
  r = notify_new(notifier, scan);
  if (r == 0)
    r = update_waiting(notifier, scan->snapshot);
  forget(notifier);
  return r;
}
