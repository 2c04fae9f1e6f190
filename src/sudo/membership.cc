// SPDX-License-Identifier: Apache-2.0
#include "sudo/membership.h"

#include <unistd.h>

#include "module/deadline.h"
#include "module/kernel_session.h"
#include "module/limits.h"

namespace sudo {
namespace {

using base::Reason;
using module::Arrival;
using module::fail;
using module::failure_of;

constexpr std::string_view service = "sudo";

}  // namespace

Result<Membership> Membership::begin(const Person& person) {
  auto packet = module::Packet::create();
  if (!packet) return failure_of(packet);
  auto broker = module::Broker::start();
  if (!broker) return failure_of(broker);

  const module::KernelSession session = module::read_kernel_session();
  char host[ipc::max_host + 1] = {};
  // A name that does not fit is cut, and the error then says nothing that matters.
  static_cast<void>(::gethostname(host, sizeof host - 1));
  module::make_printable(host, std::string_view(host).size());
  ipc::Begin begin;
  begin.phase = ipc::Phase::groups;
  begin.flags = ipc::flag_account_exists;
  begin.seconds = static_cast<std::uint16_t>(module::limits::between_questions.count());
  begin.uid = person.uid;
  begin.audit_session = session.audit_session;
  begin.attempt = person.attempt.view();
  begin.service = service;
  begin.user = person.user.view();
  begin.host = host;
  begin.processes = session.processes.view();
  begin.leader = session.leader.view();
  const std::size_t size = ipc::encode(begin, packet->bytes());
  if (size == 0) return fail(Reason::broker_proto, "the question cannot be put into a message");
  if (auto sent = broker->channel().send(packet->bytes().first(size)); !sent)
    return failure_of(sent);
  return Membership(*std::move(broker), *std::move(packet));
}

Result<bool> Membership::ask(std::string_view group) const {
  // Said before it was asked, it would be taken for the answer to another question.
  const auto early =
      broker_.channel().receive(packet_.bytes(), module::Deadline::after(std::chrono::seconds{0}));
  if (!early) return failure_of(early);
  if (early->arrival == Arrival::closed)
    return fail(Reason::broker_down, "it ended between two questions");
  if (early->arrival != Arrival::silence)
    return fail(Reason::broker_proto, "an answer that nobody had asked for");
  const std::size_t size = ipc::encode(ipc::Member{group}, packet_.bytes());
  // Longer than a distinguished name may be: nobody is in such a group.
  if (size == 0) return false;
  if (auto sent = broker_.channel().send(packet_.bytes().first(size)); !sent)
    return failure_of(sent);
  const auto until = module::Deadline::after(module::limits::to_say_member);
  const auto received = broker_.channel().receive(packet_.bytes(), until);
  if (!received) return failure_of(received);
  switch (received->arrival) {
    case Arrival::packet: break;
    case Arrival::oversized: return fail(Reason::broker_proto, "an oversized packet");
    case Arrival::closed: return fail(Reason::broker_down, "it ended without an answer");
    case Arrival::silence: return fail(Reason::broker_down, "no answer in time");
  }
  ipc::Membership membership;
  if (ipc::type_of(received->packet) != ipc::Type::membership)
    return fail(Reason::broker_proto, "a message that is not permitted");
  if (!ipc::decode(received->packet, membership))
    return fail(Reason::broker_proto, "a malformed membership");
  return membership.is_member;
}

}  // namespace sudo
