// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/sanitized.h"

/// \file
/// What the module's tests stand on: the built pam_oidc.so in the real libpam, with a scripted
/// broker at the very path that is compiled in.
///
/// Before main() the test process moves into a mount namespace of its own, where a tmpfs covers the
/// broker's directory; nothing outside sees it.  Needs root; without, the program ends with 77.

namespace bed {

/// What the module, or libpam, wrote to the system log.
struct LogLine {
  int priority;
  std::string text;
};
std::vector<LogLine> log();
void clear_log();
/// The lines that are audit lines of the module (they begin with "event=" after libpam's prefix).
std::vector<LogLine> audit();
/// The value of a key in a line, without its quotes; empty when absent.
std::string value_of(const std::string& line, const std::string& key);

/// Writes the script of the scripted broker (fake_broker.cc) and clears its report.
void script(const std::string& text);
/// A value of the scripted broker's report; "(absent)" when it said nothing of the kind.
std::string reported(const std::string& key);
/// begin, granted, confirm, end.
extern const char* const grants;
/// The same with a refusal of the person's.
extern const std::string refuses;

const std::string& broker_path();
const std::string& directory();  ///< where pam.d and the module lie, for this process alone

/// Writes a service's stack.  %M is the module's path.
void service(const std::string& name, const std::string& stack);
/// Runs the module alone in each of the four stacks, with arguments.
void service_with(const std::string& name, const std::string& arguments);

/// The person at the application: keeps what was shown and answers prompts.
struct Person {
  struct Seen {
    int style;
    std::string text;
  };
  std::vector<Seen> seen;
  std::vector<std::string> answers;  ///< for the prompts, in order; then "" for ever
  int code = PAM_SUCCESS;            ///< what the conversation function returns
  bool null_array = false;           ///< gives no response array
  bool null_answer = false;          ///< gives an array without an answer
  std::function<void()> meanwhile;   ///< runs at each prompt
  const char* asked = nullptr;       ///< the prompt as the module gave it, for `meanwhile`
  std::function<char*()> answer;     ///< makes the malloc'd answer, instead of `answers`
  bool saw(std::string_view text) const;
  int prompts() const;
};

/// An application with a PAM handle.
class App {
 public:
  explicit App(const std::string& service = "plain", const char* user = "alice",
               bool with_conversation = true);
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App();

  int authenticate(int flags = 0) { return last_ = pam_authenticate(handle_, flags); }
  int account(int flags = 0) { return last_ = pam_acct_mgmt(handle_, flags); }
  int credentials(unsigned flags = PAM_ESTABLISH_CRED) {
    return last_ = pam_setcred(handle_, static_cast<int>(flags));
  }
  int open() { return last_ = pam_open_session(handle_, 0); }
  int close() { return last_ = pam_close_session(handle_, 0); }
  void set(int item, const void* value);
  pam_handle_t* handle() const { return handle_; }
  void end();

  Person person;

 private:
  pam_conv conversation_;
  pam_handle_t* handle_ = nullptr;
  int last_ = PAM_SUCCESS;
};

/// One whole life of a handle.
int log_in(const char* service = "plain");
/// Loads what NSS and libpam load once, so that comparisons see the module alone.
void warm_up();
/// No child of ours exists, of whatever kind.
bool has_no_child();

/// The module denied by itself: this code, exactly one line with this reason, and the person read
/// the reference that the line has.
void expect_denied(App& app, int actual, int code, const std::string& reason);
/// The broker decided: the module adds no line.
void expect_no_line();

/// Time passes this many times faster for what asks clock_gettime(CLOCK_MONOTONIC) and waits by
/// poll(), while the object lives.
class FastTime {
 public:
  explicit FastTime(int factor);
  FastTime(const FastTime&) = delete;
  FastTime& operator=(const FastTime&) = delete;
  ~FastTime();
};

/// Makes the nth call of a C function fail, while the object lives; nth 0 only counts the calls.
class Fault {
 public:
  Fault(const char* function, int nth, int error);
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
  ~Fault();
  int calls() const;
};

/// While the object lives, free() and munmap() look into what they are given for a pattern.
class Watch {
 public:
  /// `is_at` says whether the pattern, of `size` bytes, stands at a place.
  Watch(std::size_t size, bool (*is_at)(const char*));
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();
  int found() const;
  int looked_at() const;
};

/// What getpwnam_r answers, instead of NSS, while set.
extern std::function<int(const char*, passwd*, char*, std::size_t, passwd**)> name_service;

/// What getgrnam_r answers, instead of NSS, while set.
extern std::function<int(const char*, group*, char*, std::size_t, group**)> group_service;
/// The groups that this process has, as far as the module sees; never the process's own.
extern std::vector<gid_t> groups;

/// The configuration file as stat() describes it; changes when it is edited.
void edit_configuration();
/// There is none, until the next edit_configuration().
void remove_configuration();

/// While the object lives, read() gives one byte at a time.
class ShortReads {
 public:
  ShortReads();
  ShortReads(const ShortReads&) = delete;
  ShortReads& operator=(const ShortReads&) = delete;
  ~ShortReads();
};

}  // namespace bed
