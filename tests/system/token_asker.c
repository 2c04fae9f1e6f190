// SPDX-License-Identifier: Apache-2.0
//
// A PAM module that asks for a token in parts, as ours does, and writes down what arrives: shows
// what a client sends, byte for byte, and what it sends to other questions.
//
// Argument: a directory with the files `size` (of a part), `accept` (tokens, a line each), `log`
// (to which lines are added), and, where the module is to ask something else, `prompt`.

#include <limits.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { max_token = 64 * 1024 };

static FILE* file_in(const char* directory, const char* name, const char* mode) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return fopen(path, mode);
}

static size_t read_file(const char* directory, const char* name, char* text, size_t size) {
  FILE* file = file_in(directory, name, "re");
  size_t got = 0;
  if (file != NULL) {
    got = fread(text, 1, size - 1, file);
    fclose(file);
  }
  text[got] = '\0';
  return got;
}

static void note(const char* directory, pam_handle_t* pamh, const char* what, const char* text) {
  const void* service = NULL;
  FILE* file = file_in(directory, "log", "ae");
  pam_get_item(pamh, PAM_SERVICE, &service);
  if (file == NULL) return;
  fprintf(file, "%s %s %s\n", (const char*)service, what, text);
  fclose(file);
}

static int is_accepted(const char* directory, const char* token) {
  static char line[max_token];
  FILE* file = file_in(directory, "accept", "re");
  int found = 0;
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    found = strcmp(line, token) == 0;
  }
  if (file != NULL) fclose(file);
  return found;
}

int pam_sm_authenticate(pam_handle_t* pamh, int flags, int argc, const char** argv) {
  static char token[max_token], prompt[max_token];
  const char* directory = argc > 0 ? argv[0] : "/nonexistent";
  char text[32];
  size_t size, length = 0, got;
  char* answer;
  (void)flags;
  if (read_file(directory, "prompt", prompt, sizeof prompt) > 0) {
    answer = NULL;
    pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &answer, "%s", prompt);
    note(directory, pamh, "answer", answer == NULL ? "(none)" : answer);
    free(answer);
    return PAM_AUTH_ERR;
  }
  read_file(directory, "size", text, sizeof text);
  size = strtoul(text, NULL, 10);
  for (unsigned part = 1;; ++part) {
    answer = NULL;
    if (pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &answer,
                   "Access token, part %u, up to %zu bytes: ", part, size) != PAM_SUCCESS ||
        answer == NULL) {
      note(directory, pamh, "silence", "");
      return PAM_CONV_ERR;
    }
    got = strlen(answer);
    if (length + got >= sizeof token) return PAM_AUTH_ERR;
    memcpy(token + length, answer, got + 1);
    length += got;
    free(answer);
    if (got < size) break;
  }
  if (is_accepted(directory, token)) {
    note(directory, pamh, "accepted", token);
    return PAM_SUCCESS;
  }
  note(directory, pamh, "refused", token);
  pam_error(pamh, "Sign-in was not successful (reference 0123456789abcdef).");
  return PAM_AUTH_ERR;
}

int pam_sm_setcred(pam_handle_t* pamh, int flags, int argc, const char** argv) {
  (void)pamh, (void)flags, (void)argc, (void)argv;
  return PAM_SUCCESS;
}
