// SPDX-License-Identifier: Apache-2.0
#include "client/channel.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "client/token.h"

namespace client {
namespace {

using base::fail;
using base::Reason;

constexpr char version = 1;
constexpr std::size_t max_prompt = 128 * 1024;  // the longest argument that Linux passes on
constexpr std::size_t question_head = 1 + sizeof(pid_t);
constexpr std::size_t reply_head = 2;

base::Unexpected<base::Error> system_failure(const char* call) {
  return fail(Reason::sys_error, std::string(call) + ": " + std::strerror(errno));
}

base::Result<> send_packet(int connection, std::string_view head, std::string_view text) {
  struct iovec parts[] = {{const_cast<char*>(head.data()), head.size()},
                          {const_cast<char*>(text.data()), text.size()}};
  struct msghdr message {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t sent = 0;
  do sent = ::sendmsg(connection, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_failure("send");
  return {};
}

// The packet's size; what does not fit is refused, not cut.
base::Result<std::size_t> receive_packet(int connection, std::vector<char>& buffer) {
  ssize_t got = 0;
  do got = ::recv(connection, buffer.data(), buffer.size(), MSG_TRUNC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return system_failure("receive");
  const auto size = static_cast<std::size_t>(got);
  if (size > buffer.size() || size < 2 || buffer[0] != version)
    return fail(Reason::broker_proto, "a message that is not understood");
  return size;
}

}  // namespace

bool is_own_peer(int connection) {
  struct ucred peer {};
  socklen_t size = sizeof peer;
  return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.uid == ::geteuid();
}

base::Result<> send_question(int connection, const Question& question) {
  char head[question_head] = {version};
  std::memcpy(head + 1, &question.asker, sizeof question.asker);
  return send_packet(connection, {head, sizeof head}, question.prompt);
}

base::Result<Question> receive_question(int connection) {
  std::vector<char> buffer(question_head + max_prompt);
  ASSIGN_OR_RETURN(const std::size_t size, receive_packet(connection, buffer));
  if (size < question_head) return fail(Reason::broker_proto, "a message that is too short");
  Question question;
  std::memcpy(&question.asker, buffer.data() + 1, sizeof question.asker);
  question.prompt.assign(buffer.data() + question_head, size - question_head);
  return question;
}

base::Result<> send_reply(int connection, bool is_part, std::string_view text) {
  const char head[reply_head] = {version, static_cast<char>(is_part ? 1 : 0)};
  return send_packet(connection, {head, sizeof head}, text);
}

base::Result<Reply> receive_reply(int connection) {
  std::vector<char> buffer(reply_head + max_token_bytes);
  ASSIGN_OR_RETURN(const std::size_t size, receive_packet(connection, buffer));
  Reply reply;
  reply.is_part = buffer[1] == 1;
  reply.text = base::Secret::copy_of({buffer.data() + reply_head, size - reply_head});
  explicit_bzero(buffer.data(), buffer.size());
  return reply;
}

base::Result<base::UniqueFd> connect_to(const std::string& path, std::chrono::seconds patience) {
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Reason::sys_error, path + " is too long");
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  base::UniqueFd connection(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!connection) return system_failure("socket");
  set_patience(connection.get(), patience);
  if (::connect(connection.get(), reinterpret_cast<const struct sockaddr*>(&address),
                sizeof address) != 0)
    return fail(Reason::sys_error, path + ": " + std::strerror(errno));
  return connection;
}

void set_patience(int connection, std::chrono::seconds patience) {
  const struct timeval span = {static_cast<time_t>(patience.count()), 0};
  static_cast<void>(::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span));
  static_cast<void>(::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &span, sizeof span));
}

}  // namespace client
