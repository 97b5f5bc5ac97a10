/* Who is connected, in the order in which they were last heard, and who has to
 * go when one more comes: first those who have shown no certificate; of them
 * those from the network that has the most connections, so that nobody fills
 * all places from one; of them the one that was not heard for longest.
 * A network is an IPv4 address or the first 64 bits of an IPv6 one. */
#ifndef PDNA_SYSLOG_CROWD_H
#define PDNA_SYSLOG_CROWD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct syslog_share;

/* Is a part of what its owner keeps of a connection. */
struct syslog_member {
  TAILQ_ENTRY(syslog_member) link;
  struct syslog_share *share; /* of its network; NULL: not in a crowd */
  bool verified;              /* has shown a certificate */
  bool kept;                  /* may not go: it waits for us */
};

struct syslog_crowd {
  TAILQ_HEAD(syslog_members, syslog_member) members; /* the quietest first */
  size_t len;
};

void syslog_crowd_init(struct syslog_crowd *crowd);

/* Add one that is heard now. Takes time in proportion to the crowd. Returns 0
 * or -ENOMEM. */
int syslog_crowd_add(struct syslog_crowd *crowd, struct syslog_member *member,
                     const struct in6_addr *address);
void syslog_crowd_heard(struct syslog_crowd *crowd,
                        struct syslog_member *member);

/* Does nothing with who is not in it. */
void syslog_crowd_remove(struct syslog_crowd *crowd,
                         struct syslog_member *member);

/* Who has to go; NULL: nobody may. Takes time in proportion to the crowd. */
struct syslog_member *syslog_crowd_choose(const struct syslog_crowd *crowd);

#endif
