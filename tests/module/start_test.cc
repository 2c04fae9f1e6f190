// SPDX-License-Identifier: Apache-2.0

/// \file
/// The broker's binary and what it is started with (attack catalogue K03, K04, K09, K15).

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::expect_denied;

class Moved {
 public:
  explicit Moved(std::string path) : path_(std::move(path)) {
    EXPECT_EQ(::rename(path_.c_str(), (path_ + ".aside").c_str()), 0);
  }
  Moved(const Moved&) = delete;
  Moved& operator=(const Moved&) = delete;
  ~Moved() {
    ::unlink(path_.c_str());
    ::rmdir(path_.c_str());
    ::rename((path_ + ".aside").c_str(), path_.c_str());
  }

 private:
  std::string path_;
};

void expect_untrusted(const char* detail) {
  bed::script(bed::grants);
  App app("sshd");
  const int code = app.authenticate();
  expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "broker.untrusted");
  EXPECT(bed::value_of(bed::audit()[0].text, "detail").find(detail) != std::string::npos);
  EXPECT_EQ(bed::reported("user"), "(absent)");
}

TEST(K04_denies_without_a_broker) {
  const Moved moved(bed::broker_path());
  expect_untrusted("ENOENT");
}

TEST(K03_denies_when_the_broker_is_not_roots_alone) {
  const char* const path = bed::broker_path().c_str();
  const std::string above = bed::broker_path().substr(0, bed::broker_path().rfind('/'));
  struct Row {
    const char* path;
    uid_t owner;
    mode_t mode;
    const char* detail;
  };
  for (const Row& row :
       {Row{path, 0, 0757, "writable"}, Row{path, 0, 0775, "writable"},
        Row{path, 1001, 0755, "not root's"}, Row{path, 0, 0644, "not executable"},
        Row{above.c_str(), 0, 0777, "writable"}, Row{above.c_str(), 0, 01777, "writable"},
        Row{above.c_str(), 0, 0775, "writable"}, Row{above.c_str(), 1001, 0755, "not root's"}}) {
    EXPECT_EQ(::chown(row.path, row.owner, 0), 0);
    EXPECT_EQ(::chmod(row.path, row.mode), 0);
    expect_untrusted(row.detail);
    EXPECT_EQ(::chown(row.path, 0, 0), 0);
    EXPECT_EQ(::chmod(row.path, 0755), 0);
  }
}

TEST(K03_denies_when_the_broker_is_something_else) {
  const std::string path = bed::broker_path();
  {
    const Moved moved(path);
    EXPECT_EQ(::symlink((path + ".aside").c_str(), path.c_str()), 0);
    expect_untrusted("not a regular file");
  }
  {
    const Moved moved(path);
    EXPECT_EQ(::mkdir(path.c_str(), 0755), 0);
    expect_untrusted("not a regular file");
  }
  {
    const Moved moved(path);
    EXPECT_EQ(::mkfifo(path.c_str(), 0755), 0);
    expect_untrusted("not a regular file");
  }
  {
    const Moved moved(path);
    EXPECT_EQ(::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755)), 0);
    expect_untrusted("execveat: ENOEXEC");
  }
  const std::string above = path.substr(0, path.rfind('/'));
  {
    bed::script(bed::grants);
    const Moved moved(above);
    EXPECT_EQ(::symlink((above + ".aside").c_str(), above.c_str()), 0);
    App app("sshd");
    const int code = app.authenticate();
    expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "broker.untrusted");
  }
  bed::script(bed::grants);
  App again("sshd");
  EXPECT_EQ(again.authenticate(), PAM_SUCCESS);
}

TEST(K09_starts_the_broker_with_nothing_of_the_applications) {
  ::setenv("LD_PRELOAD", "", 1);
  ::setenv("OPENSSL_CONF", "/tmp/evil", 1);
  ::setenv("https_proxy", "http://evil.example", 1);
  struct sigaction ignore {};
  struct sigaction old {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR1, &ignore, &old);
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  sigaddset(&some, SIGINT);
  ::sigprocmask(SIG_BLOCK, &some, &before);
  // Deliberately not close-on-exec.
  for (const int number : {70, 71, 300}) ::dup2(STDIN_FILENO, number);
  bed::script(std::string("facts\n") + bed::grants);
  App app("sshd", "alice");
  const int code = app.authenticate();
  for (const int number : {70, 71, 300}) ::close(number);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(SIGUSR1, &old, nullptr);
  for (const char* const name : {"LD_PRELOAD", "OPENSSL_CONF", "https_proxy"}) ::unsetenv(name);
  EXPECT_EQ(code, PAM_SUCCESS);
  EXPECT_EQ(bed::reported("argv"), "pam-oidc-broker|");
  EXPECT_EQ(bed::reported("envp"), "PATH=/usr/bin:/bin|LC_ALL=C.UTF-8|");
  // Descriptor 4 is the script that the scripted broker itself has open.
  EXPECT_EQ(bed::reported("descriptors"), "0c|1c|2c|3s|4?|");
  // The sanitizers' own handlers would be seen in the scripted broker.
  if (OIDC_TEST_SANITIZED == 0) EXPECT_EQ(bed::reported("not_default"), "");
  EXPECT_EQ(bed::reported("blocked"), "");
  EXPECT_EQ(bed::reported("cwd"), "/");
  EXPECT_EQ(bed::reported("leader"), "yes");
  EXPECT_EQ(bed::reported("uids"), "0 0 0");
}

// K15: in sudo and su the real user is the person's.
TEST(K15_the_person_who_called_sudo_does_not_own_the_broker) {
  EXPECT_EQ(::setresuid(1001, 0, 0), 0);
  bed::script(std::string("facts\n") + bed::grants);
  App app("sudo");
  const int code = app.authenticate();
  uid_t real = 0, effective = 0, saved = 0;
  ::getresuid(&real, &effective, &saved);
  EXPECT_EQ(::setresuid(0, 0, 0), 0);
  EXPECT_EQ(code, PAM_SUCCESS);
  EXPECT_EQ(bed::reported("uids"), "0 0 0");
  EXPECT(real == 1001 && effective == 0 && saved == 0);
}

}  // namespace
