#include "correlator/auth_stream.h"

#include <stdlib.h>
#include <string.h>

#include "correlator/sshd_message.h"
#include "correlator/syslog_line.h"

struct auth_stream {
  struct syslog_calendar calendar;
};

struct auth_stream *auth_stream_new(void) {
  return calloc(1, sizeof(struct auth_stream));
}

void auth_stream_free(struct auth_stream *s) { free(s); }

enum auth_line auth_stream_line(struct auth_stream *s, const char *line,
                                size_t len, int64_t arrived_us,
                                struct auth_event *ret_event) {
  struct syslog_line header;

  if (!syslog_line_parse(line, len, &header) ||
      !sshd_message_is_from(header.program))
    return AUTH_LINE_OTHER;
  enum auth_line what = sshd_message_parse(header.message, ret_event);
  if (what == AUTH_LINE_OTHER)
    return what;
  ret_event->program = header.program;
  ret_event->host = header.host;
  ret_event->pid = header.pid;
  ret_event->zoned = header.stamp.zoned;
  ret_event->stamped_us =
      syslog_calendar_us(&s->calendar, &header.stamp, arrived_us);
  return what;
}
