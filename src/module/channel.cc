// SPDX-License-Identifier: Apache-2.0
#include "module/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

namespace module {
namespace {

bool is_gone(int error) { return error == EPIPE || error == ECONNRESET || error == ENOTCONN; }

}  // namespace

Result<base::UniqueFd> above_standard(base::UniqueFd descriptor) {
  if (descriptor.get() > 2) return descriptor;
  base::UniqueFd moved(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved) return fail_by_errno("fcntl", errno);
  return moved;
}

Result<std::pair<Channel, base::UniqueFd>> Channel::create() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_by_errno("socketpair", errno);
  base::UniqueFd theirs(ends[1]);
  auto ours = above_standard(base::UniqueFd(ends[0]));
  if (!ours) return failure_of(ours);
  // recvmsg(2) gives 0 for an empty packet and for a closed socket.  Only a packet has a time.
  const int on = 1;
  if (::setsockopt(ours->get(), SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on) != 0)
    return fail_by_errno("setsockopt", errno);
  return std::pair<Channel, base::UniqueFd>(Channel(*std::move(ours)), std::move(theirs));
}

Result<> Channel::send(std::span<const std::byte> packet) const {
  ssize_t sent = -1;
  // What a login sends fits into the socket's buffer at any time, so this never needs to wait.
  do sent = ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && !is_gone(errno)) return fail_by_errno("send", errno);
  return {};
}

Result<Received> Channel::receive(std::span<std::byte> buffer, Deadline until) const {
  for (;;) {
    // Room for the time and for nothing else: the kernel itself closes a passed descriptor then.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timeval))];
    iovec vector{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got >= 0) {
      if (got == 0 && message.msg_controllen == 0) return Received{Arrival::closed, {}};
      if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return Received{Arrival::oversized, {}};
      return Received{Arrival::packet, buffer.first(static_cast<std::size_t>(got))};
    }
    // A broker that ends with something unread resets the connection.  The kernel says that once,
    // before it hands out what the broker had sent until then.
    if (errno == EINTR || errno == ECONNRESET) continue;
    if (errno != EAGAIN) return fail_by_errno("recvmsg", errno);
    const milliseconds left = until.left();
    if (left == milliseconds{0}) return Received{Arrival::silence, {}};
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return fail_by_errno("poll", errno);
  }
}

}  // namespace module
