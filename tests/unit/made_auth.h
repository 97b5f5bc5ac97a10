/* Auth events made up for tests. */
#ifndef PDNA_MADE_AUTH_H
#define PDNA_MADE_AUTH_H

#include <stdlib.h>
#include <string.h>

#include "correlator/auth_event.h"

#define MADE_TEXT(literal)                                                     \
  (struct auth_text) { (literal), sizeof(literal) - 1 }

/* A login of `user`, with something in every field. */
static inline struct auth_record *made_auth(const char *user,
                                            int64_t arrived_us) {
  static const struct in6_addr peer = {
      .s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
  const struct auth_event event = {
      .outcome = AUTH_ACCEPTED,
      .repeat = 3,
      .user_known = true,
      .zoned = true,
      .has_address = true,
      .method = MADE_TEXT("publickey"),
      .user = {user, strlen(user)},
      .source = MADE_TEXT("192.0.2.7"),
      .protocol = MADE_TEXT("ssh2"),
      .extra = MADE_TEXT("ED25519 SHA256:abc"),
      .key_type = MADE_TEXT("ED25519"),
      .key = MADE_TEXT("SHA256:abc"),
      .program = MADE_TEXT("sshd"),
      .host = MADE_TEXT("web-1"),
      .address = {.s6_addr = {[10] = 0xff, 0xff, 192, 0, 2, 7}},
      .port = 50022,
      .pid = 4711,
      .stamped_us = arrived_us - 1000,
  };
  const struct auth_arrival arrival = {
      .arrived_us = arrived_us, .trust = AUTH_TRUST_TLS, .peer = &peer};
  struct auth_record *record = auth_record_new(&event, &arrival);

  if (record == NULL)
    abort();
  return record;
}

#endif
