// SPDX-License-Identifier: Apache-2.0
#include "fetch/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine/landlock.h"
#include "confine/privileges.h"
#include "confine/system_calls.h"
#include "fetch/limits.h"

namespace fetch {
namespace {

using confine::Access;
using confine::argument_is;

const confine::OpenPath may_open[] = {
    {"/etc/resolv.conf", Access::read_file},
    {"/etc/hosts", Access::read_file},
    {"/etc/host.conf", Access::read_file},
    {"/etc/nsswitch.conf", Access::read_file},
    {"/etc/gai.conf", Access::read_file},
    {"/etc/services", Access::read_file},
    {"/etc/protocols", Access::read_file},
    {"/etc/localtime", Access::read_file},
    {"/etc/ld.so.cache", Access::read_file},
    {"/etc/ssl", Access::read_tree},
    {"/etc/pki", Access::read_tree},
    {"/etc/crypto-policies", Access::read_tree},
    {"/usr/share/ca-certificates", Access::read_tree},
    {"/usr/local/share/ca-certificates", Access::read_tree},
    {"/var/lib/ca-certificates", Access::read_tree},
    {"/usr/share/zoneinfo", Access::read_tree},
    {"/usr/lib", Access::read_tree},
    {"/usr/lib64", Access::read_tree},
    {"/lib", Access::read_tree},
    {"/lib64", Access::read_tree},
    {"/run/systemd/resolve", Access::read_tree},  // resolv.conf is often a link to here
    {"/run/NetworkManager/resolv.conf", Access::read_file},
    {"/run/resolvconf", Access::read_tree},
    {"/dev/null", Access::read_write},
    {"/dev/urandom", Access::read_file},
};

constexpr const char* network[] = {
    "connect",    "bind",          "sendmmsg",  "recvmmsg",   "getsockname", "getpeername",
    "getsockopt", "setsockopt",    "pipe",      "pipe2",      "eventfd2",    "select",
    "pselect6",   "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
};

base::Result<> filter_system_calls() {
  confine::SystemCallFilter filter;
  filter.allow(network);
  // Threads yes (curl's resolver has one), processes no.  clone3 hides its flags from us: with
  // ENOSYS the C library uses clone.
  filter.allow("clone", {0, CLONE_THREAD, CLONE_THREAD});
  filter.kill("clone", {0, CLONE_THREAD, 0});
  filter.refuse("clone3", ENOSYS);
  // Only the internet, and netlink for the resolver's question which addresses this host has.  A
  // unix socket is an error and not death: the C library asks nscd first and goes on without.
  filter.allow("socket", argument_is(0, AF_INET));
  filter.allow("socket", argument_is(0, AF_INET6));
  filter.allow("socket", argument_is(0, AF_NETLINK));
  filter.refuse("socket", EACCES, argument_is(0, AF_UNIX));
  filter.allow("socketpair", argument_is(0, AF_UNIX));
  filter.allow("ioctl", argument_is(1, 0x5421 /* FIONBIO */));
  filter.allow("ioctl", argument_is(1, 0x541B /* FIONREAD */));
  return filter.load();
}

}  // namespace

base::Result<> enter_sandbox() {
  // Whoever starts it has become the system user, or was an ordinary one.
  if (getuid() == 0 || geteuid() == 0)
    return base::fail(base::Reason::sandbox, "pam-oidc-fetch was started as root");
  RETURN_IF_ERROR(confine::limit_this_process(process_limits));
  RETURN_IF_ERROR(confine::become({}));
  RETURN_IF_ERROR(confine::gain_no_rights());
  RETURN_IF_ERROR(confine::restrict_files(may_open));
  return filter_system_calls();
}

}  // namespace fetch
