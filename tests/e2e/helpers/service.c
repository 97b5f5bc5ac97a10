/* A service that needs no library, so that it runs in a chroot or by the
 * thousand: it waits, and ends with whoever started it. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;)
    pause();
}
