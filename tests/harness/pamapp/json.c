// SPDX-License-Identifier: Apache-2.0
//
// Report lines: JSON objects, one a line.  Bytes from 0x80 up pass as they are, so text that is no
// UTF-8 reaches the reader unchanged (Python: errors="surrogateescape").

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pamapp.h"

int report_fd = STDOUT_FILENO;

static void append(struct json* json, const char* bytes, size_t length) {
  if (json->capacity - json->length < length) {
    size_t wanted = (json->length + length) * 2 + 256;
    char* grown = realloc(json->data, wanted);
    if (grown == NULL) abort();
    json->data = grown;
    json->capacity = wanted;
  }
  memcpy(json->data + json->length, bytes, length);
  json->length += length;
}

static void append_string(struct json* json, const char* text, size_t length) {
  append(json, "\"", 1);
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    char escaped[8];
    if (byte == '"' || byte == '\\') {
      escaped[0] = '\\';
      escaped[1] = (char)byte;
      append(json, escaped, 2);
    } else if (byte < 0x20 || byte == 0x7f) {
      snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      append(json, escaped, 6);
    } else {
      append(json, text + i, 1);
    }
  }
  append(json, "\"", 1);
}

// Members of arrays have no key.
static void begin_member(struct json* json, const char* key) {
  if (json->separate) append(json, ", ", 2);
  json->separate = true;
  if (key == NULL) return;
  append_string(json, key, strlen(key));
  append(json, ": ", 2);
}

void json_text(struct json* json, const char* key, const char* text) {
  if (text != NULL) {
    json_bytes(json, key, text, strlen(text));
    return;
  }
  begin_member(json, key);
  append(json, "null", 4);
}

void json_bytes(struct json* json, const char* key, const char* text, size_t length) {
  begin_member(json, key);
  append_string(json, text, length);
}

void json_number(struct json* json, const char* key, long long number) {
  char digits[32];
  begin_member(json, key);
  int length = snprintf(digits, sizeof digits, "%lld", number);
  append(json, digits, (size_t)length);
}

void json_open(struct json* json, const char* key, char bracket) {
  begin_member(json, key);
  append(json, &bracket, 1);
  json->separate = false;
}

void json_close(struct json* json, char bracket) {
  append(json, &bracket, 1);
  json->separate = true;
}

void json_event(struct json* json, const char* name) {
  memset(json, 0, sizeof *json);
  append(json, "{", 1);
  json_text(json, "event", name);
  json_number(json, "ms", now_ms());
  json_number(json, "pid", getpid());
}

void json_emit(struct json* json) {
  static pthread_mutex_t one_line = PTHREAD_MUTEX_INITIALIZER;
  append(json, "}\n", 2);
  pthread_mutex_lock(&one_line);
  for (size_t done = 0; done < json->length;) {
    ssize_t count = write(report_fd, json->data + done, json->length - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;  // the reader is gone: nobody is left to tell
    done += (size_t)count;
  }
  pthread_mutex_unlock(&one_line);
  free(json->data);
  json->data = NULL;
}

long long now_ms(void) {
  static long long began = -1;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long long ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  if (began < 0) began = ms;
  return ms - began;
}

void sleep_ms(long long ms) {
  struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) continue;
}
