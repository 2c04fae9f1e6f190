// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "support/cmocka_cc.h"

namespace {

struct Case {
  const char* name;
  void (*body)();
};
std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

// Runs one body with its destructors, then tells cmocka, which longjmps.
void run_case(void** state) {
  std::string what;
  const char* file = __FILE__;
  int line = __LINE__;
  bool skipped = false;
  try {
    static_cast<const Case*>(*state)->body();
    return;
  } catch (const test::Failure& failure) {
    what = failure.what;
    file = failure.file;
    line = failure.line;
  } catch (const test::Skipped& skip) {
    what = skip.why;
    skipped = true;
  } catch (const std::exception& error) {
    what = std::string("exception: ") + error.what();
  }
  print_message("%s: %s\n", skipped ? "skipped" : "failed", what.c_str());
  std::string().swap(what);  // cmocka longjmps past the destructor
  if (skipped)
    _skip(file, line);
  else
    _fail(file, line);
}

}  // namespace

test::Registration::Registration(const char* name, void (*body)()) {
  cases().push_back({name, body});
}

// With arguments, runs only the tests whose names contain one of them.
int main(int argc, char** argv) {
  std::vector<CMUnitTest> chosen;
  for (Case& one : cases()) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i)
      wanted = wanted || std::string_view(one.name).find(argv[i]) != std::string_view::npos;
    if (wanted) chosen.push_back({one.name, run_case, nullptr, nullptr, &one});
  }
  return _cmocka_run_group_tests(argv[0], chosen.data(), chosen.size(), nullptr, nullptr) == 0 ? 0
                                                                                               : 1;
}
