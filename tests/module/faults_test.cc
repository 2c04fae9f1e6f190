// SPDX-License-Identifier: Apache-2.0

/// \file
/// Every call that the module makes fails, one at a time (attack catalogue J01, L09–L12): the
/// answer is a refusal, or what it would have been; never a crash, a leak or a PAM_IGNORE.

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;

const char* const with_prompt = "begin\nshow 1 x\nprompt 0 x\nverdict granted ok\nconfirm\nend\n";

/// In this stack only PAM_IGNORE passes as 0; a granted login is told by what it leaves.
int count_descriptors() {
  int count = 0;
  DIR* const open = ::opendir("/proc/self/fd");
  while (::readdir(open) != nullptr) ++count;
  ::closedir(open);
  return count;
}

struct Outcome {
  int code;
  int calls;
  bool ignored;
};

Outcome log_in_with(const char* function, int nth, int error) {
  bed::script(with_prompt);
  App app("probe");
  int code = PAM_ABORT;
  int calls = 0;
  {
    const bed::Fault fault(function, nth, error);
    code = app.authenticate();
    calls = fault.calls();
  }
  return {code, calls, code == PAM_SUCCESS};
}

// "ignore" skips the denial and permits, every other answer ends the stack with a refusal; so
// PAM_SUCCESS of the stack is PAM_IGNORE of the module.
void prepare_probe() {
  bed::service("probe",
               "auth [ignore=1 success=die default=die] %M\n"
               "auth requisite pam_deny.so\n"
               "auth required pam_permit.so\n");
}

struct Row {
  const char* function;
  std::vector<int> errors;
  bool harmless;  ///< the login may do without the call; otherwise it lacks a fact, or is denied
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"open", {EMFILE, ENFILE, ENOMEM, EACCES, EIO}, false},
      {"openat", {EMFILE, ENFILE, ENOMEM, EACCES, ENOENT, ELOOP, EIO}, false},
      {"fstatfs", {EIO, ENOSYS}, false},
      {"read", {EIO, EINTR, EAGAIN, ESRCH}, true},
      {"stat", {ENOENT, EACCES, EIO}, true},
      {"fstat", {EIO, ENOMEM, EOVERFLOW}, false},
      {"socketpair", {EMFILE, ENFILE, ENOMEM, EAFNOSUPPORT}, false},
      {"setsockopt", {ENOMEM, ENOPROTOOPT}, false},
      {"mmap", {ENOMEM, EAGAIN, EPERM}, false},
      {"mprotect", {ENOMEM, EACCES}, false},
      {"madvise", {EINVAL, ENOMEM}, true},
      {"clone", {EAGAIN, ENOMEM, EPERM, ENOSYS, EINVAL}, false},
      {"dup2", {EMFILE, EBADF, EIO}, false},
      {"dup3", {EMFILE, EBADF}, false},
      {"waitpid", {EINTR}, true},
      {"poll", {ENOMEM, EINVAL, EINTR}, true},
      {"send", {ENOBUFS, ENOMEM, EIO, EPIPE, ECONNRESET, EAGAIN, EINTR, EMSGSIZE}, true},
      {"recvmsg", {ENOMEM, EIO, EINTR, ECONNRESET, EBADF, ENOTCONN}, true},
      {"getrandom", {ENOSYS, EAGAIN, EINTR, EIO}, true},
      {"gethostname", {ENAMETOOLONG, EFAULT}, true},
      {"getpwnam_r", {EIO, EMFILE, ENFILE, ENOMEM, ERANGE, EINTR, ENOENT, ETIMEDOUT}, true},
      {"sigpending", {EFAULT}, true},
  };
  return all;
}

// The codes of the module, seen through the stack: with one module that ends it.
TEST(L12_a_call_that_fails_denies_or_changes_nothing) {
  bed::service_with("plain", "timeout=20");
  // So that there is a number to miss; where the kernel or the container has none, there is none.
  const bool in_session =
      static_cast<bool>(std::ofstream("/proc/self/loginuid") << 0 << std::flush);
  bed::script(with_prompt);
  {
    App warm("plain");
    EXPECT_EQ(warm.authenticate(), PAM_SUCCESS);
  }
  // What the kernel says of this process, when it can be read.
  const std::string processes = bed::reported("processes");
  const std::string leader = bed::reported("leader");
  const std::string audit_session = bed::reported("audit_session");
  int runs = 0;
  for (const Row& row : rows()) {
    for (const int error : row.errors) {
      for (int nth = 1; nth < 40; ++nth) {
        bed::script(with_prompt);
        const int before = count_descriptors();
        App app("plain");
        int code = PAM_ABORT;
        int calls = 0;
        {
          const bed::FastTime fast(20);
          const bed::Fault fault(row.function, nth, error);
          code = app.authenticate();
          calls = fault.calls();
        }
        ++runs;
        if (calls < nth) {
          EXPECT_EQ(code, PAM_SUCCESS);  // it was not called that often
          break;
        }
        const std::string where = std::string(row.function) + " #" + std::to_string(nth) + " " +
                                  std::to_string(error) + ": " + std::to_string(code);
        // An interrupted call is made again.
        if (error == EINTR && code != PAM_SUCCESS) throw test::Failure{where, __FILE__, __LINE__};
        if (code == PAM_SUCCESS) {
          const bool lacks = bed::reported("processes") != processes ||
                             bed::reported("leader") != leader ||
                             bed::reported("audit_session") != audit_session;
          if (!row.harmless && !lacks && in_session) throw test::Failure{where, __FILE__, __LINE__};
        } else {
          const auto lines = bed::audit();
          if (lines.size() != 1 || (code != PAM_AUTHINFO_UNAVAIL && code != PAM_USER_UNKNOWN))
            throw test::Failure{where, __FILE__, __LINE__};
          const std::string reason = bed::value_of(lines[0].text, "reason");
          if (error == EMFILE || error == ENFILE) EXPECT_EQ(reason, "sys.emfile");
          if (reason.empty() || reason == "ok") throw test::Failure{where, __FILE__, __LINE__};
        }
        app.end();
        if (count_descriptors() != before)
          throw test::Failure{where + " leaks a descriptor", __FILE__, __LINE__};
        errno = 0;
        if (::waitpid(-1, nullptr, WNOHANG | static_cast<int>(__WALL)) != -1 || errno != ECHILD)
          throw test::Failure{where + " leaves a child", __FILE__, __LINE__};
      }
    }
  }
  print_message("%d logins, each with one call failing\n", runs);
  bed::service_with("plain", "");
}

TEST(J01_no_failing_call_makes_the_module_step_aside) {
  prepare_probe();
  for (const Row& row : rows()) {
    const bed::FastTime fast(20);
    for (int nth = 1; nth < 40; ++nth) {
      const Outcome outcome = log_in_with(row.function, nth, row.errors.front());
      EXPECT(!outcome.ignored);
      if (outcome.calls < nth) break;
    }
  }
}

TEST(L11_denies_when_no_process_can_be_started) {
  bed::script(bed::grants);
  for (int nth = 1; nth <= 2; ++nth) {
    App app("plain");
    const bed::Fault fault("clone", nth, EAGAIN);
    EXPECT_EQ(app.authenticate(), PAM_AUTHINFO_UNAVAIL);
    EXPECT_EQ(bed::value_of(bed::audit().at(0).text, "reason"), "sys.fork");
    EXPECT_EQ(bed::value_of(bed::audit().at(0).text, "detail"), "clone: EAGAIN");
  }
}

#if !OIDC_TEST_SANITIZED
// L10: the whole life of a handle, with the nth allocation failing, libpam's own included.
TEST(L10_survives_every_allocation_that_fails) {
  bed::script(bed::grants);
  int last = 0;
  int denied_by_us = 0;
  for (int nth = 1; nth < 3000; ++nth) {
    const int before = count_descriptors();
    // Made before: the application's own memory is not what runs out.
    App app("plain");
    int code = PAM_ABORT;
    int account = PAM_ABORT;
    int calls = 0;
    {
      const bed::Fault fault("malloc", nth, ENOMEM);
      code = app.authenticate();
      account = app.account();
      calls = fault.calls();
    }
    for (const auto& line : bed::audit())
      denied_by_us += bed::value_of(line.text, "reason") == "sys.nomem" ? 1 : 0;
    app.end();
    EXPECT_EQ(count_descriptors(), before);
    // libpam may run out of memory itself, also after we have granted.  Where we denied, nothing is
    // granted afterwards either.
    if (!bed::audit().empty()) EXPECT(code != PAM_SUCCESS && account != PAM_SUCCESS);
    last = nth;
    if (calls < nth) {
      EXPECT_EQ(code, PAM_SUCCESS);
      EXPECT_EQ(account, PAM_SUCCESS);
      break;
    }
  }
  EXPECT(last < 2999);
  EXPECT(denied_by_us >= 2);  // getpwnam_r's buffer, and what is remembered
  print_message("%d logins, each with one allocation failing\n", last);
}
#endif

}  // namespace
