#include "correlator/program.h"
#include "lib/record/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  CANNOT_EXEC = 127,
  LINGER_MS = 2000, /* what others in the group may still write after its end */
};

static const char *path_of(const struct program *program) {
  return program->path != NULL ? program->path : program->argv[0];
}

/* In the child of a process with threads: async-signal-safe calls only. */
__attribute__((noreturn)) static void
become(const struct program *program, int output, int error, pid_t parent) {
  sigset_t none;
  int input = program->input > 0 ? program->input : open("/dev/null", O_RDONLY);

  (void)setpgid(0, 0);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) /* it ended before */
    _exit(CANNOT_EXEC);
  (void)signal(SIGPIPE, SIG_DFL);
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  if (program->file_size_max > 0) {
    struct rlimit limit = {program->file_size_max, program->file_size_max};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
      _exit(CANNOT_EXEC);
  }
  if (input < 0 || dup2(input, STDIN_FILENO) < 0 ||
      dup2(output, STDOUT_FILENO) < 0 || dup2(error, STDERR_FILENO) < 0 ||
      (program->folder != NULL && chdir(program->folder) != 0))
    _exit(CANNOT_EXEC);
  /* Libraries of ours don't mark each of their sockets. */
  (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  (void)execve(path_of(program), program->argv, program->environment);
  _exit(CANNOT_EXEC);
}

int program_start(const struct program *program, int output, int error,
                  pid_t *ret_pid) {
  pid_t parent = getpid();
  sigset_t all;
  sigset_t before;

  if (access(path_of(program), X_OK) != 0)
    return -errno;
  /* No handler of ours may run in the child. */
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = fork();
  if (pid == 0)
    become(program, output, error, parent);
  int rc = pid < 0 ? -errno : 0;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc != 0)
    return rc;
  (void)setpgid(pid, pid); /* whoever of both is first */
  *ret_pid = pid;
  return 0;
}

void program_kill(pid_t pid) { (void)kill(-pid, SIGKILL); }

/* What comes through a pipe, of which the rest is read and dropped. */
struct stream {
  int fd; /* negative once it is at its end */
  char *text;
  size_t len;
};

static void take(struct stream *s) {
  char dropped[4096];
  size_t room = PROGRAM_OUTPUT_MAX - s->len;
  ssize_t n = room > 0 ? read(s->fd, s->text + s->len, room)
                       : read(s->fd, dropped, sizeof(dropped));

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (n > 0 && room > 0) {
    s->len += (size_t)n;
    s->text[s->len] = '\0';
  }
  if (n > 0)
    return;
  (void)close(s->fd);
  s->fd = -1;
}

/* Read until the child has ended and the pipes with it. Returns false when the
 * time is over. */
static bool follow(struct stream streams[static 2], int pidfd,
                   int64_t deadline_ms) {
  bool ended = false;

  while (!ended || streams[0].fd >= 0 || streams[1].fd >= 0) {
    struct pollfd fds[] = {{.fd = streams[0].fd, .events = POLLIN},
                           {.fd = streams[1].fd, .events = POLLIN},
                           {.fd = ended ? -1 : pidfd, .events = POLLIN}};
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    if (left_ms <= 0)
      return ended;
    if (poll(fds, 3, left_ms > 60000 ? 60000 : (int)left_ms) < 0 &&
        errno != EINTR)
      return ended;
    for (int i = 0; i < 2; i++)
      if (fds[i].revents != 0)
        take(&streams[i]);
    if (fds[2].revents != 0) {
      ended = true;
      deadline_ms = clock_monotonic_ms() + LINGER_MS;
    }
  }
  return true;
}

/* Wait for a child, and end what is left of its group while its number is
 * still taken. */
static int reap(pid_t pid, bool now, int *ret_status) {
  siginfo_t info;
  pid_t waited;

  if (now)
    program_kill(pid);
  while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR)
    ;
  program_kill(pid);
  do
    waited = waitpid(pid, ret_status, 0);
  while (waited < 0 && errno == EINTR);
  return waited < 0 ? -errno : 0;
}

static int run_in_pipes(const struct program *program, unsigned timeout_s,
                        struct stream streams[static 2], int writing[static 2],
                        struct program_result *result) {
  pid_t pid = -1;
  int rc =
      program_start(program, program->output > 0 ? program->output : writing[0],
                    writing[1], &pid);

  for (int i = 0; i < 2; i++) {
    (void)close(writing[i]);
    writing[i] = -1;
  }
  if (rc != 0)
    return rc;
  /* Its number is its own until it is waited for. */
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0)
    rc = -errno;
  else
    result->timed_out = !follow(
        streams, pidfd, clock_monotonic_ms() + 1000 * (int64_t)timeout_s);
  int reaped = reap(pid, rc != 0 || result->timed_out, &result->status);
  if (pidfd >= 0)
    (void)close(pidfd);
  return rc != 0 ? rc : reaped;
}

int program_run(const struct program *program, unsigned timeout_s,
                struct program_result *ret_result) {
  struct stream streams[2] = {{.fd = -1}, {.fd = -1}};
  int writing[2] = {-1, -1};
  int rc = 0;

  *ret_result = (struct program_result){0};
  for (int i = 0; i < 2 && rc == 0; i++) {
    int ends[2];
    streams[i].text = calloc(1, PROGRAM_OUTPUT_MAX + 1);
    if (streams[i].text == NULL)
      rc = -ENOMEM;
    else if (pipe2(ends, O_CLOEXEC) != 0)
      rc = -errno;
    if (rc != 0)
      break;
    streams[i].fd = ends[0];
    writing[i] = ends[1];
  }
  if (rc == 0)
    rc = run_in_pipes(program, timeout_s, streams, writing, ret_result);
  for (int i = 0; i < 2; i++) {
    if (streams[i].fd >= 0)
      (void)close(streams[i].fd);
    if (writing[i] >= 0)
      (void)close(writing[i]);
  }
  ret_result->output = streams[0].text;
  ret_result->error = streams[1].text;
  return rc;
}

void program_result_free(struct program_result *result) {
  free(result->output);
  free(result->error);
  *result = (struct program_result){0};
}
