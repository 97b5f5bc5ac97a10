#include "correlator/config_check.h"

#include <event2/util.h>
#include <libpq-fe.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "correlator/manifest_fetcher.h"
#include "correlator/report.h"
#include "correlator/snmp_words.h"
#include "correlator/word.h"
#include "lib/record/record.h"

enum { NAME_MAX_LEN = 63 };

__attribute__((format(printf, 2, 3))) static bool
expected(char *what, const char *format, ...) {
  va_list args;

  va_start(args, format);
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above. */
  (void)vsnprintf(what, CONFIG_CHECK_MAX, format, args);
  va_end(args);
  return false;
}

bool config_check_host(const char *value, char *what) {
  if (*value == '\0' || strlen(value) > REPORT_NAME_MAX ||
      !word_is_printable(value, ""))
    return expected(what,
                    "a host name of 1 to %d printable ASCII characters "
                    "without spaces",
                    REPORT_NAME_MAX);
  return true;
}

bool config_check_conninfo(const char *value, char *what) {
  char *message = NULL;

  PQconninfoOption *options = PQconninfoParse(value, &message);
  if (options == NULL) {
    size_t len = message == NULL ? 0 : strcspn(message, "\n");
    expected(what, "expected a libpq connection string: %.*s", (int)len,
             message == NULL ? "" : message);
    PQfreemem(message);
    return false;
  }
  PQconninfoFree(options);
  return true;
}

bool config_conninfo_has_secret(const char *conninfo) {
  PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
  bool secret = false;

  for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
    if (strstr(o->keyword, "password") != NULL && o->val != NULL &&
        *o->val != '\0')
      secret = true;
  PQconninfoFree(options);
  return secret;
}

bool config_check_name(const char *value, char *what) {
  size_t len = strlen(value);

  if (len == 0 || len > NAME_MAX_LEN)
    return expected(what, "1 to %d bytes", NAME_MAX_LEN);
  for (const char *c = value; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7F)
      return expected(what, "no control bytes");
  return true;
}

bool config_check_directory(const char *value, char *what) {
  if (*value != '/')
    return expected(what, "an absolute path");
  return true;
}

bool config_check_file(const char *value, char *what) {
  if (*value != '/')
    return expected(what, "an absolute path");
  return true;
}

bool config_check_listen(const char *value, char *what) {
  struct sockaddr_storage address;
  int len = sizeof(address);
  const char *host_end = value[0] == '[' ? strchr(value, ']') : value;
  const char *colon = host_end == NULL ? NULL : strchr(host_end, ':');

  /* Without a port an address is valid for libevent. */
  if (colon == NULL || colon[1] == '\0' ||
      colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
      evutil_parse_sockaddr_port(value, (struct sockaddr *)&address, &len) != 0)
    return expected(what, "ADDRESS:PORT or [ADDRESS]:PORT, in figures");
  return true;
}

bool config_check_glob(const char *value, char *what) {
  if (*value == '\0')
    return expected(what, "a glob of host names");
  for (const char *c = value; *c != '\0'; c++) {
    if (*c == '\\' && *++c == '\0')
      return expected(what, "a glob, in which \\ has a byte behind it");
    if (*c != '[')
      continue;
    c += c[1] == '!' || c[1] == '^' ? 2 : 1;
    if (*c != '\0')
      c = strchr(c + 1, ']'); /* a ']' that comes first is a member */
    if (c == NULL || *c == '\0')
      return expected(what, "a glob, in which [ has its ]");
  }
  return true;
}

static bool check_words(const char *value, enum snmp_use use, char *what) {
  struct snmp_message message;
  bool inform;

  return snmp_words_check(value, use, &message, &inform) == 0 ||
         expected(what, "%s", message.text);
}

bool config_check_poll_session(const char *value, char *what) {
  return check_words(value, SNMP_USE_POLL, what);
}

bool config_check_session(const char *value, char *what) {
  return check_words(value, SNMP_USE_SINK, what);
}

bool config_check_unverified_update(const char *value, char *what) {
  static const char *const choices[] = {"critical", "warning", "info",
                                        "accept"};

  for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
    if (strcmp(value, choices[i]) == 0)
      return true;
  return expected(what, "critical, warning, info or accept");
}

bool config_check_manager(const char *value, char *what) {
  return manifest_fetcher_find(value) != NULL ||
         expected(what, "a package manager that can be fetched from: %s",
                  manifest_fetcher_names());
}

bool config_check_folder_name(const char *value, char *what) {
  return (strlen(value) <= NAME_MAX_LEN && word_is_plain(value, "._-")) ||
         expected(what, "1 to %d of A-Z a-z 0-9 . _ -", NAME_MAX_LEN);
}

bool config_check_architecture(const char *value, char *what) {
  return (strlen(value) <= PACKAGE_ARCH_MAX && word_is_plain(value, "_-")) ||
         expected(what, "an architecture such as amd64");
}

/* The path is a key in the database: one file must not have two. */
bool config_check_auth_log(const char *value, char *what) {
  const char *rest = value;

  if (strcmp(value, "-") == 0)
    return true;
  bool fits = *rest == '/' && strlen(value) < PATH_MAX;
  while (fits && *rest == '/') {
    size_t len = strcspn(++rest, "/");
    fits = len > 0 && !(len == 1 && rest[0] == '.') &&
           !(len == 2 && memcmp(rest, "..", len) == 0);
    rest += len;
  }
  for (const char *c = value; *c != '\0'; c++)
    if (*c < ' ' || *c > '~')
      fits = false;
  return fits || expected(what, "an absolute path in ASCII, without // . and "
                                ".., or -");
}
