/* Goal: over TLS only who has a certificate of the CA speaks, whatever else a
 * peer shows or does, and files that change are taken when they hold. */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "correlator/syslog_tls.h"
#include "tests/unit/made_certificates.h"
#include "tests/unit/syslog_world.h"

static char folder[] = "/tmp/pdna-tls-XXXXXX";
static char paths[8][128];

/* The path of a file of the folder; eight are good at a time. */
static char *in_folder(const char *name) {
  static size_t next;
  char *path = paths[next++ % 8];

  snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
  return path;
}

static void shell(const char *command) {
  char text[512];

  snprintf(text, sizeof(text), "cd %s && %s", folder, command);
  assert_int_equal(system(text), 0);
}

static int make_folder(void **state) {
  (void)state;
  (void)signal(SIGPIPE, SIG_IGN); /* as `run` does */
  if (!mkdtemp(folder))
    return 1;
  make_certificates(folder);
  return 0;
}

static int remove_folder(void **state) {
  char command[64];

  (void)state;
  snprintf(command, sizeof(command), "rm -r %s", folder);
  return system(command);
}

static char cert[128], key[128], ca[128];

static int set_up(void **state) {
  (void)state;
  shell("rm -f key && cp server.pem cert && cp server.key key && cp ca.pem "
        "trusted");
  world_prepare();
  set_text(cert, in_folder("cert"));
  set_text(key, in_folder("key"));
  set_text(ca, in_folder("trusted"));
  world.config.listen_tls = &world.listens[WORLD_TLS];
  world.config.listen_tls_len = 1;
  world.config.tls_cert = cert;
  world.config.tls_key = key;
  world.config.tls_ca = ca;
  return 0;
}

/* --- A sender --- */

struct sender {
  SSL_CTX *context;
  SSL *ssl;
  int fd;
};

/* `who` has NAME.pem and NAME.key; NULL: no certificate. */
static struct sender sender_new(const char *who, int version) {
  struct sender s = {.context = SSL_CTX_new(TLS_client_method()),
                     .fd = socket_to(WORLD_TLS)};
  const int on = 1;
  char name[64];

  /* Or the handshake's end and the first line wait for each other's ACK. */
  (void)setsockopt(s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  SSL_CTX_set_min_proto_version(s.context, version);
  SSL_CTX_set_max_proto_version(s.context, version);
  SSL_CTX_set_cipher_list(s.context, "DEFAULT@SECLEVEL=0");
  SSL_CTX_set_verify(s.context, SSL_VERIFY_PEER, NULL);
  assert_int_equal(
      SSL_CTX_load_verify_locations(s.context, in_folder("ca.pem"), NULL), 1);
  if (who) {
    snprintf(name, sizeof(name), "%s.pem", who);
    assert_int_equal(SSL_CTX_use_certificate_file(s.context, in_folder(name),
                                                  SSL_FILETYPE_PEM),
                     1);
    snprintf(name, sizeof(name), "%s.key", who);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(s.context, in_folder(name),
                                                 SSL_FILETYPE_PEM),
                     1);
  }
  s.ssl = SSL_new(s.context);
  assert_int_equal(fcntl(s.fd, F_SETFL, O_NONBLOCK), 0);
  SSL_set_fd(s.ssl, s.fd);
  SSL_set_connect_state(s.ssl);
  return s;
}

static void sender_free(struct sender *s) {
  SSL_free(s->ssl);
  SSL_CTX_free(s->context);
  close(s->fd);
}

/* Write, after the handshake, with the loop in turns. Until the end of what the
 * peer says: in TLS 1.3 a client learns only then that it is refused. */
static bool sender_write(struct sender *s, const char *at, size_t len) {
  char c;
  int r;

  do {
    ERR_clear_error();
    r = SSL_write(s->ssl, at, (int)len);
    run_loop();
  } while (r <= 0 && (SSL_get_error(s->ssl, r) == SSL_ERROR_WANT_READ ||
                      SSL_get_error(s->ssl, r) == SSL_ERROR_WANT_WRITE));
  if (r <= 0)
    return false;
  ERR_clear_error();
  r = SSL_read(s->ssl, &c, 1);
  return SSL_get_error(s->ssl, r) == SSL_ERROR_WANT_READ;
}

static bool sender_login(struct sender *s, unsigned n) {
  char line[256];
  const size_t len = login_line(line, sizeof(line) - 1, n);

  line[len] = '\n';
  return sender_write(s, line, len + 1);
}

/* Does a sender with that certificate get a line through? */
static bool passes(const char *who, int version) {
  const size_t before = world.ingest.events_len;
  const uint64_t refused = counters_get(COUNTER_SYSLOG_REFUSED);
  struct sender s = sender_new(who, version);
  const bool written = sender_login(&s, (unsigned)before);
  const bool passed = world.ingest.events_len == before + 1;

  assert_int_equal(written, passed);
  assert_int_equal(counters_get(COUNTER_SYSLOG_REFUSED) - refused, !passed);
  sender_free(&s);
  run_loop();
  if (passed)
    assert_int_equal(world.ingest.events[before]->trust, AUTH_TRUST_TLS);
  return passed;
}

/* --- Peers --- */

static void a_certificate_of_the_ca_passes(void **state) {
  (void)state;
  world_start();
  assert_true(passes("client", TLS1_2_VERSION));
  assert_true(passes("client", TLS1_3_VERSION));
}

static void whoever_has_none_that_holds_is_refused(void **state) {
  static const char *const who[] = {NULL, "stranger", "expired", "served"};

  (void)state;
  world_start();
  for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
    assert_false(passes(who[i], TLS1_2_VERSION));
    assert_false(passes(who[i], TLS1_3_VERSION));
  }
}

static void older_tls_is_refused(void **state) {
  (void)state;
  world_start();
  assert_false(passes("client", TLS1_1_VERSION));
}

static void plain_text_to_tls_is_refused(void **state) {
  const uint64_t before = counters_get(COUNTER_SYSLOG_REFUSED);
  int fd;

  (void)state;
  world_start();
  fd = socket_to(WORLD_TLS);
  send_login(fd, 0);
  run_loop();
  assert_int_equal(counters_get(COUNTER_SYSLOG_REFUSED) - before, 1);
  assert_int_equal(world.ingest.events_len, 0);
  close(fd);
}

static void who_goes_in_the_handshake_is_counted(void **state) {
  const uint64_t before = counters_get(COUNTER_SYSLOG_REFUSED);

  (void)state;
  world_start();
  close(socket_to(WORLD_TLS));
  run_loop();
  assert_int_equal(counters_get(COUNTER_SYSLOG_REFUSED) - before, 1);
}

static void who_is_revoked_is_refused(void **state) {
  (void)state;
  world_start();
  assert_true(passes("revoked", TLS1_3_VERSION));
  world_stop_source();
  shell("cat crl.pem >>trusted");
  world_start();
  assert_false(passes("revoked", TLS1_2_VERSION));
  assert_false(passes("revoked", TLS1_3_VERSION));
  assert_true(passes("client", TLS1_3_VERSION));
}

/* What OpenSSL has read ahead does not make the socket readable. */
static void what_finds_no_room_is_read_later(void **state) {
  static char lines[1000 * 128];
  struct sender s;
  size_t len = 0;

  (void)state;
  world_start();
  fake_ingest_set_room(&world.ingest, 10);
  for (unsigned n = 0; n < 1000; n++) {
    len += login_line(lines + len, sizeof(lines) - len, n);
    lines[len++] = '\n';
  }
  s = sender_new("client", TLS1_3_VERSION);
  assert_true(sender_write(&s, lines, len));
  assert_int_equal(world.ingest.events_len, 10);
  fake_ingest_set_room(&world.ingest, FAKE_EVENTS_MAX);
  run_loop();
  assert_int_equal(world.ingest.events_len, 1000);
  for (unsigned n = 0; n < 1000; n++)
    assert_login(n, n);
  sender_free(&s);
}

static void who_has_shown_none_goes_for_who_has(void **state) {
  struct sender s;
  int fds[9];

  (void)state;
  world_start();
  s = sender_new("client", TLS1_3_VERSION);
  assert_true(sender_login(&s, 0));
  for (size_t i = 0; i < 9; i++) {
    fds[i] = socket_to(WORLD_TLS);
    run_loop();
  }
  assert_true(sender_login(&s, 1));
  assert_int_equal(world.ingest.events_len, 2);
  assert_true(is_ended(fds[0]) && is_ended(fds[1]));
  assert_false(is_ended(fds[2]));
  for (size_t i = 0; i < 9; i++)
    close(fds[i]);
  sender_free(&s);
}

/* Whether a peer is silent or sends one octet after the other. Who is done with
 * it has no such deadline. */
static void a_handshake_may_not_take_for_ever(void **state) {
  static const char begin[] = "\x16\x03\x01\x40\x00\x01\x00\x3f\xfc";
  const uint64_t before = counters_get(COUNTER_SYSLOG_REFUSED);
  bool silent_ended = false, slow_ended = false;
  struct sender s;
  int silent, slow;

  (void)state;
  world_start();
  s = sender_new("client", TLS1_3_VERSION);
  assert_true(sender_login(&s, 0));
  silent = socket_to(WORLD_TLS);
  slow = socket_to(WORLD_TLS);
  send_all(slow, begin, sizeof(begin) - 1);
  for (int i = 0; i < 10000 && !(silent_ended && slow_ended); i++) {
    if (!slow_ended)
      (void)!send(slow, "", 1, MSG_NOSIGNAL);
    run_loop();
    silent_ended = silent_ended || is_ended(silent);
    slow_ended = slow_ended || is_ended(slow);
  }
  assert_true(silent_ended && slow_ended);
  assert_int_equal(counters_get(COUNTER_SYSLOG_REFUSED) - before, 2);
  assert_true(sender_login(&s, 1));
  assert_int_equal(world.ingest.events_len, 2);
  close(silent);
  close(slow);
  sender_free(&s);
}

/* --- Files --- */

static void files_that_do_not_hold_are_refused(void **state) {
  static const struct {
    const char *change;
    int expected;
  } cases[] = {
      {"true", 0},
      {"chmod 644 cert trusted", 0},
      {"chmod 640 key", -EACCES},
      {"chmod 604 key", -EACCES},
      {"rm key", -ENOENT},
      {"rm cert", -ENOENT},
      {"rm trusted", -ENOENT},
      {"cp client.key key", -EINVAL},
      {"cp locked.key key", -EINVAL},
      {": >key", -EINVAL},
      {": >cert", -EINVAL},
      {": >trusted", -EINVAL},
      {"cp crl.pem trusted", -EINVAL},
      {"cp server.key trusted", -EINVAL},
      {"rm key && mkfifo -m 600 key", -EINVAL},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct syslog_tls *tls = NULL;

    shell("rm -f cert key trusted && cp server.pem cert && cp server.key key "
          "&& cp ca.pem trusted");
    shell(cases[i].change);
    assert_int_equal(syslog_tls_new(&world.config, &tls), cases[i].expected);
    syslog_tls_free(tls);
  }
}

/* Its file is looked at once a second. */
static void wait_for_a_look(void) {
  const struct timespec pause = {.tv_sec = 1, .tv_nsec = 50000000};

  (void)nanosleep(&pause, NULL);
}

static void files_that_change_are_read_again(void **state) {
  (void)state;
  world_start();
  assert_true(passes("client", TLS1_3_VERSION));
  shell("cp other.pem new && mv new trusted");
  wait_for_a_look();
  assert_false(passes("client", TLS1_3_VERSION));
  assert_true(passes("stranger", TLS1_3_VERSION));
  shell("cat crl.pem >trusted");
  wait_for_a_look();
  assert_true(passes("stranger", TLS1_3_VERSION));
  assert_false(passes("client", TLS1_3_VERSION));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_certificate_of_the_ca_passes),
      TEST(whoever_has_none_that_holds_is_refused),
      TEST(older_tls_is_refused),
      TEST(plain_text_to_tls_is_refused),
      TEST(who_goes_in_the_handshake_is_counted),
      TEST(who_is_revoked_is_refused),
      TEST(what_finds_no_room_is_read_later),
      TEST(who_has_shown_none_goes_for_who_has),
      TEST(a_handshake_may_not_take_for_ever),
      TEST(files_that_do_not_hold_are_refused),
      TEST(files_that_change_are_read_again),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
