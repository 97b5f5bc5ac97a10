#include "snmp-subagent/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "lib/record/pathname.h"
#include "snmp-subagent/utf8.h"

/* Another member of an object that has one already; `text` is UTF-8 without
 * control characters, or NULL for null. */
static void print_string(FILE *out, const char *key, const char *text) {
  (void)fprintf(out, ",\"%s\":%s", key, text != NULL ? "\"" : "null");
  if (text == NULL)
    return;
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      (void)fputc('\\', out);
    (void)fputc(*text, out);
  }
  (void)fputc('"', out);
}

static void print_number(FILE *out, const char *key, uint64_t number) {
  (void)fprintf(out, ",\"%s\":%" PRIu64, key, number);
}

static void print_digest(FILE *out, const char *key, bool has,
                         const struct digest *digest) {
  char hex[DIGEST_HEX_LEN + 1];

  if (has)
    digest_to_hex(digest, hex);
  print_string(out, key, has ? hex : NULL);
}

static void print_time(FILE *out, const char *key, int64_t seconds) {
  const time_t when = (time_t)seconds;
  char text[64];
  struct tm tm;
  bool known = gmtime_r(&when, &tm) != NULL &&
               strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;

  print_string(out, key, known ? text : NULL);
}

static void print_file(FILE *out, const char *key, bool has,
                       const struct file_facts *f) {
  enum { PERMISSIONS = 07777 };
  char mode[16];

  if (!has) {
    print_string(out, key, NULL);
    return;
  }
  (void)snprintf(mode, sizeof(mode), "%04" PRIo32, f->mode & PERMISSIONS);
  (void)fprintf(out, ",\"%s\":{\"size\":%" PRIu64, key, f->size);
  print_string(out, "mode", mode);
  print_number(out, "uid", f->uid);
  print_number(out, "gid", f->gid);
  print_time(out, "mtime", f->mtime_s);
  print_time(out, "ctime", f->ctime_s);
  (void)fputc('}', out);
}

/* Names and versions are what a package database has. */
static void print_clean(FILE *out, const char *key, const char *text) {
  char clean[COMM_MAX + PACKAGE_NAME_MAX + 1];

  utf8_clean(text, clean, sizeof(clean));
  print_string(out, key, clean);
}

static void print_package(FILE *out, const struct package *p) {
  if (p->manager[0] == '\0') {
    print_string(out, "package", NULL);
    return;
  }
  (void)fprintf(out, ",\"package\":{\"in_transaction\":%s",
                p->in_transaction ? "true" : "false");
  print_clean(out, "manager", p->manager);
  print_clean(out, "name", p->name);
  print_clean(out, "version", p->version);
  print_clean(out, "architecture", p->arch);
  (void)fputc('}', out);
}

int json_print_record(FILE *out, const struct record *r) {
  char *path;
  int ret = pathname_encode(r->exe_path, &path);

  if (ret < 0)
    return ret;
  (void)fprintf(out, "{\"pid\":%d", (int)r->pid);
  print_clean(out, "name", r->name);
  print_string(out, "exe_path", path);
  print_digest(out, "exe_sha256", r->has_exe_sha256, &r->exe_sha256);
  print_digest(out, "running_sha256", r->has_running_sha256,
               &r->running_sha256);
  print_string(out, "state", exe_state_name(r->state));
  print_string(out, "reason", exe_reason_name(r->reason));
  print_number(out, "parent", (uint64_t)r->ppid);
  print_number(out, "uid", r->uid);
  print_number(out, "rss_kib", r->rss_kib);
  print_string(out, "container", r->container);
  print_time(out, "started_at", r->started_s);
  print_file(out, "exe_file", r->has_exe_sha256, &r->exe_file);
  print_file(out, "running_file", r->has_running_sha256, &r->running_file);
  print_package(out, &r->package);
  print_time(out, "observed_at", r->observed_at_s);
  (void)fputs("}\n", out);
  free(path);
  return 0;
}
