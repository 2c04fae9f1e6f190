// SPDX-License-Identifier: Apache-2.0
//
// Executing the script: PAM calls, their surroundings and the control structures.

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "pamapp.h"

static const struct {
  const char* name;
  int (*function)(pam_handle_t*, int);
} calls[] = {
    {"authenticate", pam_authenticate},
    {"acct_mgmt", pam_acct_mgmt},
    {"setcred", pam_setcred},
    {"open_session", pam_open_session},
    {"close_session", pam_close_session},
    {"chauthtok", pam_chauthtok},
};

static const struct {
  const char* name;
  int number;
} flag_names[] = {
    {"silent", PAM_SILENT},
    {"disallow_null_authtok", PAM_DISALLOW_NULL_AUTHTOK},
    {"establish_cred", PAM_ESTABLISH_CRED},
    {"delete_cred", PAM_DELETE_CRED},
    {"reinitialize_cred", PAM_REINITIALIZE_CRED},
    {"refresh_cred", PAM_REFRESH_CRED},
    {"change_expired_authtok", PAM_CHANGE_EXPIRED_AUTHTOK},
    {"data_silent", PAM_DATA_SILENT},
};

static const struct {
  const char* name;
  int type;
} item_names[] = {
    {"service", PAM_SERVICE},   {"user", PAM_USER},
    {"tty", PAM_TTY},           {"rhost", PAM_RHOST},
    {"ruser", PAM_RUSER},       {"user_prompt", PAM_USER_PROMPT},
    {"authtok", PAM_AUTHTOK},   {"oldauthtok", PAM_OLDAUTHTOK},
    {"xdisplay", PAM_XDISPLAY}, {"authtok_type", PAM_AUTHTOK_TYPE},
};

static char* copy(const char* text) { return text == NULL ? NULL : strdup(text); }

static int flags_from(const struct step* step, int index) {
  int flags = 0;
  for (; index < step->count; index++) {
    size_t i = 0, count = sizeof flag_names / sizeof flag_names[0];
    while (i < count && strcmp(flag_names[i].name, script_word(step, index)) != 0) i++;
    flags |= i < count ? flag_names[i].number : (int)script_number(step, index);
  }
  return flags;
}

static void report_call(struct app* app, const char* name, int flags, long long began) {
  struct json json;
  const void* user = NULL;
  if (app->quiet) return;
  if (app->pamh != NULL) pam_get_item(app->pamh, PAM_USER, &user);
  json_event(&json, "return");
  json_text(&json, "call", name);
  json_number(&json, "thread", app->thread);
  json_number(&json, "flags", flags);
  json_number(&json, "code", app->last);
  json_text(&json, "name", pam_code_name(app->last));
  json_text(&json, "user", user);
  json_number(&json, "took_ms", now_ms() - began);
  json_emit(&json);
}

static void start(struct app* app) {
  long long began = now_ms();
  app->conv = (struct pam_conv){app->no_conversation ? NULL : converse, app};
  app->call = "start";
  app->last = app->confdir == NULL ? pam_start(app->service, app->user, &app->conv, &app->pamh)
                                   : pam_start_confdir(app->service, app->user, &app->conv,
                                                       app->confdir, &app->pamh);
  app->call = "none";
  report_call(app, "start", 0, began);
}

static pam_handle_t* handle(const struct app* app, const struct step* step) {
  if (app->pamh == NULL) script_fail(step, "there is no PAM handle: start comes first");
  return app->pamh;
}

static void call(struct app* app, const struct step* step) {
  const char* name = script_word(step, 1);
  int flags = flags_from(step, 2);
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    if (strcmp(calls[i].name, name) != 0) continue;
    long long began = now_ms();
    app->call = calls[i].name;
    app->last = calls[i].function(handle(app, step), flags);
    app->call = "none";
    report_call(app, name, flags, began);
    return;
  }
  script_fail(step, "not a PAM call");
}

static void end(struct app* app, const struct step* step) {
  long long began = now_ms();
  int flags = flags_from(step, 1);
  app->call = "end";
  int status = app->last;
  app->last = pam_end(handle(app, step), status | flags);
  app->call = "none";
  app->pamh = NULL;
  report_call(app, "end", flags, began);
  app->last = status;
}

// The application's own way to wait after a failure: reports instead.
static void record_delay(int code, unsigned microseconds, void* data) {
  const struct app* app = data;
  struct json json;
  json_event(&json, "fail-delay");
  json_text(&json, "call", app->call);
  json_text(&json, "name", pam_code_name(code));
  json_number(&json, "microseconds", microseconds);
  json_emit(&json);
}

static void set_item(struct app* app, const struct step* step) {
  const char* name = script_word(step, 1);
  if (step->count < 3) script_fail(step, "an item needs a value or NULL");
  for (size_t i = 0; i < sizeof item_names / sizeof item_names[0]; i++) {
    if (strcmp(item_names[i].name, name) != 0) continue;
    int code = pam_set_item(handle(app, step), item_names[i].type, step->words[2]);
    if (code != PAM_SUCCESS) script_fail(step, pam_code_name(code));
    return;
  }
  script_fail(step, "not an item");
}

static void report_item(struct app* app, const struct step* step) {
  const char* name = script_word(step, 1);
  for (size_t i = 0; i < sizeof item_names / sizeof item_names[0]; i++) {
    const void* value = NULL;
    struct json json;
    if (strcmp(item_names[i].name, name) != 0) continue;
    pam_get_item(handle(app, step), item_names[i].type, &value);
    json_event(&json, "item");
    json_text(&json, "name", name);
    json_text(&json, "value", value);
    json_emit(&json);
    return;
  }
  script_fail(step, "not an item");
}

static void report_environment(struct app* app, const struct step* step) {
  struct json json;
  char** list = pam_getenvlist(handle(app, step));
  json_event(&json, "pam-env");
  json_open(&json, "env", '[');
  for (char** entry = list; entry != NULL && *entry != NULL; entry++) {
    json_text(&json, NULL, *entry);
    free(*entry);
  }
  json_close(&json, ']');
  free(list);
  json_emit(&json);
}

// Sends the PAM environment through the pipe, each entry with its zero byte.
static void send_environment(struct app* app, int fd) {
  char** list = app->pamh == NULL ? NULL : pam_getenvlist(app->pamh);
  FILE* pipe_end = fdopen(fd, "w");
  for (char** entry = list; entry != NULL && *entry != NULL; entry++)
    fwrite(*entry, 1, strlen(*entry) + 1, pipe_end);
  fclose(pipe_end);
}

static void take_environment(struct app* app, int fd) {
  FILE* pipe_end = fdopen(fd, "r");
  char* entry = NULL;
  size_t size = 0;
  while (getdelim(&entry, &size, '\0', pipe_end) > 0)
    if (app->pamh != NULL) pam_putenv(app->pamh, entry);
  free(entry);
  fclose(pipe_end);
}

// The steps up to "join" run in a child, as sshd runs keyboard-interactive authentication; then
// "join env" hands the PAM environment to the parent and "join exit" runs exit handlers.
static void fork_block(struct app* app, size_t first, size_t last) {
  const struct step* join = &app->script->steps[last];
  int ends[2];
  if (pipe(ends) != 0) script_fail(join, strerror(errno));
  pid_t child = fork();
  if (child < 0) script_fail(join, strerror(errno));
  if (child == 0) {
    close(ends[0]);
    run_steps(app, first, last);
    if (join->count > 1 && strcmp(script_word(join, 1), "env") == 0) {
      send_environment(app, ends[1]);
      _exit(0);
    }
    if (join->count > 1 && strcmp(script_word(join, 1), "exit") == 0) exit(0);
    _exit(0);
  }
  close(ends[1]);
  take_environment(app, ends[0]);
  int status = 0;
  pid_t waited;
  do waited = waitpid(child, &status, 0);
  while (waited < 0 && errno == EINTR);
  struct json json;
  json_event(&json, "child-ended");
  json_number(&json, "child", child);
  json_number(&json, "status", waited == child ? status : -1);
  json_emit(&json);
}

struct lane {
  struct app app;
  size_t first;
  size_t last;
};

static void* run_lane(void* data) {
  struct lane* lane = data;
  run_steps(&lane->app, lane->first, lane->last);
  answers_clear(&lane->app.answers);
  free(lane->app.service);
  free(lane->app.user);
  free(lane->app.confdir);
  return NULL;
}

// Threads that log in at the same time, each with a handle of its own.
static void parallel_block(struct app* app, const struct step* step, size_t first, size_t last) {
  size_t count = (size_t)script_number(step, 1);
  struct lane* lanes = calloc(count, sizeof *lanes);
  pthread_t* threads = calloc(count, sizeof *threads);
  if (lanes == NULL || threads == NULL) script_fail(step, "no memory");
  for (size_t i = 0; i < count; i++) {
    lanes[i].app = *app;
    lanes[i].app.thread = (int)i + 1;
    lanes[i].app.pamh = NULL;
    lanes[i].app.service = copy(app->service);
    lanes[i].app.user = copy(app->user);
    lanes[i].app.confdir = copy(app->confdir);
    answers_init(&lanes[i].app.answers);
    lanes[i].first = first;
    lanes[i].last = last;
    errno = pthread_create(&threads[i], NULL, run_lane, &lanes[i]);
    if (errno != 0) script_fail(step, strerror(errno));
  }
  for (size_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
  free(threads);
  free(lanes);
}

static size_t find(const struct app* app, size_t from, size_t to, const char* name) {
  for (size_t i = from; i < to; i++)
    if (strcmp(app->script->steps[i].words[0], name) == 0) return i;
  script_fail(&app->script->steps[from], "the block has no end");
}

static void replace(char** place, const struct step* step) {
  if (step->count < 2) script_fail(step, "a value or NULL is missing");
  free(*place);
  *place = copy(step->words[1]);
}

static void set_default(struct action** place, const struct step* step) {
  action_free(*place);
  *place = action_parse(step, 1);
}

// The steps that need no look at others.
static void run_step(struct app* app, const struct step* step) {
  const char* word = step->words[0];
  if (strcmp(word, "host") == 0) {
    host_apply(step);
  } else if (strcmp(word, "service") == 0) {
    replace(&app->service, step);
  } else if (strcmp(word, "user") == 0) {
    replace(&app->user, step);
  } else if (strcmp(word, "confdir") == 0) {
    replace(&app->confdir, step);
  } else if (strcmp(word, "conversation") == 0) {
    app->no_conversation = strcmp(script_word(step, 1), "none") == 0;
  } else if (strcmp(word, "start") == 0) {
    start(app);
  } else if (strcmp(word, "call") == 0) {
    call(app, step);
  } else if (strcmp(word, "end") == 0) {
    end(app, step);
  } else if (strcmp(word, "answer") == 0) {
    answers_push(&app->answers, action_parse(step, 1));
  } else if (strcmp(word, "on-prompt") == 0) {
    set_default(&app->answers.on_prompt, step);
  } else if (strcmp(word, "on-info") == 0) {
    set_default(&app->answers.on_info, step);
  } else if (strcmp(word, "on-error") == 0) {
    set_default(&app->answers.on_error, step);
  } else if (strcmp(word, "item") == 0) {
    set_item(app, step);
  } else if (strcmp(word, "get-item") == 0) {
    report_item(app, step);
  } else if (strcmp(word, "putenv") == 0) {
    pam_putenv(handle(app, step), script_word(step, 1));
  } else if (strcmp(word, "get-env") == 0) {
    report_environment(app, step);
  } else if (strcmp(word, "record-delay") == 0) {
    void (*function)(int, unsigned, void*) = record_delay;
    // libpam takes this one function as an object pointer.
    pam_set_item(handle(app, step), PAM_FAIL_DELAY, (const void*)(uintptr_t)function);
  } else if (strcmp(word, "sleep") == 0) {
    sleep_ms(script_number(step, 1));
  } else if (strcmp(word, "snapshot") == 0) {
    snapshot(script_word(step, 1));
  } else if (strcmp(word, "quiet") == 0) {
    app->quiet = script_number(step, 1) != 0;
  } else if (strcmp(word, "log") == 0) {
    // By then the module is unloaded: an ident that lay in it would end this process.
    syslog(LOG_AUTHPRIV | LOG_INFO, "%s", script_word(step, 1));
  } else if (strcmp(word, "raise") == 0) {
    kill(getpid(), script_signal(step, 1));
  } else {
    script_fail(step, "not a step");
  }
}

void run_steps(struct app* app, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) {
    const struct step* step = &app->script->steps[i];
    if (strcmp(step->words[0], "fork") == 0) {
      size_t last = find(app, i, to, "join");
      fork_block(app, i + 1, last);
      i = last;
    } else if (strcmp(step->words[0], "parallel") == 0) {
      size_t last = find(app, i, to, "end-parallel");
      parallel_block(app, step, i + 1, last);
      i = last;
    } else if (strcmp(step->words[0], "repeat") == 0) {
      size_t last = find(app, i, to, "end-repeat");
      for (long long left = script_number(step, 1); left > 0; left--) run_steps(app, i + 1, last);
      i = last;
    } else {
      run_step(app, step);
    }
  }
}
