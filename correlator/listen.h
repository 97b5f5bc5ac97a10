/* The sockets of the sources that are sent to. */
#ifndef PDNA_LISTEN_H
#define PDNA_LISTEN_H

#include <stddef.h>
#include <sys/socket.h>

/* Bind sockets of that type (SOCK_DGRAM, SOCK_STREAM) for "ADDRESS:PORT" or
 * "[ADDRESS]:PORT", one for each address that the name stands for. None blocks.
 * SOCK_DGRAM: a multicast group is joined, the receive buffer is large, and
 * the socket says what was lost (SO_RXQ_OVFL). SOCK_STREAM: it listens.
 * What fails is logged, with `who` before it. Returns how many are in ret_fds,
 * which has room for `max`, or a negative errno. */
int listen_open(const char *who, int type, const char *listen, int *ret_fds,
                size_t max);

#endif
