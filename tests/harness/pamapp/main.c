// SPDX-License-Identifier: Apache-2.0
//
// pamapp [-r REPORT_FD] [-c CONTROL_FD] SCRIPT

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pamapp.h"

// Our own descriptors live where no script and no limit reaches them by accident.
enum { own_fds_from = 200 };

struct rest {
  struct app* app;
  size_t first;
};

static void* run_rest(void* data) {
  struct rest* rest = data;
  run_steps(rest->app, rest->first, rest->app->script->count);
  return NULL;
}

static int move_up(int fd) {
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, own_fds_from);
  if (moved < 0) {
    fprintf(stderr, "pamapp: descriptor %d: %s\n", fd, strerror(errno));
    exit(64);
  }
  if (fd > STDERR_FILENO) close(fd);
  return moved;
}

static void run(struct app* app, size_t first) {
  struct rest rest = {app, first};
  if (host_stack == 0) {
    run_rest(&rest);
    return;
  }
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  int error = pthread_attr_setstacksize(&attributes, host_stack);
  if (error == 0) error = pthread_create(&thread, &attributes, run_rest, &rest);
  if (error != 0) script_fail(&app->script->steps[0], strerror(error));
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
}

int main(int argc, char** argv) {
  struct script script;
  struct json json;
  now_ms();
  for (int option; (option = getopt(argc, argv, "r:c:")) != -1;) {
    if (option == 'r') {
      report_fd = atoi(optarg);
    } else if (option == 'c') {
      control_fd = atoi(optarg);
    } else {
      return 64;
    }
  }
  FILE* input = optind < argc ? fopen(argv[optind], "re") : NULL;
  if (input == NULL) {
    fprintf(stderr, "usage: pamapp [-r REPORT_FD] [-c CONTROL_FD] SCRIPT\n");
    return 64;
  }
  report_fd = move_up(report_fd);
  if (control_fd >= 0) control_fd = move_up(control_fd);
  script_read(&script, input);
  fclose(input);

  struct app app = {.script = &script, .call = "none"};
  answers_init(&app.answers);
  // The host's settings come first and belong to the process; so do the two snapshots.
  size_t first = 0;
  while (first < script.count && strcmp(script.steps[first].words[0], "host") == 0)
    host_apply(&script.steps[first++]);
  snapshot("before");
  run(&app, first);
  snapshot("after");
  json_event(&json, "done");
  host_report(&json);
  json_emit(&json);
  return 0;
}
