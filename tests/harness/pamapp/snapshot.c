// SPDX-License-Identifier: Apache-2.0
//
// The state of the process that a PAM module must leave as it found it.

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <syslog.h>
#include <termios.h>
#include <unistd.h>

#include "pamapp.h"

extern char** environ;

// Needs no descriptor of its own.
static void add_descriptors(struct json* json) {
  char link[64], target[512], key[16];
  json_open(json, "fds", '{');
  for (int fd = 0; fd < 4096; fd++) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 16);
    if (length < 0) length = 0;
    target[length] = '\0';
    if (flags & FD_CLOEXEC) strcat(target, " cloexec");
    snprintf(key, sizeof key, "%d", fd);
    json_text(json, key, target);
  }
  json_close(json, '}');
}

static void add_handlers(struct json* json) {
  json_open(json, "sigactions", '{');
  for (int number = 1; number <= SIGRTMAX; number++) {
    struct sigaction action;
    char key[16], text[96];
    if (sigaction(number, NULL, &action) != 0) continue;
    unsigned long long mask = 0;
    for (int other = 1; other <= SIGRTMAX; other++)
      if (sigismember(&action.sa_mask, other) == 1) mask |= 1ULL << (other - 1);
    if (action.sa_handler == SIG_DFL)
      snprintf(text, sizeof text, "default flags=%x mask=%llx", action.sa_flags, mask);
    else if (action.sa_handler == SIG_IGN)
      snprintf(text, sizeof text, "ignore flags=%x mask=%llx", action.sa_flags, mask);
    else
      snprintf(text, sizeof text, "%#lx flags=%x mask=%llx", (unsigned long)action.sa_handler,
               action.sa_flags, mask);
    snprintf(key, sizeof key, "%d", number);
    json_text(json, key, text);
  }
  json_close(json, '}');
}

static void add_signal_set(struct json* json, const char* key, const sigset_t* set) {
  json_open(json, key, '[');
  for (int number = 1; number <= SIGRTMAX; number++)
    if (sigismember(set, number) == 1) json_number(json, NULL, number);
  json_close(json, ']');
}

static void add_timers(struct json* json) {
  static const struct {
    __itimer_which_t which;
    const char* name;
  } timers[] = {{ITIMER_REAL, "real"}, {ITIMER_VIRTUAL, "virtual"}, {ITIMER_PROF, "prof"}};
  json_open(json, "itimers", '{');
  for (size_t i = 0; i < 3; i++) {
    struct itimerval timer;
    char text[64];
    getitimer(timers[i].which, &timer);
    // What is left of a running timer changes by itself: that it runs, and how often, does not.
    snprintf(text, sizeof text, "%s interval=%lld.%06lld",
             timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0 ? "running" : "stopped",
             (long long)timer.it_interval.tv_sec, (long long)timer.it_interval.tv_usec);
    json_text(json, timers[i].name, text);
  }
  json_close(json, '}');
}

static void add_environment(struct json* json) {
  json_open(json, "environ", '[');
  for (char** entry = environ; entry != NULL && *entry != NULL; entry++)
    json_text(json, NULL, *entry);
  json_close(json, ']');
}

static void add_limits(struct json* json, const struct rlimit* limits) {
  json_open(json, "rlimits", '{');
  for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
    char key[16], text[64];
    snprintf(key, sizeof key, "%d", resource);
    snprintf(text, sizeof text, "%lld/%lld", (long long)limits[resource].rlim_cur,
             (long long)limits[resource].rlim_max);
    json_text(json, key, text);
  }
  json_close(json, '}');
}

// Identity, capabilities, umask, thread count and memory, in the kernel's own words.
static void add_status(struct json* json) {
  static const char* const wanted[] = {"Name",    "Umask",   "Uid",        "Gid",    "Groups",
                                       "CapInh",  "CapPrm",  "CapEff",     "CapBnd", "CapAmb",
                                       "Seccomp", "Threads", "NoNewPrivs", "VmRSS",  "VmSize"};
  FILE* file = fopen("/proc/self/status", "re");
  char* line = NULL;
  size_t size = 0;
  json_open(json, "status", '{');
  while (file != NULL && getline(&line, &size, file) > 0) {
    char* value = strchr(line, ':');
    if (value == NULL) continue;
    *value++ = '\0';
    while (isspace((unsigned char)*value)) value++;
    value[strcspn(value, "\n")] = '\0';
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
      if (strcmp(line, wanted[i]) == 0) json_text(json, line, value);
  }
  json_close(json, '}');
  free(line);
  if (file != NULL) fclose(file);
}

// Every file mapped, once each: shows what stays loaded after pam_end.
static void add_mappings(struct json* json) {
  FILE* file = fopen("/proc/self/maps", "re");
  char *line = NULL, *last = strdup("");
  size_t size = 0;
  json_open(json, "mapped", '[');
  while (file != NULL && getline(&line, &size, file) > 0) {
    char* path = strchr(line, '/');
    if (path == NULL) continue;
    path[strcspn(path, "\n")] = '\0';
    if (strcmp(path, last) == 0) continue;
    json_text(json, NULL, path);
    free(last);
    last = strdup(path);
  }
  json_close(json, ']');
  free(last);
  free(line);
  if (file != NULL) fclose(file);
}

// Living or zombie; found by their parent's id, so nothing is reaped.
static void add_children(struct json* json) {
  DIR* proc = opendir("/proc");
  json_open(json, "children", '[');
  for (struct dirent* entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
    char path[300], stat[512] = {0};
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    FILE* file = fopen(path, "re");
    if (file == NULL) continue;
    size_t length = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    char* after = length > 0 ? strrchr(stat, ')') : NULL;
    char state;
    int parent;
    if (after == NULL || sscanf(after + 1, " %c %d", &state, &parent) != 2) continue;
    if (parent != getpid()) continue;
    char* name = strchr(stat, '(');
    snprintf(path, sizeof path, "%s %.*s %c", entry->d_name, (int)(after + 1 - name), name, state);
    json_text(json, NULL, path);
  }
  json_close(json, ']');
  if (proc != NULL) closedir(proc);
}

static void add_terminal(struct json* json) {
  struct termios terminal;
  char text[96];
  if (tcgetattr(STDIN_FILENO, &terminal) != 0) {
    json_text(json, "terminal", NULL);
    return;
  }
  snprintf(text, sizeof text, "iflag=%x oflag=%x cflag=%x lflag=%x", terminal.c_iflag,
           terminal.c_oflag, terminal.c_cflag, terminal.c_lflag);
  json_text(json, "terminal", text);
}

static void add_attributes(struct json* json) {
  char text[4096];
  int number = 0;
  json_text(json, "cwd", getcwd(text, sizeof text));
  json_text(json, "locale", setlocale(LC_ALL, NULL));
  json_number(json, "dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  json_number(json, "keepcaps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
  json_number(json, "securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
  prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0);
  json_number(json, "pdeathsig", number);
  prctl(PR_GET_CHILD_SUBREAPER, &number, 0, 0, 0);
  json_number(json, "subreaper", number);
  json_number(json, "pgid", getpgrp());
  json_number(json, "sid", getsid(0));
  json_number(json, "nice", getpriority(PRIO_PROCESS, 0));
}

void snapshot(const char* label) {
  struct rlimit limits[RLIM_NLIMITS];
  sigset_t mask, pending;
  struct json json;
  // libc keeps the log's socket open after the first syslog(3), whoever called it; an application
  // that does not want that closes it.
  closelog();
  // Looking needs descriptors and memory that the script may have forbidden: lift the soft limits
  // while we look.
  for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
    getrlimit((unsigned)resource, &limits[resource]);
    struct rlimit lifted = {limits[resource].rlim_max, limits[resource].rlim_max};
    if (resource == RLIMIT_NOFILE || resource == RLIMIT_AS || resource == RLIMIT_DATA)
      setrlimit((unsigned)resource, &lifted);
  }
  struct mallinfo2 allocated = mallinfo2();
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  sigpending(&pending);

  json_event(&json, "snapshot");
  json_text(&json, "label", label);
  add_descriptors(&json);
  add_handlers(&json);
  add_signal_set(&json, "sigmask", &mask);
  add_signal_set(&json, "sigpending", &pending);
  add_timers(&json);
  add_environment(&json);
  add_limits(&json, limits);
  add_status(&json);
  add_mappings(&json);
  add_children(&json);
  add_terminal(&json);
  add_attributes(&json);
  json_number(&json, "heap", (long long)(allocated.uordblks + allocated.hblkhd));
  json_emit(&json);

  setrlimit(RLIMIT_NOFILE, &limits[RLIMIT_NOFILE]);
  setrlimit(RLIMIT_AS, &limits[RLIMIT_AS]);
  setrlimit(RLIMIT_DATA, &limits[RLIMIT_DATA]);
}
