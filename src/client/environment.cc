// SPDX-License-Identifier: Apache-2.0
#include "client/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace client {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

void set_variable(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

void unset_variable(const char* name) { ::unsetenv(name); }

void erase_variable(const char* name) {
  if (char* value = std::getenv(name)) explicit_bzero(value, std::strlen(value));
  ::unsetenv(name);
}

std::string home_directory() {
  if (auto home = variable("HOME")) return *std::move(home);
  std::string buffer(16384, '\0');
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return {};
  return found->pw_dir;
}

}  // namespace client
