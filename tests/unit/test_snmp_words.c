/* Session strings: what Net-SNMP's tools take passes, and what has no place
 * in a daemon's sinks is refused with a message that repeats no secret. */
#include <errno.h>
#include <string.h>

#include "correlator/snmp_words.h"
#include "tests/unit/unit.h"

#define AUTH "-a SHA-256 -A passphrase1 "
#define PRIV "-x AES -X passphrase2 "

static const struct {
  const char *text;
  const char *said; /* part of the message; NULL: it passes */
} cases[] = {
    {"-v 2c -c public nms", NULL},
    {"-v2c -cpublic -Ci udp:192.0.2.1:1162", NULL},
    {"nms -v 2c -c public", NULL},
    {"-v 2c -c public -t 5 -r 3 [2001:db8::1]:1162", NULL},
    {"-v 2c -c public tcp6:[2001:db8::1]", NULL},
    {"-v 3 -u u -l authPriv " AUTH PRIV "nms", NULL},
    {"-v 3 -u u -l authPriv -a SHA-512 -A passphrase1 -x AES-256 "
     "-X passphrase2 -Ci nms",
     NULL},
    {"-v 3 -u u -l authNoPriv " AUTH "-n context nms:162", NULL},
    {"-v 3 -u u -l noAuthNoPriv nms", NULL},
    {"-v 3 -u u -e 0x8000000001020304 -l authPriv " AUTH PRIV "nms", NULL},
    {"", "no host"},
    {"-v 2c -c public", "no host"},
    {"-v 2c -c public udp:", "host: expected"},
    {"-c public nms", "expected -v 2c or -v 3"},
    {"-v 1 -c public nms", "version 1 is not offered"},
    {"-v 4 -c public nms", "expected -v 2c or -v 3"},
    {"-v 2c nms", "needs a community"},
    {"-v 2c -c '' nms", "needs a community"},
    {"-v 2c -u u -c public nms", "-u does not go with -v 2c"},
    {"-v 3 -c public -u u -l noAuthNoPriv nms", "-c does not go with -v 3"},
    {"-v 3 -l noAuthNoPriv nms", "needs a user"},
    {"-v 3 -u u nms", "needs -l"},
    {"-v 3 -u u -l secret nms", "needs -l"},
    {"-v 3 -u u " AUTH "nms", "needs -l"},
    {"-v 3 -u u -l authPriv nms", "needs a passphrase (-A)"},
    {"-v 3 -u u -l authNoPriv -a SHA nms", "needs a passphrase (-A)"},
    {"-v 3 -u u -l authPriv " AUTH "nms", "needs a passphrase (-X)"},
    {"-v 3 -u u -l authPriv -a SHA -A short " PRIV "nms", "at least 8"},
    {"-v 3 -u u -l authPriv " AUTH "-x AES -X short nms", "at least 8"},
    {"-v 3 -u u -l authPriv -A passphrase1 " PRIV "nms", "-a: expected"},
    {"-v 3 -u u -l authPriv -a ROT13 -A passphrase1 " PRIV "nms",
     "-a: expected"},
    {"-v 3 -u u -l authPriv " AUTH "-X passphrase2 nms", "-x: expected"},
    {"-v 3 -u u -l noAuthNoPriv " AUTH "nms", "makes no use"},
    {"-v 3 -u u -l authNoPriv " AUTH PRIV "nms", "makes no use"},
    {"-v 3 -u u -l noAuthNoPriv -e 0x80 nms", "-e: expected an engine id"},
    {"-v 3 -u u -l noAuthNoPriv -e secret1234 nms", "-e: expected"},
    {"-v 2c -c public -D ALL nms", "word 5: expected one of"},
    {"-v 2c -c public -Lo nms", "word 5: expected one of"},
    {"-v 2c -c public -m ALL nms", "word 5: expected one of"},
    {"-v 2c -c public -M /tmp nms", "word 5: expected one of"},
    {"-v 2c -c public -H nms", "word 5: expected one of"},
    {"-v 2c -c public --defVersion=1 nms", "word 5: expected one of"},
    {"-v 2c -c public - nms", "word 5: expected one of"},
    {"-v 2c -c public -Cx nms", "-C: expected i"},
    {"-v 2c -c public -t 0 nms", "-t: expected"},
    {"-v 2c -c public -t 1e9 nms", "-t: expected"},
    {"-v 2c -c public -r -1 nms", "-r: expected"},
    {"-v 2c -c public -c secret nms", "-c is there twice"},
    {"-v 2c nms -c", "-c has no argument"},
    {"-v 3 -u u -l authPriv -a SHA -A my secret " PRIV "nms", "word 16: one "
                                                              "host"},
    {"-v 2c -c 'public nms", "quotation mark is not closed"},
    {"-v 2c -c public nms\\", "escapes nothing"},
    {"-v 2c -c public std:", "host: expected"},
    {"-v 2c -c public unix:/tmp/s", "host: expected"},
    {"-v 2c -c public nms:0", "host: expected"},
    {"-v 2c -c public nms:65536", "host: expected"},
    {"-v 2c -c public 2001:db8::1", "host: expected"},
    {"-v 2c -c public [2001:db8::1", "bracket"},
    {"-v 2c -c public [2001:db8::1]x", "host: expected"},
};

static void takes_what_has_a_place_and_says_what_has_not(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct snmp_message message = {""};
    bool inform = false;
    int r = snmp_words_check(cases[i].text, SNMP_USE_SINK, &message, &inform);
    if (cases[i].said == NULL && r != 0)
      fail_msg("%s: %s", cases[i].text, message.text);
    if (cases[i].said != NULL &&
        (r != -EINVAL || strstr(message.text, cases[i].said) == NULL))
      fail_msg("%s: %d: expected \"%s\", found \"%s\"", cases[i].text, r,
               cases[i].said, message.text);
    assert_null(strstr(message.text, "secret"));
    assert_null(strstr(message.text, "passphrase1"));
    assert_null(strchr(message.text, '\n'));
  }
}

static void tells_informs_from_traps(void **state) {
  (void)state;
  struct snmp_message message = {""};
  bool inform = false;
  assert_int_equal(
      snmp_words_check("-v 2c -c c -Ci nms", SNMP_USE_SINK, &message, &inform),
      0);
  assert_true(inform);
  assert_int_equal(
      snmp_words_check("-v 2c -c c nms", SNMP_USE_SINK, &message, &inform), 0);
  assert_false(inform);
}

static void agents_are_asked_over_udp_and_get_no_informs(void **state) {
  static const struct {
    const char *text;
    const char *said;
  } polls[] = {
      {"-v 2c -c c -t 5 -r 3 h:1161", NULL},
      {"-v 3 -u u -l authPriv " AUTH PRIV "udp6:[::1]", NULL},
      {"-v 2c -c c tcpdump.example", NULL}, /* a name */
      {"-v 2c -c c -Ci h", "-C is for sinks"},
      {"-v 2c -c c tcp:h", "over udp or udp6"},
      {"-v 2c -c c TCP6:[::1]:161", "over udp or udp6"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(polls) / sizeof(polls[0]); i++) {
    struct snmp_message message = {""};
    bool inform = false;
    int r = snmp_words_check(polls[i].text, SNMP_USE_POLL, &message, &inform);
    assert_int_equal(r, polls[i].said == NULL ? 0 : -EINVAL);
    assert_non_null(
        strstr(message.text, polls[i].said == NULL ? "" : polls[i].said));
  }
}

static void keeps_quoted_words_whole(void **state) {
  (void)state;
  struct snmp_message message = {""};
  struct snmp_words *s = NULL;
  assert_int_equal(
      snmp_words_parse("\t nms -v 3 -l authPriv -u \"a \\\"b\\\" \\\\\" "
                       "-a SHA -A 'it is \\ \"so' -x AES -X a\\ long' 'one ",
                       SNMP_USE_SINK, &message, &s),
      0);
  static const char *const expected[] = {
      "-v",         "3",   "-l",  "authPriv",   "-u",
      "a \"b\" \\", "-a",  "SHA", "-A",         "it is \\ \"so",
      "-x",         "AES", "-X",  "a long one", "nms"};
  assert_int_equal(s->argc, 1 + (int)(sizeof(expected) / sizeof(expected[0])));
  for (int i = 1; i < s->argc; i++)
    assert_string_equal(s->argv[i], expected[i - 1]);
  assert_null(s->argv[s->argc]);
  snmp_words_free(s);
}

static void takes_no_more_words_than_it_has_room_for(void **state) {
  (void)state;
  struct snmp_message message = {""};
  char text[512] = "";
  bool inform = false;
  for (size_t i = 0; i < sizeof(text) - 1; i++)
    text[i] = i % 2 == 0 ? 'x' : ' ';
  assert_int_equal(snmp_words_check(text, SNMP_USE_SINK, &message, &inform),
                   -EINVAL);
  assert_non_null(strstr(message.text, "more than"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_what_has_a_place_and_says_what_has_not),
      cmocka_unit_test(tells_informs_from_traps),
      cmocka_unit_test(agents_are_asked_over_udp_and_get_no_informs),
      cmocka_unit_test(keeps_quoted_words_whole),
      cmocka_unit_test(takes_no_more_words_than_it_has_room_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
