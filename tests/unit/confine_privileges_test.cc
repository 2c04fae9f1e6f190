// SPDX-License-Identifier: Apache-2.0
#include "confine/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "support/caged.h"
#include "support/cmocka_cc.h"

using test::child_ends_with;
using test::need_root;
using test::stranger;

namespace {

constexpr confine::Limits few_of_each{
    .cpu_seconds = 30,
    .open_files = 64,
    .file_bytes = 1 << 20,
    .data_bytes = 96 << 20,
    .life = std::chrono::seconds{60},
};

}  // namespace

// K10: nothing is left of root.
TEST(K10_root_becomes_the_system_user_for_good) {
  need_root();
  EXPECT_EQ(child_ends_with([] {
              const gid_t groups[] = {0, 4, 42};
              if (::setgroups(3, groups) != 0) return 1;
              if (!confine::become(stranger)) return 2;
              uid_t real = 0, effective = 0, saved = 0;
              ::getresuid(&real, &effective, &saved);
              if (real != stranger.uid || effective != real || saved != real) return 3;
              ::getresgid(&real, &effective, &saved);
              if (real != stranger.gid || effective != real || saved != real) return 4;
              if (::getgroups(0, nullptr) != 0) return 5;
              if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0) return 6;
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              __user_cap_data_struct sets[2] = {};
              if (::syscall(SYS_capget, &header, sets) != 0) return 7;
              for (const auto& set : sets)
                if ((set.effective | set.permitted | set.inheritable) != 0) return 8;
              return ::prctl(PR_GET_DUMPABLE) == 0 ? 0 : 9;
            }),
            0);
}

// K15: sudo's process has the caller as its real user; none of it is left.
TEST(K15_a_setuid_application_leaves_no_identity_of_its_caller) {
  need_root();
  EXPECT_EQ(child_ends_with([] {
              if (::setresuid(2001, 0, 0) != 0 || !confine::become(stranger)) return 1;
              uid_t real = 0, effective = 0, saved = 0;
              ::getresuid(&real, &effective, &saved);
              return real == stranger.uid && effective == real && saved == real ? 0 : 2;
            }),
            0);
}

TEST(an_application_without_root_keeps_one_identity) {
  need_root();
  EXPECT_EQ(child_ends_with([] {
              if (::setresgid(2001, 2001, 2002) != 0 || ::setresuid(2001, 2001, 2002) != 0)
                return 1;
              if (!confine::become({})) return 2;
              uid_t real = 0, effective = 0, saved = 0;
              ::getresuid(&real, &effective, &saved);
              if (real != 2001 || effective != 2001 || saved != 2001) return 3;
              ::getresgid(&real, &effective, &saved);
              return real == 2001 && effective == 2001 && saved == 2001 ? 0 : 4;
            }),
            0);
}

TEST(the_system_user_is_never_root) {
  const auto user = confine::find_system_user();
  if (!user) {  // a machine on which nothing was installed
    EXPECT_REASON(user, sandbox);
    return;
  }
  EXPECT(user->uid != 0 && user->gid != 0);
}

// K14: nobody reads the memory, and no core is written.
TEST(K14_limits_are_set_and_lower_ones_are_kept) {
  EXPECT_EQ(child_ends_with([] {
              const rlimit few{20, 20};
              if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
              if (!confine::limit_this_process(few_of_each)) return 2;
              rlimit limit{};
              ::getrlimit(RLIMIT_CORE, &limit);
              if (limit.rlim_cur != 0 || limit.rlim_max != 0) return 3;
              ::getrlimit(RLIMIT_NOFILE, &limit);
              if (limit.rlim_cur != 20 || limit.rlim_max != 20) return 4;
              ::getrlimit(RLIMIT_DATA, &limit);
              if (limit.rlim_max > few_of_each.data_bytes) return 5;
              if (::prctl(PR_GET_DUMPABLE) != 0) return 6;
              return ::umask(0) == 077 ? 0 : 7;
            }),
            0);
}
