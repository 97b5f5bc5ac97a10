#include "correlator/sshd_message.h"

#include <string.h>

#include "correlator/sshd_extra.h"
#include "correlator/syslog_line.h"

/* A literal and its length. */
#define TEXT(literal) (literal), (sizeof(literal) - 1)

static bool starts(struct auth_text text, const char *with, size_t len) {
  return text.len >= len && text.at[0] == with[0] &&
         memcmp(text.at, with, len) == 0;
}

/* Take a beginning off. False: it does not begin so. */
static bool skip(struct auth_text *text, const char *head, size_t len) {
  if (!starts(*text, head, len))
    return false;
  text->at += len;
  text->len -= len;
  return true;
}

/* Take an end off. False: it does not end so. */
static bool cut(struct auth_text *text, const char *tail, size_t len) {
  if (text->len < len || memcmp(text->at + text->len - len, tail, len) != 0)
    return false;
  text->len -= len;
  return true;
}

/* Split at the first or the last place of `at`, which is in neither half. */
static bool split_first(struct auth_text text, const char *at, size_t len,
                        struct auth_text *ret_before,
                        struct auth_text *ret_after) {
  const char *place = memmem(text.at, text.len, at, len);

  if (place == NULL)
    return false;
  *ret_before = (struct auth_text){text.at, (size_t)(place - text.at)};
  *ret_after =
      (struct auth_text){place + len, text.len - ret_before->len - len};
  return true;
}

static bool split_last(struct auth_text text, const char *at, size_t len,
                       struct auth_text *ret_before,
                       struct auth_text *ret_after) {
  for (size_t i = text.len; i >= len; i--) {
    const char *place = text.at + i - len;
    if (*place == *at && memcmp(place, at, len) == 0) {
      *ret_before = (struct auth_text){text.at, i - len};
      *ret_after = (struct auth_text){text.at + i, text.len - i};
      return true;
    }
  }
  return false;
}

/* Is a byte of eight a control character? (All are looked at at once: for each
 * byte x < 0x20, and each that is zero, the top bit of x - n is set and that of
 * x is not.) */
static bool has_control(uint64_t bytes) {
  const uint64_t ones = UINT64_MAX / UINT8_MAX, tops = ones << 7;
  const uint64_t no_del = bytes ^ ones * 0x7f;

  return (((bytes - ones * ' ') & ~bytes) | ((no_del - ones) & ~no_del)) & tops;
}

/* sshd escapes whatever is not plain text, so it never writes these. */
static bool has_controls(struct auth_text text) {
  uint64_t bytes;
  size_t i = 0;

  for (; i + sizeof(bytes) <= text.len; i += sizeof(bytes)) {
    memcpy(&bytes, text.at + i, sizeof(bytes));
    if (has_control(bytes))
      return true;
  }
  for (; i < text.len; i++)
    if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
      return true;
  return false;
}

/* Host names have letters behind their last dot, so that none passes for an
 * address (RFC 1123, 2.1). sshd cuts them at 100 bytes, which may be there. */
static bool is_host_name(struct auth_text text) {
  enum { CUT_LEN = 100 };
  bool letter = false;

  for (size_t i = 0; i < text.len; i++) {
    const char c = text.at[i];

    letter = c != '.' &&
             (letter || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  }
  return (letter || text.len == CUT_LEN) && syslog_line_is_host(text);
}

/* An address, UNKNOWN, or a host name, which is kept as text. */
static bool read_source(struct auth_text text, struct auth_event *ret) {
  ret->source = text;
  ret->has_address = auth_address_parse(text, &ret->address);
  return ret->has_address || is_host_name(text);
}

/* "ADDR port N". Releases that tell no port in some messages leave it out. */
static bool read_place(struct auth_text text, bool port_may_lack,
                       struct auth_event *ret) {
  struct auth_text source, digits;
  uint32_t port = 0;

  if (!split_first(text, TEXT(" port "), &source, &digits))
    return port_may_lack && read_source(text, ret);
  if (!syslog_number(digits, UINT16_MAX, &port) || !read_source(source, ret))
    return false;
  ret->port = (uint16_t)port;
  return true;
}

/* sshd drops what follows a colon. Lines that were joined don't pass for one.
 */
static bool is_user(struct auth_text text) {
  return text.len <= SSHD_USER_MAX && memchr(text.at, ':', text.len) == NULL;
}

/* "[invalid user ]USER from ADDR port N". USER may hold " from " itself. */
static bool read_user_and_place(struct auth_text text, bool port_may_lack,
                                struct auth_event *ret) {
  struct auth_text place;

  ret->user_known = !skip(&text, TEXT("invalid user ")) &&
                    !skip(&text, TEXT("illegal user "));
  return split_last(text, TEXT(" from "), &ret->user, &place) &&
         is_user(ret->user) && read_place(place, port_may_lack, ret);
}

/* Cut " ssh2" or " ssh1" off the end. */
static bool cut_protocol(struct auth_text *text, struct auth_event *ret) {
  enum { LEN = 4 };

  if (!cut(text, TEXT(" ssh2")) && !cut(text, TEXT(" ssh1")))
    return false;
  ret->protocol = (struct auth_text){text->at + text->len + 1, LEN};
  return true;
}

/* Split "HEAD ssh2: EXTRA", or "HEAD ssh2" with or without " [preauth]". */
static bool split_result(struct auth_text text, struct auth_text *ret_head,
                         struct auth_event *ret) {
  /* No user name has a colon, so the first one behind a protocol is sshd's. */
  const char *end = text.at + text.len, *from = text.at, *colon;
  while ((colon = memchr(from, ':', (size_t)(end - from))) != NULL) {
    from = colon + 1;
    *ret_head = (struct auth_text){text.at, (size_t)(colon - text.at)};
    if (from == end || *from != ' ' || !cut_protocol(ret_head, ret))
      continue;
    ret->extra = (struct auth_text){from + 1, (size_t)(end - from) - 1};
    if (ret->outcome == AUTH_POSTPONED)
      (void)cut(&ret->extra, TEXT(" [preauth]"));
    return true;
  }
  (void)cut(&text, TEXT(" [preauth]"));
  *ret_head = text;
  return cut_protocol(ret_head, ret);
}

static bool is_method(struct auth_text text) {
  for (size_t i = 0; i < text.len; i++)
    if (text.at[i] <= ' ' || text.at[i] > '~')
      return false;
  return text.len > 0;
}

/* "METHOD[/SUB] for [invalid user ]USER from ADDR port N ssh2[: EXTRA]" */
static bool read_result(struct auth_text rest, struct auth_event *ret) {
  struct auth_text head;
  const char *blank = memchr(rest.at, ' ', rest.len);

  if (blank == NULL)
    return false;
  ret->method = (struct auth_text){rest.at, (size_t)(blank - rest.at)};
  rest.at += ret->method.len;
  rest.len -= ret->method.len;
  if (!is_method(ret->method) || !skip(&rest, TEXT(" for ")) ||
      !split_result(rest, &head, ret) || !read_user_and_place(head, false, ret))
    return false;
  sshd_extra_read(ret);
  return true;
}

/* "U from IP port N" */
static bool read_invalid_user(struct auth_text rest, struct auth_event *ret) {
  (void)cut(&rest, TEXT(" [preauth]"));
  if (!read_user_and_place(rest, true, ret))
    return false;
  ret->user_known = false;
  return true;
}

/* "U from HOST not allowed because REASON", of a user that the host has. */
static bool read_not_allowed(struct auth_text rest, struct auth_event *ret) {
  struct auth_text head, host;

  return split_last(rest, TEXT(" not allowed because "), &head, &ret->extra) &&
         split_last(head, TEXT(" from "), &ret->user, &host) &&
         is_user(ret->user) && read_source(host, ret);
}

/* "[invalid user ]U from IP port N ssh2 [preauth]" */
static bool read_max_attempts(struct auth_text rest, struct auth_event *ret) {
  (void)cut(&rest, TEXT(" [preauth]"));
  return cut_protocol(&rest, ret) && read_user_and_place(rest, false, ret);
}

static bool read_root_refused(struct auth_text rest, struct auth_event *ret) {
  (void)cut(&rest, TEXT(" [preauth]"));
  return read_place(rest, true, ret);
}

/* "TEXT for [illegal user ]U from HOST". TEXT is one of pam_strerror(3)'s, two
 * of which have " for " in them. */
static bool read_pam_failure(struct auth_text rest, struct auth_event *ret) {
  static const struct {
    const char *text;
    size_t len;
  } with_for[] = {
      {TEXT("Have exhausted maximum number of retries for service")},
      {TEXT("Cannot make/remove an entry for the specified session")},
  };
  size_t taken = 0;

  (void)cut(&rest, TEXT(" [preauth]"));
  for (size_t i = 0; i < sizeof(with_for) / sizeof(with_for[0]); i++)
    if (starts(rest, with_for[i].text, with_for[i].len))
      taken = with_for[i].len;
  struct auth_text behind = {rest.at + taken, rest.len - taken};
  if (!split_first(behind, TEXT(" for "), &ret->extra, &behind))
    return false;
  ret->extra = (struct auth_text){rest.at, ret->extra.len + taken};
  return read_user_and_place(behind, true, ret) && ret->port == 0;
}

static const struct auth_text pam = {"pam", 3};

/* "U by (uid=0)" or "U(uid=N) by LOGIN(uid=N)" */
static bool read_session_opened(struct auth_text rest, struct auth_event *ret) {
  struct auth_text by, number;
  uint32_t uid;

  ret->method = pam;
  if (!split_last(rest, TEXT(" by "), &ret->user, &by) ||
      !cut(&by, TEXT(")")) || !split_last(by, TEXT("(uid="), &by, &number) ||
      !syslog_number(number, UINT32_MAX, &uid))
    return false;
  struct auth_text user = ret->user;
  if (cut(&user, TEXT(")")) &&
      split_last(user, TEXT("(uid="), &user, &number) &&
      syslog_number(number, UINT32_MAX, &uid))
    ret->user = user;
  return ret->user.len > 0 && is_user(ret->user);
}

static bool read_session_closed(struct auth_text rest, struct auth_event *ret) {
  ret->method = pam;
  ret->user = rest;
  return rest.len > 0 && is_user(rest);
}

/* "COMMAND for U from IP port N[ id N]". COMMAND holds what the client wants
 * to run. */
static bool read_starting_session(struct auth_text rest,
                                  struct auth_event *ret) {
  struct auth_text head, place, session, id;
  uint32_t number;

  ret->extra = rest;
  if (!split_last(rest, TEXT(" from "), &head, &place) ||
      !split_last(head, TEXT(" for "), &session, &ret->user) ||
      !is_user(ret->user))
    return false;
  if (split_first(place, TEXT(" id "), &place, &id) &&
      !syslog_number(id, INT32_MAX, &number))
    return false;
  return read_place(place, false, ret);
}

typedef bool read_fn(struct auth_text rest, struct auth_event *ret);

/* How an event's message begins, and how it is read from there on. */
static const struct form {
  const char *head;
  size_t len;
  enum auth_outcome outcome;
  read_fn *read;
} forms[] = {
    {TEXT("Accepted "), AUTH_ACCEPTED, read_result},
    {TEXT("Failed "), AUTH_FAILED, read_result},
    {TEXT("Partial "), AUTH_PARTIAL, read_result},
    {TEXT("Postponed "), AUTH_POSTPONED, read_result},
    {TEXT("Invalid user "), AUTH_INVALID_USER, read_invalid_user},
    {TEXT("Illegal user "), AUTH_INVALID_USER, read_invalid_user},
    {TEXT("User "), AUTH_NOT_ALLOWED, read_not_allowed},
    {TEXT("error: maximum authentication attempts exceeded for "),
     AUTH_MAX_ATTEMPTS, read_max_attempts},
    {TEXT("ROOT LOGIN REFUSED FROM "), AUTH_ROOT_REFUSED, read_root_refused},
    {TEXT("error: PAM: "), AUTH_PAM_FAILURE, read_pam_failure},
    {TEXT("pam_unix(sshd:session): session opened for user "),
     AUTH_SESSION_OPENED, read_session_opened},
    {TEXT("pam_unix(sshd:session): session closed for user "),
     AUTH_SESSION_CLOSED, read_session_closed},
    {TEXT("Starting session: "), AUTH_STARTING_SESSION, read_starting_session},
};

bool sshd_message_is_from(struct auth_text program) {
  if (!skip(&program, TEXT("sshd")))
    return false;
  return program.len == 0 || auth_text_is(program, "-session") ||
         auth_text_is(program, "-auth");
}

enum auth_line sshd_message_malformed(struct auth_text message,
                                      struct auth_event *event) {
  bool accepted = event->outcome == AUTH_ACCEPTED ||
                  event->outcome == AUTH_MALFORMED_ACCEPTED;

  *event = (struct auth_event){
      .outcome = accepted ? AUTH_MALFORMED_ACCEPTED : AUTH_MALFORMED,
      .repeat = event->repeat,
      .zoned = event->zoned,
      .extra = message,
      .program = event->program,
      .host = event->host,
      .pid = event->pid,
      .stamped_us = event->stamped_us,
  };
  return AUTH_LINE_MALFORMED;
}

/* sshd has other messages that begin with these words. */
static enum auth_line misfit(struct auth_text message, const struct form *form,
                             struct auth_event *ret) {
  struct auth_text before, after;

  switch (form->outcome) {
  case AUTH_NOT_ALLOWED: /* "User child is on pid 7", "User x not allowed" */
    if (!split_first(message, TEXT(" from "), &before, &after) ||
        !split_first(message, TEXT(" not allowed because "), &before, &after))
      return AUTH_LINE_OTHER;
    break;
  case AUTH_FAILED: /* "Failed to allocate ..." */
    if (!split_first(message, TEXT(" for "), &before, &after))
      return AUTH_LINE_OTHER;
    break;
  case AUTH_PAM_FAILURE: /* "error: PAM: pam_open_session(): TEXT" */
    if (!split_first(message, TEXT(" from "), &before, &after))
      return AUTH_LINE_OTHER;
    break;
  default:
    break;
  }
  *ret = (struct auth_event){.outcome = form->outcome, .repeat = 1};
  return sshd_message_malformed(message, ret);
}

static enum auth_line read_form(struct auth_text message,
                                struct auth_event *ret) {
  const struct form *form = forms;
  const struct form *end = forms + sizeof(forms) / sizeof(forms[0]);

  while (form < end && !starts(message, form->head, form->len))
    form++;
  if (form == end)
    return AUTH_LINE_OTHER;
  struct auth_text rest = {message.at + form->len, message.len - form->len};
  *ret = (struct auth_event){
      .outcome = form->outcome, .repeat = 1, .user_known = true};
  if (has_controls(message) || !form->read(rest, ret))
    return misfit(message, form, ret);
  return AUTH_LINE_EVENT;
}

enum auth_line sshd_message_parse(struct auth_text message,
                                  struct auth_event *ret) {
  struct auth_text digits, rest = message;
  uint32_t times;

  if (!skip(&rest, TEXT("message repeated ")))
    return read_form(message, ret);
  if (!split_first(rest, TEXT(" times: ["), &digits, &rest) ||
      !syslog_number(digits, UINT32_MAX, &times) || times == 0)
    return AUTH_LINE_OTHER;
  bool whole = cut(&rest, TEXT("]"));
  (void)skip(&rest, TEXT(" "));
  enum auth_line line = read_form(rest, ret);
  if (line == AUTH_LINE_OTHER)
    return line;
  ret->repeat = times;
  return whole ? line : sshd_message_malformed(message, ret);
}
