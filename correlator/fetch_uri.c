#include "correlator/fetch_uri.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_plain(const char *uri) {
  for (const char *s = uri; *s != '\0'; s++)
    if (*s <= ' ' || *s > '~' || strchr("\"'\\<>`", *s) != NULL)
      return false;
  return true;
}

bool fetch_uri_check(const char *uri, char ret_why[static FETCH_URI_WHY_MAX]) {
  static const char *const schemes[] = {"https://", "http://", "file:/"};
  const char *expected = NULL, *rest = NULL;

  for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
    if (strncasecmp(uri, schemes[i], strlen(schemes[i])) == 0)
      rest = uri + strlen(schemes[i]);
  if (rest == NULL)
    expected = "http://, https:// or file:/";
  else if (!is_plain(uri))
    expected = "printable ASCII without quotes, < > and \\";
  if (expected != NULL) {
    (void)snprintf(ret_why, FETCH_URI_WHY_MAX, "expected %s, found '%.80s'",
                   expected, uri);
    return false;
  }
  if (memchr(rest, '@', strcspn(rest, "/")) != NULL) {
    (void)snprintf(ret_why, FETCH_URI_WHY_MAX,
                   "expected no user and password in it");
    return false;
  }
  return true;
}
