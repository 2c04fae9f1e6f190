// SPDX-License-Identifier: Apache-2.0
#include "confine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace confine {
namespace {

base::Unexpected<base::Error> failed(const char* call) {
  return base::fail(base::Reason::sandbox, std::string(call) + ": " + strerror(errno));
}

bool set_limit(__rlimit_resource resource, rlim_t value) {
  // A limit that is already lower stays.
  rlimit now{};
  if (getrlimit(resource, &now) != 0) return false;
  const rlim_t wanted = now.rlim_max < value ? now.rlim_max : value;
  const rlimit limit{wanted, wanted};
  return setrlimit(resource, &limit) == 0;
}

}  // namespace

base::Result<> limit_this_process(const Limits& limits) {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("prctl(PR_SET_DUMPABLE)");
  if (!set_limit(RLIMIT_CORE, 0) || !set_limit(RLIMIT_CPU, limits.cpu_seconds) ||
      !set_limit(RLIMIT_NOFILE, limits.open_files) || !set_limit(RLIMIT_FSIZE, limits.file_bytes) ||
      !set_limit(RLIMIT_DATA, limits.data_bytes))
    return failed("setrlimit");
  umask(077);
  if (chdir("/") != 0) return failed("chdir");
  // Ended by the kernel at last, whatever happens to the straight line of a login.
  alarm(static_cast<unsigned>(limits.life.count()));
  return {};
}

base::Result<SystemUser> find_system_user() {
  errno = 0;
  const passwd* entry = getpwnam(OIDC_BROKER_USER);
  if (entry == nullptr)
    return base::fail(base::Reason::sandbox, "the system user " OIDC_BROKER_USER " does not exist");
  if (entry->pw_uid == 0 || entry->pw_gid == 0)
    return base::fail(base::Reason::sandbox, "the system user " OIDC_BROKER_USER " is root");
  return SystemUser{entry->pw_uid, entry->pw_gid};
}

base::Result<> become(const SystemUser& user) {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  if (getresuid(&real, &effective, &saved) != 0) return failed("getresuid");
  if (real != 0 && effective != 0 && saved != 0) {
    // Not root: one identity only, whatever a setuid application had as its saved one.
    if (setresgid(getgid(), getgid(), getgid()) != 0) return failed("setresgid");
    if (setresuid(real, real, real) != 0) return failed("setresuid");
    return {};
  }
  if (setresuid(0, 0, 0) != 0) return failed("setresuid");
  if (setgroups(0, nullptr) != 0) return failed("setgroups");
  if (setresgid(user.gid, user.gid, user.gid) != 0) return failed("setresgid");
  if (setresuid(user.uid, user.uid, user.uid) != 0) return failed("setresuid");
  if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
    return base::fail(base::Reason::sandbox, "root could be had back");
  // The change of uid may have set it to what the system says for setuid programs.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("prctl(PR_SET_DUMPABLE)");
  return {};
}

}  // namespace confine
