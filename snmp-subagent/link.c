#include "snmp-subagent/link.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <net-snmp/agent/agent_callbacks.h>

enum {
  REFUSED_MAX = 8, /* there are three registrations */
  RETRY_FIRST_S = 5,
  RETRY_MAX_S = 60,
  DUPLICATE_REGISTRATION = 263, /* RFC 2741, 6.2.16 */
};

/* What the master would not let us register. */
struct refused {
  oid name[MAX_OID_LEN];
  struct register_parameters parameters;
};

static bool connected;
static long refusal; /* AgentX error of the registration under way, or 0 */
static struct refused refused[REFUSED_MAX];
static size_t refused_len;
static unsigned retry_alarm, retry_s;

static const char *address(void) {
  const char *socket = netsnmp_ds_get_string(NETSNMP_DS_APPLICATION_ID,
                                             NETSNMP_DS_AGENT_X_SOCKET);

  return socket != NULL ? socket : NETSNMP_AGENTX_SOCKET;
}

static int ping_interval_s(void) {
  return netsnmp_ds_get_int(NETSNMP_DS_APPLICATION_ID,
                            NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL);
}

/* Why the master's socket can't be connected to; 0 also where that can't be
 * told. */
static int connect_error(const char *socket_address) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  int fd, r;

  if (strncmp(socket_address, "unix:", 5) == 0)
    socket_address += 5;
  if (socket_address[0] != '/' ||
      strlen(socket_address) >= sizeof(name.sun_path))
    return 0;
  memcpy(name.sun_path, socket_address, strlen(socket_address) + 1);
  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return errno;
  r = connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ? errno : 0;
  close(fd);
  return r;
}

static const char *advice(int error) {
  switch (error) {
  case ENOENT:
    return "there is no such socket: snmpd does not run, or runs without "
           "AgentX (snmpd.conf: master agentx)";
  case ECONNREFUSED:
    return "nobody listens there: snmpd does not run, or runs without AgentX "
           "(snmpd.conf: master agentx)";
  case EACCES:
    return "permission denied: run as root, or see agentXPerms in "
           "snmpd.conf(5)";
  default:
    return "is snmpd running, with AgentX (snmpd.conf: master agentx)?";
  }
}

void link_report(void) {
  if (!connected)
    snmp_log(LOG_WARNING, "can't reach snmpd at %s: %s; trying every %d s\n",
             address(), advice(connect_error(address())), ping_interval_s());
}

/* The library only logs that the master said no. */
static int on_log(int major, int minor, void *server_arg, void *client_arg) {
  const struct snmp_log_message *m = server_arg;

  (void)major;
  (void)minor;
  (void)client_arg;
  /* NOLINTNEXTLINE(cert-err34-c): nothing is lost if it does not match. */
  (void)sscanf(m->msg, "registering pdu failed: %ld", &refusal);
  return SNMPERR_SUCCESS;
}

static void ask_again(unsigned alarm, void *arg) {
  static struct refused again[REFUSED_MAX];
  size_t len = refused_len;

  (void)alarm;
  (void)arg;
  retry_alarm = 0;
  memcpy(again, refused, sizeof(again));
  refused_len = 0;
  for (size_t i = 0; i < len; i++) {
    again[i].parameters.name = again[i].name;
    (void)snmp_call_callbacks(SNMP_CALLBACK_APPLICATION,
                              SNMPD_CALLBACK_REGISTER_OID,
                              &again[i].parameters);
  }
}

static void remember(const struct register_parameters *p) {
  struct refused *r = &refused[refused_len];

  if (refused_len == REFUSED_MAX || p->namelen > MAX_OID_LEN)
    return;
  memcpy(r->name, p->name, p->namelen * sizeof(*p->name));
  r->parameters = *p;
  refused_len++;
  if (retry_alarm != 0)
    return;
  retry_s = retry_s == 0 ? RETRY_FIRST_S : retry_s * 2;
  if (retry_s > RETRY_MAX_S)
    retry_s = RETRY_MAX_S;
  retry_alarm = snmp_alarm_register(retry_s, /* flags = */ 0, ask_again, NULL);
}

/* Runs after the library's own callback, which has asked the master. */
static int on_register(int major, int minor, void *server_arg,
                       void *client_arg) {
  const struct register_parameters *p = server_arg;
  char name[SPRINT_MAX_LEN];

  (void)major;
  (void)minor;
  (void)client_arg;
  if (!connected)
    return SNMPERR_SUCCESS;
  (void)snprint_objid(name, sizeof(name), p->name, p->namelen);
  if (refusal == 0) {
    if (retry_s > 0)
      snmp_log(LOG_NOTICE, "%s: registered\n", name);
    return SNMPERR_SUCCESS;
  }
  remember(p);
  if (refusal == DUPLICATE_REGISTRATION)
    snmp_log(LOG_ERR,
             "%s: held by another subagent of snmpd; trying again in %u s\n",
             name, retry_s);
  else
    snmp_log(LOG_ERR,
             "%s: snmpd refuses to register it (AgentX error %ld); trying "
             "again in %u s\n",
             name, refusal, retry_s);
  refusal = 0;
  return SNMPERR_SUCCESS;
}

static void forget_refused(void) {
  if (retry_alarm != 0)
    snmp_alarm_unregister(retry_alarm);
  retry_alarm = 0;
  retry_s = 0;
  refused_len = 0;
  refusal = 0;
}

static int on_connect(int major, int minor, void *server_arg,
                      void *client_arg) {
  (void)major;
  (void)minor;
  (void)server_arg;
  (void)client_arg;
  connected = true;
  forget_refused();
  snmp_log(LOG_NOTICE, "connected to snmpd at %s\n", address());
  return SNMPERR_SUCCESS;
}

static int on_disconnect(int major, int minor, void *server_arg,
                         void *client_arg) {
  (void)major;
  (void)minor;
  (void)server_arg;
  (void)client_arg;
  connected = false;
  forget_refused();
  snmp_log(LOG_WARNING, "snmpd at %s is gone; trying every %d s\n", address(),
           ping_interval_s());
  return SNMPERR_SUCCESS;
}

void link_watch(void) {
  (void)snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
                               on_log, NULL);
  (void)snmp_register_callback(SNMP_CALLBACK_APPLICATION,
                               SNMPD_CALLBACK_INDEX_START, on_connect, NULL);
  (void)snmp_register_callback(SNMP_CALLBACK_APPLICATION,
                               SNMPD_CALLBACK_INDEX_STOP, on_disconnect, NULL);
  (void)netsnmp_register_callback(SNMP_CALLBACK_APPLICATION,
                                  SNMPD_CALLBACK_REGISTER_OID, on_register,
                                  NULL, NETSNMP_CALLBACK_LOWEST_PRIORITY);
}
