// The pause container: it keeps the pod's namespaces open, reaps orphaned processes, and exits on SIGTERM and SIGINT.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void terminate(int number) {
  (void)number;
  _exit(0);
}

static void reap(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(void) {
  signal(SIGINT, terminate);
  signal(SIGTERM, terminate);
  signal(SIGCHLD, reap);
  for (;;) pause();
}
