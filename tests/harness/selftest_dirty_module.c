// SPDX-License-Identifier: Apache-2.0
//
// A PAM module that leaves its host's process dirty in every way a snapshot looks at: shows that
// the harness would notice.

#include <fcntl.h>
#include <security/pam_modules.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static void* leak;

static void on_signal(int number) { (void)number; }

int pam_sm_authenticate(pam_handle_t* pamh, int flags, int argc, const char** argv) {
  struct sigaction action = {.sa_handler = on_signal};
  struct itimerval timer = {.it_value = {.tv_sec = 3600}};
  struct rlimit limit = {512, 1024};
  sigset_t set;
  (void)pamh, (void)flags, (void)argc, (void)argv;
  open("/dev/zero", O_RDONLY);
  sigaction(SIGUSR2, &action, NULL);
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  setitimer(ITIMER_VIRTUAL, &timer, NULL);
  setrlimit(RLIMIT_NOFILE, &limit);
  umask(0111);
  if (chdir("/usr") != 0) return PAM_SYSTEM_ERR;
  setenv("DIRTY", "1", 1);
  prctl(PR_SET_DUMPABLE, 0);
  leak = malloc(1 << 20);
  if (fork() == 0) _exit(0);
  return PAM_SUCCESS;
}

int pam_sm_setcred(pam_handle_t* pamh, int flags, int argc, const char** argv) {
  (void)pamh, (void)flags, (void)argc, (void)argv;
  return PAM_SUCCESS;
}
