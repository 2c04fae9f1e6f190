// SPDX-License-Identifier: Apache-2.0
#include "module/consult.h"

#include "module/broker.h"

namespace module {

ipc::Begin begin_of(ipc::Phase phase, const Login& login, const AccountFacts& account,
                    const KernelSession& session, std::chrono::seconds patience) {
  ipc::Begin begin;
  begin.phase = phase;
  begin.flags = account.exists ? ipc::flag_account_exists : std::uint8_t{0};
  begin.seconds = static_cast<std::uint16_t>(patience.count());
  begin.uid = account.uid;
  begin.audit_session = session.audit_session;
  begin.attempt = login.attempt.view();
  begin.service = login.service.view();
  begin.user = login.user.view();
  begin.rhost = login.rhost.view();
  begin.tty = login.tty.view();
  begin.ruser = login.ruser.view();
  begin.host = login.host.view();
  begin.processes = session.processes.view();
  begin.leader = session.leader.view();
  return begin;
}

Result<Decision> consult(const Question& question, const Conversation& conversation,
                         const Packet& packet) {
  auto broker = Broker::start();
  if (!broker) return failure_of(broker);
  const KernelSession session = read_kernel_session();
  ipc::Begin begin =
      begin_of(question.phase, question.login, question.account, session, question.patience);
  begin.provider = question.provider;
  if (conversation.is_available())
    begin.flags = static_cast<std::uint8_t>(begin.flags | ipc::flag_can_converse);
  auto decision = converse(broker->channel(), packet, conversation, begin);
  if (question.phase == ipc::Phase::close_session)
    broker->part();
  else if (decision)
    broker->leave(*decision);
  return decision;
}

}  // namespace module
