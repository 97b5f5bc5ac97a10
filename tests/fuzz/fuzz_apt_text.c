/* Goal: no sources.list(5) and no output of apt's tools makes us read or write
 * where we should not, and what is taken over can only be verified. */
#include <stdlib.h>
#include <string.h>

#include "correlator/apt_answer.h"
#include "correlator/apt_sources.h"
#include "correlator/config_check.h"
#include "tests/fuzz/fuzz.h"

static char *architectures[] = {"amd64"};
static const struct fetch_config section = {
    .name = "fuzz",
    .manager = "dpkg",
    .sources = "/sources",
    .keyring = "/keyring.gpg",
    .architectures = architectures,
    .architectures_len = 1,
};

/* Each line is one of those that we write. */
static void check_made(const char *made) {
  static const char *const fields[] = {
      "Types: deb\n",
      "URIs: ",
      "Suites: ",
      "Components: ",
      "Signed-By: /keyring.gpg\n",
      "Architectures: amd64\n",
      "\n",
  };

  while (*made != '\0') {
    bool known = false;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
      known = known || strncmp(made, fields[i], strlen(fields[i])) == 0;
    CHECK(known);
    made = strchr(made, '\n');
    CHECK(made != NULL);
    made++;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char what[CONFIG_CHECK_MAX], reason[FETCH_REASON_MAX], place[64];
  struct fetch_item item;
  char *made = NULL;
  char *text = malloc(size + 1);

  CHECK(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  if (apt_sources_convert(&section, text, &made, what))
    check_made(made);
  free(made);
  if (apt_answer_item(text, &item))
    CHECK(strchr(item.file, '/') == NULL && item.file[0] != '.');
  (void)apt_answer_place(text, "1.0", place, sizeof(place));
  apt_answer_reason(text, "", reason);
  free(text);
  return 0;
}
