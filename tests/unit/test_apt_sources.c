/* Goal: sources.list(5) in either format becomes one in which apt verifies
 * everything; whatever asks for less is refused, and said. */
#include <stdlib.h>
#include <string.h>

#include "correlator/apt_sources.h"
#include "correlator/config_check.h"
#include "tests/unit/unit.h"

#define KEYRING "/usr/share/keyrings/ours.gpg"

static char *architectures[] = {"amd64", "i386"};
static const struct fetch_config section = {
    .name = "debian",
    .manager = "dpkg",
    .sources = "/etc/process-dna/debian.sources",
    .keyring = KEYRING,
    .architectures = architectures,
    .architectures_len = 2,
};

#define ENTRY(uris, suites, components)                                        \
  "Types: deb\nURIs: " uris "\nSuites: " suites "\n" components                \
  "Signed-By: " KEYRING "\nArchitectures: amd64 i386\n\n"

static const struct {
  const char *name;
  const char *text;
  const char *made;
} good[] = {
    {"deb822",
     "Types: deb deb-src\nURIs: http://a.example/debian\n"
     "Suites: bookworm bookworm-updates\nComponents: main contrib\n",
     ENTRY("http://a.example/debian", "bookworm bookworm-updates",
           "Components: main contrib\n")},
    {"deb822 as Debian ships it",
     "# comment\nTypes: deb\n# in the middle\nURIs: https://a.example/debian\n"
     "Suites:\n bookworm\n bookworm-updates\nComponents: main\n"
     "Signed-By: " KEYRING "\nX-Repolib-Name: Debian\n\n\n"
     "types: deb\nuris: file:/srv/debian\nsuites: ./\n",
     ENTRY("https://a.example/debian", "bookworm bookworm-updates",
           "Components: main\n") ENTRY("file:/srv/debian", "./", "")},
    {"an entry that is switched off",
     "Types: deb\nURIs: http://a/\nSuites: x\nComponents: main\n"
     "Enabled: no\n\n"
     "Types: deb\nURIs: http://b/\nSuites: x\nComponents: main\n"
     "Enabled: yes\n",
     ENTRY("http://b/", "x", "Components: main\n")},
    {"sources only are left out",
     "Types: deb-src\nURIs: http://a/\nSuites: x\nComponents: main\n\n"
     "Types: deb\nURIs: http://b/\nSuites: x\nComponents: main\n",
     ENTRY("http://b/", "x", "Components: main\n")},
    {"lines",
     "\n# comment\n  deb http://a.example/debian bookworm main contrib # end\n"
     "deb-src http://a.example/debian bookworm main\n"
     "deb [ signed-by=" KEYRING " ] file:/srv/x ./\n",
     ENTRY("http://a.example/debian", "bookworm", "Components: main contrib\n")
         ENTRY("file:/srv/x", "./", "")},
    {"the last line without its end",
     "Types: deb\nURIs: http://a/\nComponents: main\nSuites:\n x\n y",
     ENTRY("http://a/", "x y", "Components: main\n")},
    {"lines as other systems end them",
     "Types: deb\r\nURIs: http://a/\r\nSuites: x\r\nComponents: main\r\n",
     ENTRY("http://a/", "x", "Components: main\n")},
    {"an address of IPv6", "deb http://[::1]:80/d bookworm main\n",
     ENTRY("http://[::1]:80/d", "bookworm", "Components: main\n")},
};

static void what_is_to_be_verified_is_taken_over(void **state) {
  char what[CONFIG_CHECK_MAX];
  char *made = NULL;

  (void)state;
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    if (!apt_sources_convert(&section, good[i].text, &made, what))
      fail_msg("%s: %s", good[i].name, what);
    if (strcmp(made, good[i].made) != 0)
      fail_msg("%s: made\n%s", good[i].name, made);
    free(made);
  }
}

#define DEB822 "Types: deb\nURIs: http://a/\nSuites: x\nComponents: main\n"

static const struct {
  const char *name;
  const char *text;
  const char *said;
} broken[] = {
    {"trusted", "deb [trusted=yes] http://a/ x main\n", "option trusted: "},
    {"trusted beside signed-by",
     "deb [signed-by=" KEYRING " trusted=yes] http://a/ x main\n",
     "option trusted: "},
    {"trusted added", "deb [trusted+=yes] http://a/ x main\n",
     "option trusted: "},
    {"insecure", "deb [allow-insecure=yes] http://a/ x main\n",
     "option allow-insecure: "},
    {"weak", "deb [allow-weak=yes] http://a/ x main\n", "option allow-weak: "},
    {"expiry", "deb [check-valid-until=no] http://a/ x main\n",
     "option check-valid-until: "},
    {"architecture", "deb [arch=arm64] http://a/ x main\n", "arch: "},
    {"architecture left out", "deb [arch-=amd64] http://a/ x main\n", "arch: "},
    {"another keyring", "deb [signed-by=/tmp/k.gpg] http://a/ x main\n",
     "Signed-By: expected the keyring of the section"},
    {"more than the keyring",
     "deb [signed-by=" KEYRING ",/tmp/k.gpg] http://a/ x main\n",
     "Signed-By: expected the keyring of the section"},
    {"open options", "deb [arch=amd64 http://a/ x main\n", "expected ]"},
    {"Trusted", DEB822 "Trusted: yes\n", "Trusted: expected "},
    {"trusted in small letters", DEB822 "trusted: yes\n", "trusted: expected "},
    {"Allow-Insecure", DEB822 "Allow-Insecure: yes\n",
     "Allow-Insecure: expected "},
    {"Check-Valid-Until", DEB822 "Check-Valid-Until: no\n",
     "Check-Valid-Until: expected "},
    {"Architectures", DEB822 "Architectures: arm64\n",
     "Architectures: expected none"},
    {"keyring in place",
     DEB822 "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n",
     "Signed-By: expected the keyring of the section"},
    {"doubled field", DEB822 "Suites: y\n", "Suites: expected once"},
    {"no colon", DEB822 "nonsense\n", "expected FIELD: VALUE, found 'nonsense"},
    {"no type", "URIs: http://a/\nSuites: x\nComponents: main\n",
     "Types: expected, found none"},
    {"another type", "Types: rpm\nURIs: http://a/\nSuites: x\n",
     "Types: expected deb or deb-src, found 'rpm'"},
    {"no components", "deb http://a/ bookworm\n",
     "Components: expected, found none"},
    {"components with a path", "deb http://a/ ./ main\n",
     "Components: expected none with a suite that ends in /"},
    {"no suite", "deb http://a/\n", "Suites: expected, found none"},
    {"copy", "deb copy:/srv/debian x main\n",
     "URIs: expected http://, https:// or file:/, found 'copy:"},
    {"relative file", "deb file:srv x main\n", "URIs: expected http://"},
    {"proxying method", "deb mirror+file:/srv/list x main\n",
     "URIs: expected http://"},
    {"password", "deb http://me:secret@a.example/ x main\n",
     "URIs: expected no user and password in it"},
    {"quote in a URI", "deb http://a/\"b x main\n",
     "URIs: expected printable ASCII"},
    {"variable in a URI", "deb http://a/$(ARCH) x main\n",
     "URIs: expected printable ASCII"},
    {"control byte in a suite", "deb http://a/ x\x01y main\n",
     "Suites: expected a name"},
    {"suite that is an option", "deb http://a/ -x main\n",
     "Suites: expected a name, found '-x'"},
    {"nothing at all", "# nothing\n", "expected an entry of type deb"},
    {"sources only", "deb-src http://a/ x main\n",
     "expected an entry of type deb"},
    {"second entry",
     "deb http://a/ x main\n\ndeb [trusted=yes] http://a/ x y\n",
     "entry 2: option trusted"},
};

static void what_asks_for_less_is_refused(void **state) {
  char what[CONFIG_CHECK_MAX];
  char *made = NULL;

  (void)state;
  for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
    if (apt_sources_convert(&section, broken[i].text, &made, what))
      fail_msg("%s: taken as\n%s", broken[i].name, made);
    if (strncmp(what, "sources: ", 9) != 0 ||
        strstr(what, broken[i].said) == NULL)
      fail_msg("%s: said %s", broken[i].name, what);
    if (strstr(what, "secret") != NULL)
      fail_msg("%s: told a password: %s", broken[i].name, what);
    assert_null(made);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_to_be_verified_is_taken_over),
      cmocka_unit_test(what_asks_for_less_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
