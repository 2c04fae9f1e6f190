// SPDX-License-Identifier: Apache-2.0
#include "broker/sandbox.h"

#include <errno.h>
#include <sys/socket.h>

#include <vector>

#include "confine/system_calls.h"

namespace broker {
namespace {

using confine::Access;
using confine::argument_is;

// Besides what every process of ours needs: files of its own, which it makes and replaces as a
// whole.
constexpr const char* allowed[] = {
    "pwrite64",  "flock",  "fsync",    "fdatasync", "ftruncate", "rename", "renameat",
    "renameat2", "unlink", "unlinkat", "link",      "linkat",    "fchmod",
};

// There is no network here, no thread, and no other process to talk to but those who are connected.
base::Result<> filter_system_calls() {
  confine::SystemCallFilter filter;
  filter.allow(allowed);
  filter.kill("clone");
  filter.kill("clone3");
  for (const int family : {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET})
    filter.kill("socket", argument_is(0, static_cast<unsigned>(family)));
  // An error and not death: syslog(3) would connect anew when the log's daemon was restarted.
  filter.refuse("socket", EACCES, argument_is(0, AF_UNIX));
  return filter.load();
}

}  // namespace

base::Result<> restrict_worker_files(std::span<const confine::OpenPath> own) {
  std::vector<confine::OpenPath> may_open = {
      // syslog(3) writes local time.
      {"/etc/localtime", Access::read_file},
      {"/usr/share/zoneinfo", Access::read_tree},
      {"/dev/null", Access::read_write},
      {"/dev/urandom", Access::read_file},
  };
  may_open.insert(may_open.end(), own.begin(), own.end());
  return confine::restrict_files(may_open);
}

base::Result<> enter_sandbox(std::span<const confine::OpenPath> own) {
  RETURN_IF_ERROR(confine::gain_no_rights());
  RETURN_IF_ERROR(restrict_worker_files(own));
  return filter_system_calls();
}

}  // namespace broker
