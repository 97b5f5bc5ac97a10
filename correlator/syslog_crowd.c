#include "correlator/syslog_crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct syslog_share {
  struct in6_addr network;
  size_t members;
};

void syslog_crowd_init(struct syslog_crowd *crowd) {
  TAILQ_INIT(&crowd->members);
  crowd->len = 0;
}

static struct in6_addr network_of(const struct in6_addr *address) {
  struct in6_addr network = *address;

  if (!IN6_IS_ADDR_V4MAPPED(address))
    memset(&network.s6_addr[8], 0, 8);
  return network;
}

static struct syslog_share *find_share(const struct syslog_crowd *crowd,
                                       const struct in6_addr *network) {
  const struct syslog_member *m;

  for (m = TAILQ_FIRST(&crowd->members); m; m = TAILQ_NEXT(m, link))
    if (IN6_ARE_ADDR_EQUAL(&m->share->network, network))
      return m->share;
  return NULL;
}

int syslog_crowd_add(struct syslog_crowd *crowd, struct syslog_member *member,
                     const struct in6_addr *address) {
  const struct in6_addr network = network_of(address);
  struct syslog_share *share = find_share(crowd, &network);

  if (!share) {
    share = calloc(1, sizeof(*share));
    if (!share)
      return -ENOMEM;
    share->network = network;
  }
  share->members++;
  *member = (struct syslog_member){.share = share};
  TAILQ_INSERT_TAIL(&crowd->members, member, link);
  crowd->len++;
  return 0;
}

void syslog_crowd_heard(struct syslog_crowd *crowd,
                        struct syslog_member *member) {
  if (!member->share)
    return;
  TAILQ_REMOVE(&crowd->members, member, link);
  TAILQ_INSERT_TAIL(&crowd->members, member, link);
}

void syslog_crowd_remove(struct syslog_crowd *crowd,
                         struct syslog_member *member) {
  if (!member->share)
    return;
  TAILQ_REMOVE(&crowd->members, member, link);
  crowd->len--;
  if (--member->share->members == 0)
    free(member->share);
  member->share = NULL;
}

/* Has `a` to go before `b`, who was not heard for longer? */
static bool goes_before(const struct syslog_member *a,
                        const struct syslog_member *b) {
  if (a->verified != b->verified)
    return b->verified;
  return a->share->members > b->share->members;
}

struct syslog_member *syslog_crowd_choose(const struct syslog_crowd *crowd) {
  struct syslog_member *m, *chosen = NULL;

  for (m = TAILQ_FIRST(&crowd->members); m; m = TAILQ_NEXT(m, link))
    if (!m->kept && (!chosen || goes_before(m, chosen)))
      chosen = m;
  return chosen;
}
