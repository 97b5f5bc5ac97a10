/* The sockets that collectd's packets arrive at. */
#ifndef PDNA_COLLECTD_LISTEN_H
#define PDNA_COLLECTD_LISTEN_H

#include <stddef.h>

/* Bind UDP sockets for "ADDRESS:PORT" or "[ADDRESS]:PORT", one for each
 * address that the name stands for; a multicast group is joined. They don't
 * block, have a large receive buffer and say what was lost (SO_RXQ_OVFL).
 * What fails is logged. Returns how many are in ret_fds, which has room for
 * `max`, or a negative errno. */
int collectd_listen(const char *listen, int *ret_fds, size_t max);

#endif
