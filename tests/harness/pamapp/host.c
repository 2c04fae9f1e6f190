// SPDX-License-Identifier: Apache-2.0
//
// What an application may have done to its process before it calls PAM, from the harmless to the
// hostile.  Every setting is one the module must neither trip over nor change.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pamapp.h"

size_t host_stack;

static atomic_int caught[NSIG];
static atomic_int reaped;  // by a handler or the waiting thread: children that were not theirs

static void count_signal(int number) { atomic_fetch_add(&caught[number], 1); }

static void reap_in_handler(int number) {
  int kept = errno;
  atomic_fetch_add(&caught[number], 1);
  while (waitpid(-1, NULL, WNOHANG) > 0) atomic_fetch_add(&reaped, 1);
  errno = kept;
}

static void* wait_for_any_child(void* unused) {
  for (;;) {
    if (waitpid(-1, NULL, 0) > 0)
      atomic_fetch_add(&reaped, 1);
    else
      usleep(200);
  }
  return unused;
}

static void* stay(void* unused) {
  for (;;) pause();
  return unused;
}

struct noise {
  int number;
  long long every_ms;
};

static void* make_noise(void* data) {
  const struct noise* noise = data;
  for (;;) {
    sleep_ms(noise->every_ms);
    kill(getpid(), noise->number);
  }
  return NULL;
}

static void fail_errno(const struct step* step) { script_fail(step, strerror(errno)); }

static void check(const struct step* step, bool ok) {
  if (!ok) fail_errno(step);
}

// Threads of the host itself take no signals, as in programs that dedicate a thread to them.
static void start_thread(const struct step* step, void* (*body)(void*), void* data) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  errno = pthread_create(&thread, &attributes, body, data);
  check(step, errno == 0);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// signal NAME default|ignore|handler|reap|nocldwait
static void set_signal(const struct step* step) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  const char* how = script_word(step, 3);
  if (strcmp(how, "ignore") == 0) {
    action.sa_handler = SIG_IGN;
  } else if (strcmp(how, "handler") == 0) {
    action.sa_handler = count_signal;
  } else if (strcmp(how, "reap") == 0) {
    action.sa_handler = reap_in_handler;
  } else if (strcmp(how, "nocldwait") == 0) {
    action.sa_flags = SA_NOCLDWAIT;
  } else if (strcmp(how, "default") != 0) {
    script_fail(step, "not a signal setting");
  }
  check(step, sigaction(script_signal(step, 2), &action, NULL) == 0);
}

// rlimit NAME SOFT [HARD].  Without HARD the hard limit stays, so that snapshots can lift it.
static void set_limit(const struct step* step) {
  static const struct {
    const char* name;
    int resource;
  } limits[] = {
      {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"as", RLIMIT_AS},
      {"fsize", RLIMIT_FSIZE},   {"core", RLIMIT_CORE},   {"cpu", RLIMIT_CPU},
      {"stack", RLIMIT_STACK},   {"data", RLIMIT_DATA},   {"memlock", RLIMIT_MEMLOCK},
  };
  const char* name = script_word(step, 2);
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    struct rlimit limit;
    if (strcmp(limits[i].name, name) != 0) continue;
    check(step, getrlimit((unsigned)limits[i].resource, &limit) == 0);
    limit.rlim_cur = (rlim_t)script_number(step, 3);
    if (step->count > 4) limit.rlim_max = (rlim_t)script_number(step, 4);
    check(step, setrlimit((unsigned)limits[i].resource, &limit) == 0);
    return;
  }
  script_fail(step, "not a limit");
}

// open COUNT: descriptors without close-on-exec, which a module's children must not inherit.
static void open_descriptors(const struct step* step) {
  for (long long i = script_number(step, 2); i > 0; i--)
    check(step, open("/dev/null", O_RDWR) >= 0);  // NOLINT: inheritable on purpose
}

// redirect FD PATH
static void redirect(const struct step* step) {
  int wanted = (int)script_number(step, 2);
  int fd = open(script_word(step, 3), O_RDWR | O_CREAT, 0600);
  check(step, fd >= 0 && dup2(fd, wanted) == wanted);
  if (fd != wanted) close(fd);
}

static void set_timer(const struct step* step) {
  struct sigaction action = {.sa_handler = count_signal};
  long long ms = script_number(step, 2);
  long long again = step->count > 3 ? script_number(step, 3) : 0;
  struct itimerval timer = {
      .it_value = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000},
      .it_interval = {.tv_sec = again / 1000, .tv_usec = (again % 1000) * 1000},
  };
  sigaction(SIGALRM, &action, NULL);
  check(step, setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

// Interrupts every system call of the PAM thread again and again.
static void set_noise(const struct step* step) {
  static struct noise noise;
  struct sigaction action = {.sa_handler = count_signal};
  noise = (struct noise){script_signal(step, 2), script_number(step, 3)};
  sigaction(noise.number, &action, NULL);
  start_thread(step, make_noise, &noise);
}

static void block_signals(const struct step* step) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 2; i < step->count; i++) sigaddset(&set, script_signal(step, i));
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void set_ids(const struct step* step, bool users) {
  unsigned real = (unsigned)script_number(step, 2);
  unsigned effective = step->count > 3 ? (unsigned)script_number(step, 3) : real;
  unsigned saved = step->count > 4 ? (unsigned)script_number(step, 4) : effective;
  check(step, users ? setresuid(real, effective, saved) == 0
                    : setgroups(0, NULL) == 0 && setresgid(real, effective, saved) == 0);
}

void host_apply(const struct step* step) {
  const char* what = script_word(step, 1);
  if (strcmp(what, "signal") == 0) {
    set_signal(step);
  } else if (strcmp(what, "waiter") == 0) {
    start_thread(step, wait_for_any_child, NULL);
  } else if (strcmp(what, "threads") == 0) {
    for (long long i = script_number(step, 2); i > 0; i--) start_thread(step, stay, NULL);
  } else if (strcmp(what, "noise") == 0) {
    set_noise(step);
  } else if (strcmp(what, "block") == 0) {
    block_signals(step);
  } else if (strcmp(what, "timer") == 0) {
    set_timer(step);
  } else if (strcmp(what, "stack") == 0) {
    host_stack = (size_t)script_number(step, 2);
  } else if (strcmp(what, "rlimit") == 0) {
    set_limit(step);
  } else if (strcmp(what, "close") == 0) {
    for (int i = 2; i < step->count; i++) close((int)script_number(step, i));
  } else if (strcmp(what, "open") == 0) {
    open_descriptors(step);
  } else if (strcmp(what, "redirect") == 0) {
    redirect(step);
  } else if (strcmp(what, "env") == 0) {
    check(step, putenv(strdup(script_word(step, 2))) == 0);
  } else if (strcmp(what, "clearenv") == 0) {
    clearenv();
  } else if (strcmp(what, "umask") == 0) {
    umask((mode_t)script_number(step, 2));
  } else if (strcmp(what, "cwd") == 0) {
    check(step, chdir(script_word(step, 2)) == 0);
  } else if (strcmp(what, "locale") == 0) {
    if (setlocale(LC_ALL, script_word(step, 2)) == NULL) script_fail(step, "no such locale");
  } else if (strcmp(what, "dumpable") == 0) {
    check(step, prctl(PR_SET_DUMPABLE, (unsigned long)script_number(step, 2), 0, 0, 0) == 0);
  } else if (strcmp(what, "subreaper") == 0) {
    check(step, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
  } else if (strcmp(what, "no-new-privs") == 0) {
    check(step, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  } else if (strcmp(what, "uid") == 0) {
    set_ids(step, true);
  } else if (strcmp(what, "gid") == 0) {
    set_ids(step, false);
  } else if (strcmp(what, "dlopen") == 0) {
    if (dlopen(script_word(step, 2), RTLD_NOW | RTLD_GLOBAL) == NULL) script_fail(step, dlerror());
  } else {
    script_fail(step, "not a host setting");
  }
}

void host_report(struct json* json) {
  json_open(json, "signals", '{');
  for (int number = 1; number < NSIG; number++) {
    char key[16];
    if (atomic_load(&caught[number]) == 0) continue;
    snprintf(key, sizeof key, "%d", number);
    json_number(json, key, atomic_load(&caught[number]));
  }
  json_close(json, '}');
  json_number(json, "reaped", atomic_load(&reaped));
}
