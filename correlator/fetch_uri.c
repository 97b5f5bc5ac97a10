#include "correlator/fetch_uri.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "correlator/word.h"

bool fetch_uri_check(const char *uri, char ret_why[static FETCH_URI_WHY_MAX]) {
  static const char *const schemes[] = {"https://", "http://", "file:/"};
  const char *expected = NULL, *rest = NULL;

  for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
    if (strncasecmp(uri, schemes[i], strlen(schemes[i])) == 0)
      rest = uri + strlen(schemes[i]);
  if (rest == NULL)
    expected = "http://, https:// or file:/";
  else if (!word_is_printable(uri, "\"'\\<>`"))
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
