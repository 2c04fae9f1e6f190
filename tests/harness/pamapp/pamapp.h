// SPDX-License-Identifier: Apache-2.0
//
// pamapp: a PAM application that does what a script says and reports all it sees.  README.md in
// this directory describes the script and the report.

#pragma once

#include <pthread.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// --- json.c: one report line at a time ---

struct json {
  char* data;
  size_t length;
  size_t capacity;
  bool separate;  // a comma goes in front of the next member
};

// Where report lines go; set once by main.
extern int report_fd;

// Starts the line {"event": NAME, "ms": N, "pid": N ...
void json_event(struct json* json, const char* name);
// Members of the open object.  NULL text is null.
void json_text(struct json* json, const char* key, const char* text);
void json_bytes(struct json* json, const char* key, const char* text, size_t length);
void json_number(struct json* json, const char* key, long long number);
void json_open(struct json* json, const char* key, char bracket);
void json_close(struct json* json, char bracket);
// Ends the line, writes it whole and releases the buffer.
void json_emit(struct json* json);

// Milliseconds since the program began.
long long now_ms(void);
void sleep_ms(long long ms);

// --- script.c ---

// One line: words split at blanks, %XX decoded.  The word NULL is a null pointer, "" is empty.
struct step {
  int line;
  int count;
  char** words;
};

struct script {
  struct step* steps;
  size_t count;
};

// Ends the program with a message on a broken script.
void script_read(struct script* script, FILE* input);
// Splits one line in place into step.  False when it holds no word.
bool script_split(struct step* step, char* line, int number);
void script_fail(const struct step* step, const char* why) __attribute__((noreturn));
// The word at index; fails when it is missing or NULL.
const char* script_word(const struct step* step, int index);
long long script_number(const struct step* step, int index);
int script_signal(const struct step* step, int index);
// Name of a PAM return code.
const char* pam_code_name(int code);

// --- conv.c: what answers a module's questions ---

enum action_kind {
  action_text,
  action_null,
  action_repeat,
  action_ask,
  action_return,     // end the conversation with `number` and no answer
  action_untouched,  // PAM_SUCCESS, the response pointer left as it was
  action_raise,      // send ourselves signal `number`, then answer with `text`
  action_block,      // never return
};

struct action {
  enum action_kind kind;
  char* text;
  long long number;
  long long delay_ms;
  int retcode;
  struct action* next;
};

struct answers {
  struct action* first;  // consumed one by one, by prompts only
  struct action** last;
  struct action* on_prompt;  // when none is left
  struct action* on_info;
  struct action* on_error;
};

void answers_init(struct answers* answers);
void answers_clear(struct answers* answers);
// The action that the words from `index` on spell.
struct action* action_parse(const struct step* step, int index);
void action_free(struct action* action);
void answers_push(struct answers* answers, struct action* action);

// Where "ask" reads its answers; -1 when there is none.
extern int control_fd;

// A login's state: what one thread of the script works on.
struct app {
  const struct script* script;
  pam_handle_t* pamh;
  char* service;
  char* user;
  char* confdir;
  bool no_conversation;
  struct answers answers;
  int last;          // what the last call returned
  const char* call;  // the PAM call in progress, or "none"
  int thread;        // 0, or the number given by "parallel"
  bool quiet;
  struct pam_conv conv;
};

int converse(int count, const struct pam_message** messages, struct pam_response** responses,
             void* data);

// --- host.c: settings an application may have made before it calls us ---

void host_apply(const struct step* step);
// Stack of the thread that calls PAM; 0 = the main thread calls.
extern size_t host_stack;
// Adds what handlers and the waiting thread counted.
void host_report(struct json* json);

// --- snapshot.c: the process as it is now ---

void snapshot(const char* label);

// --- run.c ---

// Executes the steps [from, to) in order.
void run_steps(struct app* app, size_t from, size_t to);
