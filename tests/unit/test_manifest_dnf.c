/* Goal: of a .repo file only places are taken over, and what would verify less
 * is refused; of dnf's answers only the very package that was asked for. */
#include <stdlib.h>
#include <string.h>

#include "correlator/config_check.h"
#include "correlator/dnf_repos.h"
#include "correlator/manifest_dnf.h"
#include "tests/unit/unit.h"

static char architecture[] = "x86_64";
static char *architectures[] = {architecture};
static struct fetch_config config = {.keyring = (char[]){"/keys.asc"},
                                     .architectures = architectures,
                                     .architectures_len = 1};
static char what[CONFIG_CHECK_MAX];

static void places_are_taken_over(void **state) {
  char *text = NULL;
  bool is_signed = false;

  (void)state;
  assert_true(dnf_repos_convert(
      &config,
      "# ours\r\n[one]\nname = One\nbaseurl = http://a/$basearch/\n"
      "   https://b/,file:///c\nrepo_gpgcheck = yes\ngpgkey=http://evil/\n"
      "\n[off]\nenabled=0\ngpgcheck=0\nbaseurl=gopher://x\n"
      "; more\n[two:2]\nmetalink=https://m/?repo=x&arch=$basearch\n"
      "gpgcheck=True\nrepo_gpgcheck=1\nskip_if_unavailable=1\n",
      &text, &is_signed, what));
  assert_true(is_signed);
  assert_string_equal(
      text,
      "[one]\nname=one\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n"
      "gpgkey=file:///keys.asc\nskip_if_unavailable=0\nmodule_hotfixes=1\n"
      "metadata_expire=-1\nbaseurl=http://a/$basearch/ https://b/ file:///c\n\n"
      "[two:2]\nname=two:2\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n"
      "gpgkey=file:///keys.asc\nskip_if_unavailable=0\nmodule_hotfixes=1\n"
      "metadata_expire=-1\nmetalink=https://m/?repo=x&arch=$basearch\n\n");
  free(text);
  /* One index without a signature, and nothing counts as a signed index. */
  assert_true(dnf_repos_convert(
      &config,
      "[a]\nbaseurl=http://a/\nrepo_gpgcheck=1\n[b]\nbaseurl=http://b/\n",
      &text, &is_signed, what));
  assert_false(is_signed);
  free(text);
}

static void what_verifies_less_is_refused(void **state) {
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"", "expected a repository that is enabled"},
      {"baseurl=http://a/\n", "expected [REPOSITORY] first"},
      {"[a\nbaseurl=http://a/\n", "expected [REPOSITORY]"},
      {"[]\nbaseurl=http://a/\n", "expected the name of a repository"},
      {"[main]\nbaseurl=http://a/\n", "expected the name of a repository"},
      {"[-a]\nbaseurl=http://a/\n", "expected the name of a repository"},
      {"[a b]\nbaseurl=http://a/\n", "expected letters, digits"},
      {"[a]\nbaseurl\n", "expected KEY=VALUE"},
      {"[a]\n", "expected a baseurl"},
      {"[a]\nenabled=0\nbaseurl=http://a/\n", "that is enabled"},
      {"[a]\nbaseurl=\n", "baseurl: expected, found none"},
      {"[a]\nbaseurl=http://a/\nbaseurl=http://b/\n", "found twice"},
      {"[a]\nbaseurl=http://a/\ngpgcheck=0\n", "gpgcheck: expected 1"},
      {"[a]\nbaseurl=http://a/\ngpgcheck=False\n", "gpgcheck: expected 1"},
      {"[a]\nbaseurl=http://a/\ngpgcheck=maybe\n", "expected 0 or 1"},
      {"[a]\nbaseurl=http://a/\nsslverify=0\n", "sslverify: expected"},
      {"[a]\nbaseurl=http://a/\nproxy=http://b/\n", "proxy: expected"},
      {"[a]\nbaseurl=http://a/$releasever\n", "no variable but $basearch"},
      {"[a]\nbaseurl=http://me:secret@a/\n", "no user and password"},
      {"[a]\nbaseurl=gopher://a/\n", "expected http://"},
      {"[a]\nbaseurl=http://a/\"\n", "printable ASCII"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char *text = NULL;
    bool is_signed;

    assert_false(
        dnf_repos_convert(&config, cases[i].text, &text, &is_signed, what));
    if (strstr(what, cases[i].says) == NULL)
      fail_msg("%s: expected \"%s\", found \"%s\"", cases[i].text,
               cases[i].says, what);
    assert_null(text);
  }
}

static struct package package(const char *name, const char *version,
                              const char *arch) {
  struct package p = {0};

  set_text(p.manager, "rpm");
  set_text(p.name, name);
  set_text(p.version, version);
  set_text(p.arch, arch);
  return p;
}

static void only_the_very_package_is_an_answer(void **state) {
  static const char *const others[] = {
      "",
      "a",
      "a\t1\t2\t3\tx86_64\t10\tp/a.rpm",
      "a\t1\t2\t3\tx86_64\t10\tp/a.rpm\tr\tmore",
      "b\t1\t2\t3\tx86_64\t10\tp/a.rpm\tr",
      "a\t0\t2\t3\tx86_64\t10\tp/a.rpm\tr",
      "a\t1\t2\t4\tx86_64\t10\tp/a.rpm\tr",
      "a\t1\t2\t3\ti686\t10\tp/a.rpm\tr",
      "a\t1\t2\t3\tx86_64\t-1\tp/a.rpm\tr",
      "a\t1\t2\t3\tx86_64\t10x\tp/a.rpm\tr",
      "a\t1\t2\t3\tx86_64\t10\tp/\tr",
      "a\t1\t2\t3\tx86_64\t10\t..\tr",
  };
  struct package p = package("a", "1:2-3", "x86_64");
  struct fetch_item item;

  (void)state;
  assert_true(
      manifest_dnf_answer("a\t1\t2\t3\tx86_64\t10\tp/a.rpm\tr", &p, &item));
  assert_string_equal(item.file, "a.rpm");
  assert_string_equal(item.place, "r");
  assert_int_equal(item.size, 10);
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    assert_false(manifest_dnf_answer(others[i], &p, &item));
  p = package("a", "2-3", "noarch");
  assert_true(
      manifest_dnf_answer("a\t0\t2\t3\tnoarch\t10\ta.rpm\tr", &p, &item));
}

static void no_other_name_comes_to_dnf(void **state) {
  static const struct {
    const char *name, *version, *arch;
    bool accepted;
  } cases[] = {
      {"a", "1-1", "x86_64", true},
      {"a", "1-1", "noarch", true},
      {"libX_y+-.1", "2:1~b^1-1.fc40", "x86_64", true},
      {"a", "1-1", "i686", false},
      {"a*", "1-1", "x86_64", false},
      {"-a", "1-1", "x86_64", false},
      {"a", "1", "x86_64", false},
      {"a b", "1-1", "x86_64", false},
      {"a", "*-1", "x86_64", false},
      {"a", "1-1;id", "x86_64", false},
      {"/a", "1-1", "x86_64", false},
      {"a", "1-1", "x86_64*", false},
      {"a", "-1-1", "x86_64", false},
  };
  char reason[FETCH_REASON_MAX];

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct package p = package(cases[i].name, cases[i].version, cases[i].arch);

    assert_int_equal(manifest_dnf.accepts(&config, &p, reason),
                     cases[i].accepted);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(places_are_taken_over),
      cmocka_unit_test(what_verifies_less_is_refused),
      cmocka_unit_test(only_the_very_package_is_an_answer),
      cmocka_unit_test(no_other_name_comes_to_dnf),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
