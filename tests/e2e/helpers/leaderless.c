/* A process whose main thread has exited: /proc/PID/exe is gone, what runs is
 * at /proc/PID/task/TID/exe. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *run_on(void *argument) {
  (void)argument;
  while (pause() < 0)
    continue;
  return NULL;
}

int main(void) {
  pthread_t thread;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (pthread_create(&thread, NULL, run_on, NULL) != 0)
    return EXIT_FAILURE;
  pthread_exit(NULL);
}
