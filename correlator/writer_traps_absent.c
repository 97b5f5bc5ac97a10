/* Stands in until the traps are there: no sink can be configured. */
#include <stdio.h>

#include "correlator/traps.h"

__attribute__((weak)) int traps_check_session(const char *session,
                                              char *message,
                                              size_t message_size,
                                              bool *ret_inform) {
  (void)session;
  (void)ret_inform;
  (void)snprintf(message, message_size, "no sink yet");
  return -22;
}

__attribute__((weak)) int traps_start(const struct config *config,
                                      const char *instance,
                                      struct traps **ret_traps) {
  (void)config;
  (void)instance;
  *ret_traps = NULL;
  return 0;
}

__attribute__((weak)) void traps_stop(struct traps *traps) { (void)traps; }
