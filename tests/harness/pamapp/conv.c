// SPDX-License-Identifier: Apache-2.0
//
// The conversation function: reports every message and answers as the script says, including in
// the ways in which real applications answer badly.

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pamapp.h"

int control_fd = -1;

void answers_init(struct answers* answers) { *answers = (struct answers){.last = &answers->first}; }

void action_free(struct action* action) {
  if (action == NULL) return;
  free(action->text);
  free(action);
}

void answers_clear(struct answers* answers) {
  while (answers->first != NULL) {
    struct action* action = answers->first;
    answers->first = action->next;
    action_free(action);
  }
  answers->last = &answers->first;
}

void answers_push(struct answers* answers, struct action* action) {
  *answers->last = action;
  answers->last = &action->next;
}

static int return_code(const struct step* step, int index) {
  const char* word = script_word(step, index);
  for (int code = 0; code < 32; code++)
    if (strcmp(pam_code_name(code), word) == 0) return code;
  return (int)script_number(step, index);
}

struct action* action_parse(const struct step* step, int index) {
  struct action* action = calloc(1, sizeof *action);
  if (action == NULL) abort();
  if (strcmp(script_word(step, index), "delay") == 0) {
    action->delay_ms = script_number(step, index + 1);
    index += 2;
  }
  if (strcmp(script_word(step, index), "retcode") == 0) {
    action->retcode = (int)script_number(step, index + 1);
    index += 2;
  }
  const char* word = script_word(step, index);
  if (strcmp(word, "text") == 0) {
    action->kind = action_text;
    action->text = strdup(script_word(step, index + 1));
  } else if (strcmp(word, "null") == 0) {
    action->kind = action_null;
  } else if (strcmp(word, "repeat") == 0) {
    action->kind = action_repeat;
    action->number = script_number(step, index + 1);
    action->text = strdup(step->count > index + 2 ? script_word(step, index + 2) : "x");
  } else if (strcmp(word, "ask") == 0) {
    action->kind = action_ask;
  } else if (strcmp(word, "return") == 0) {
    action->kind = action_return;
    action->number = return_code(step, index + 1);
  } else if (strcmp(word, "untouched") == 0) {
    action->kind = action_untouched;
  } else if (strcmp(word, "raise") == 0) {
    action->kind = action_raise;
    action->number = script_signal(step, index + 1);
    action->text = strdup(step->count > index + 2 ? script_word(step, index + 2) : "");
  } else if (strcmp(word, "block") == 0) {
    action->kind = action_block;
  } else {
    script_fail(step, "not an action");
  }
  return action;
}

// Byte by byte: what follows the line belongs to the next question.  On the heap: the script may
// run on a small stack.
static struct action* ask(const struct app* app) {
  enum { capacity = 1 << 20 };
  struct json json;
  char* line = malloc(capacity);
  size_t length = 0;
  if (line == NULL) return NULL;
  json_event(&json, "ask");
  json_text(&json, "call", app->call);
  json_number(&json, "thread", app->thread);
  json_emit(&json);
  while (length < capacity - 1 && read(control_fd, line + length, 1) == 1)
    if (line[length++] == '\n') break;
  line[length] = '\0';
  struct step step;
  struct action* action = NULL;
  if (script_split(&step, line, 0)) {
    action = action_parse(&step, 0);
    free(step.words);
  }
  free(line);
  return action;
}

static const char* style_name(int style) {
  switch (style) {
    case PAM_PROMPT_ECHO_OFF: return "prompt_echo_off";
    case PAM_PROMPT_ECHO_ON: return "prompt_echo_on";
    case PAM_ERROR_MSG: return "error_msg";
    case PAM_TEXT_INFO: return "text_info";
    case PAM_RADIO_TYPE: return "radio";
    case PAM_BINARY_PROMPT: return "binary";
    default: return "unknown";
  }
}

static void report_message(const struct app* app, const struct pam_message* message, int index,
                           int count) {
  struct json json;
  if (app->quiet) return;
  json_event(&json, "message");
  json_text(&json, "call", app->call);
  json_number(&json, "thread", app->thread);
  json_text(&json, "style", style_name(message->msg_style));
  json_text(&json, "text", message->msg_style == PAM_BINARY_PROMPT ? NULL : message->msg);
  json_number(&json, "index", index);
  json_number(&json, "count", count);
  json_emit(&json);
}

// Fills one response.  PAM_SUCCESS, or the code the conversation shall end with.
static int respond(const struct action* action, struct pam_response* response) {
  sleep_ms(action->delay_ms);
  response->resp_retcode = action->retcode;
  switch (action->kind) {
    case action_text: response->resp = strdup(action->text); return PAM_SUCCESS;
    case action_null: return PAM_SUCCESS;
    case action_repeat:
      response->resp = calloc(1, (size_t)action->number + 1);
      if (response->resp == NULL) return PAM_BUF_ERR;
      memset(response->resp, action->text[0], (size_t)action->number);
      return PAM_SUCCESS;
    case action_raise:
      kill(getpid(), (int)action->number);
      response->resp = strdup(action->text);
      return PAM_SUCCESS;
    case action_block:
      for (;;) pause();
    case action_return: return (int)action->number;
    case action_ask:
    case action_untouched: break;
  }
  return PAM_CONV_ERR;
}

static int answer_one(struct app* app, int style, struct pam_response* response, bool* untouched) {
  struct answers* answers = &app->answers;
  struct action* taken = NULL;  // ours to free
  const struct action* action = NULL;
  if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG) {
    action = style == PAM_TEXT_INFO ? answers->on_info : answers->on_error;
    if (action == NULL) return PAM_SUCCESS;
  } else if (answers->first != NULL) {
    action = taken = answers->first;
    answers->first = taken->next;
    if (answers->first == NULL) answers->last = &answers->first;
  } else {
    action = answers->on_prompt;
  }
  if (action != NULL && action->kind == action_ask) {
    struct action* asked = ask(app);
    action_free(taken);
    action = taken = asked;
  }
  int code = PAM_CONV_ERR;
  if (action == NULL) {
    struct json json;
    json_event(&json, "unanswered");
    json_text(&json, "call", app->call);
    json_emit(&json);
  } else {
    *untouched = action->kind == action_untouched;
    code = *untouched ? PAM_SUCCESS : respond(action, response);
  }
  action_free(taken);
  return code;
}

int converse(int count, const struct pam_message** messages, struct pam_response** responses,
             void* data) {
  struct app* app = data;
  if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
  struct pam_response* list = calloc((size_t)count, sizeof *list);
  if (list == NULL) return PAM_BUF_ERR;
  int code = PAM_SUCCESS;
  bool untouched = false;
  for (int i = 0; i < count && code == PAM_SUCCESS && !untouched; i++) {
    report_message(app, messages[i], i, count);
    code = answer_one(app, messages[i]->msg_style, &list[i], &untouched);
  }
  if (code == PAM_SUCCESS && !untouched) {
    *responses = list;
    return PAM_SUCCESS;
  }
  for (int i = 0; i < count; i++) free(list[i].resp);
  free(list);
  return code;
}
