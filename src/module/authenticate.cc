// SPDX-License-Identifier: Apache-2.0
#include "module/authenticate.h"

#include "module/account_facts.h"
#include "module/broker.h"
#include "module/conversation.h"
#include "module/dialogue.h"
#include "module/log.h"
#include "module/login.h"
#include "module/packet.h"
#include "module/remembered.h"
#include "module/status.h"

namespace module {
namespace {

using base::Outcome;

ipc::Begin begin_of(const Login& login, const AccountFacts& account, const Options& options,
                    const Conversation& conversation, unsigned flags) {
  ipc::Begin begin;
  const auto set = [&begin](bool condition, std::uint8_t flag) {
    if (condition) begin.flags = static_cast<std::uint8_t>(begin.flags | flag);
  };
  set((flags & PAM_SILENT) != 0, ipc::flag_silent);
  set((flags & PAM_DISALLOW_NULL_AUTHTOK) != 0, ipc::flag_disallow_null);
  set(shows_text_at_once(options, login.service.view()), ipc::flag_text_at_once);
  set(conversation.is_available(), ipc::flag_can_converse);
  set(account.exists, ipc::flag_account_exists);
  set(options.first_pass != FirstPass::ignored && conversation.kept_answer() != nullptr,
      ipc::flag_first_pass);
  set(options.first_pass == FirstPass::only, ipc::flag_ask_nobody);
  begin.seconds = static_cast<std::uint16_t>(options.timeout.count());
  begin.uid = account.uid;
  begin.attempt = login.attempt.view();
  begin.service = login.service.view();
  begin.user = login.user.view();
  begin.rhost = login.rhost.view();
  begin.tty = login.tty.view();
  begin.ruser = login.ruser.view();
  begin.host = login.host.view();
  begin.provider = options.provider;
  return begin;
}

/// What the person reads: the reason is for the log, which the reference finds.
void apologize(const Conversation& conversation, const Login& login) {
  char text[] = "Sign-in is not possible right now (reference 0123456789abcdef).";
  constexpr std::size_t reference_at = sizeof "Sign-in is not possible right now (reference " - 1;
  std::memcpy(text + reference_at, login.attempt.view().data(), login.attempt.view().size());
  conversation.show(ipc::Style::error, text, sizeof text - 1);
}

/// The login, a step a line.  Every failure is one that the broker has not decided.
Result<Outcome> decide(pam_handle_t* pamh, unsigned flags, Arguments arguments,
                       const Conversation& conversation, Login& login, Options& options) {
  if (auto described = describe(pamh, login); !described) return failure_of(described);
  auto parsed = parse_options(arguments, Line::auth);
  if (!parsed) return failure_of(parsed);
  options = *parsed;
  if (auto named = require_names(pamh, login); !named) return failure_of(named);

  // An account that does not exist goes the same way, for the same text and time.
  const auto account = look_up(login.user.c_str());
  if (!account) return failure_of(account);
  const auto packet = Packet::create();
  if (!packet) return failure_of(packet);
  auto broker = Broker::start();
  if (!broker) return failure_of(broker);
  if (options.debug) log_debug(pamh, login, "the broker was started");

  const auto decision = converse(broker->channel(), *packet, conversation,
                                 begin_of(login, *account, options, conversation, flags));
  if (!decision) return failure_of(decision);
  broker->leave();
  if (options.debug) log_debug(pamh, login, "verdict ", base::word(decision->reason));

  switch (decision->outcome) {
    case Outcome::granted:
      // An account that does not exist cannot be granted to anybody.
      if (!account->exists)
        return fail(base::Reason::map_no_local_user, "granted without a local account");
      if (auto same = require_same_user(pamh, login.user.view()); !same) return failure_of(same);
      if (auto remembered = remember(pamh, login); !remembered) return failure_of(remembered);
      break;
    case Outcome::not_ours:
      if (auto same = require_same_user(pamh, login.user.view()); !same) return failure_of(same);
      break;
    case Outcome::refused:
    case Outcome::forbidden:
    case Outcome::unavailable:
    case Outcome::unknown_user:
    case Outcome::max_tries:
    case Outcome::conversation:
      conversation.show(ipc::Style::error, packet->verdict_text(), packet->verdict_text_size());
      break;
  }
  return decision->outcome;
}

}  // namespace

int authenticate(pam_handle_t* pamh, unsigned flags, Arguments arguments) {
  forget(pamh);
  const char* const service = item(pamh, PAM_SERVICE);
  if (service != nullptr && is_never_silent(service)) flags &= ~unsigned{PAM_SILENT};
  const Conversation conversation(pamh, (flags & PAM_SILENT) != 0);
  Login login;
  Options options;
  const auto outcome = decide(pamh, flags, arguments, conversation, login, options);
  if (outcome) return pam_code(Phase::authentication, *outcome);
  log_denial(pamh, "login", login, options.provider, outcome.error());
  apologize(conversation, login);
  return pam_code(Phase::authentication, outcome.error().outcome);
}

}  // namespace module
