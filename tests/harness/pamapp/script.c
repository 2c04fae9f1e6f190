// SPDX-License-Identifier: Apache-2.0
//
// Reading the script: a step a line, words split at blanks, "#" begins a comment line.

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "pamapp.h"

static const struct {
  const char* name;
  int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ABRT", SIGABRT}, {"KILL", SIGKILL},
    {"SEGV", SIGSEGV}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"USR1", SIGUSR1},
    {"USR2", SIGUSR2}, {"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {"XCPU", SIGXCPU}, {"IO", SIGIO},     {"SYS", SIGSYS},
};

void script_fail(const struct step* step, const char* why) {
  struct json json;
  json_event(&json, "script-error");
  json_number(&json, "line", step->line);
  json_text(&json, "word", step->count > 0 ? step->words[0] : NULL);
  json_text(&json, "why", why);
  json_emit(&json);
  _Exit(64);
}

static void decode(const struct step* step, char* word) {
  char* to = word;
  for (const char* from = word; *from != '\0'; from++) {
    if (*from != '%') {
      *to++ = *from;
      continue;
    }
    char digits[3] = {0};
    if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
      script_fail(step, "% is not followed by two hexadecimal digits");
    digits[0] = from[1];
    digits[1] = from[2];
    *to++ = (char)strtol(digits, NULL, 16);
    from += 2;
  }
  *to = '\0';
}

bool script_split(struct step* step, char* line, int number) {
  size_t capacity = 8;
  *step = (struct step){.line = number, .words = calloc(capacity, sizeof(char*))};
  if (step->words == NULL) abort();
  char* rest = line;
  for (char* word; (word = strsep(&rest, " \t\r\n")) != NULL;) {
    if (*word == '\0') continue;
    if (*word == '#' && step->count == 0) break;
    if ((size_t)step->count == capacity) {
      capacity *= 2;
      step->words = realloc(step->words, capacity * sizeof(char*));
      if (step->words == NULL) abort();
    }
    char* value = NULL;
    if (strcmp(word, "\"\"") == 0) *word = '\0';
    if (strcmp(word, "NULL") != 0) {
      decode(step, word);
      value = word;
    }
    step->words[step->count++] = value;
  }
  if (step->count > 0) return true;
  free(step->words);
  return false;
}

void script_read(struct script* script, FILE* input) {
  *script = (struct script){0};
  size_t capacity = 0;
  char* line = NULL;
  size_t size = 0;
  for (int number = 1; getline(&line, &size, input) >= 0; number++) {
    struct step step;
    char* copy = strdup(line);
    if (copy == NULL) abort();
    if (!script_split(&step, copy, number)) {
      free(copy);
      continue;  // the words of a step point into its copy, which therefore lives on
    }
    if (step.words[0] == NULL) script_fail(&step, "a step cannot begin with NULL");
    if (script->count == capacity) {
      capacity = capacity * 2 + 32;
      script->steps = realloc(script->steps, capacity * sizeof step);
      if (script->steps == NULL) abort();
    }
    script->steps[script->count++] = step;
  }
  free(line);
}

const char* script_word(const struct step* step, int index) {
  if (index >= step->count || step->words[index] == NULL) script_fail(step, "a word is missing");
  return step->words[index];
}

long long script_number(const struct step* step, int index) {
  const char* word = script_word(step, index);
  char* end;
  errno = 0;
  long long number = strtoll(word, &end, 0);
  if (errno != 0 || end == word || *end != '\0') script_fail(step, "a number is expected");
  return number;
}

int script_signal(const struct step* step, int index) {
  const char* word = script_word(step, index);
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    if (strcmp(signals[i].name, word) == 0) return signals[i].number;
  return (int)script_number(step, index);
}

const char* pam_code_name(int code) {
  static const char* const names[] = {
      "PAM_SUCCESS",
      "PAM_OPEN_ERR",
      "PAM_SYMBOL_ERR",
      "PAM_SERVICE_ERR",
      "PAM_SYSTEM_ERR",
      "PAM_BUF_ERR",
      "PAM_PERM_DENIED",
      "PAM_AUTH_ERR",
      "PAM_CRED_INSUFFICIENT",
      "PAM_AUTHINFO_UNAVAIL",
      "PAM_USER_UNKNOWN",
      "PAM_MAXTRIES",
      "PAM_NEW_AUTHTOK_REQD",
      "PAM_ACCT_EXPIRED",
      "PAM_SESSION_ERR",
      "PAM_CRED_UNAVAIL",
      "PAM_CRED_EXPIRED",
      "PAM_CRED_ERR",
      "PAM_NO_MODULE_DATA",
      "PAM_CONV_ERR",
      "PAM_AUTHTOK_ERR",
      "PAM_AUTHTOK_RECOVERY_ERR",
      "PAM_AUTHTOK_LOCK_BUSY",
      "PAM_AUTHTOK_DISABLE_AGING",
      "PAM_TRY_AGAIN",
      "PAM_IGNORE",
      "PAM_ABORT",
      "PAM_AUTHTOK_EXPIRED",
      "PAM_MODULE_UNKNOWN",
      "PAM_BAD_ITEM",
      "PAM_CONV_AGAIN",
      "PAM_INCOMPLETE",
  };
  if (code < 0 || (size_t)code >= sizeof names / sizeof names[0]) return "PAM_?";
  return names[code];
}
