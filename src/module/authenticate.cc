// SPDX-License-Identifier: Apache-2.0
#include "module/authenticate.h"

#include "module/account_facts.h"
#include "module/broker.h"
#include "module/consult.h"
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

/// What the broker may do in this authentication.
std::uint8_t flags_of(const Options& options, const Login& login, const Conversation& conversation,
                      unsigned flags) {
  std::uint8_t said = 0;
  const auto set = [&said](bool condition, std::uint8_t flag) {
    if (condition) said = static_cast<std::uint8_t>(said | flag);
  };
  set((flags & PAM_SILENT) != 0, ipc::flag_silent);
  set((flags & PAM_DISALLOW_NULL_AUTHTOK) != 0, ipc::flag_disallow_null);
  set(shows_text_at_once(options, login.service.view()), ipc::flag_text_at_once);
  set(conversation.is_available(), ipc::flag_can_converse);
  set(options.first_pass != FirstPass::ignored && conversation.kept_answer() != nullptr,
      ipc::flag_first_pass);
  set(options.first_pass == FirstPass::only, ipc::flag_ask_nobody);
  return said;
}

/// What the person reads: the reason is for the log, which the reference finds.
void apologize(const Conversation& conversation, const Login& login) {
  char text[] = "Sign-in is not possible right now (reference 0123456789abcdef).";
  constexpr std::size_t reference_at = sizeof "Sign-in is not possible right now (reference " - 1;
  std::memcpy(text + reference_at, login.attempt.view().data(), login.attempt.view().size());
  conversation.show(ipc::Style::error, text, sizeof text - 1);
}

/// What the phases after this one go by.
Result<> keep(pam_handle_t* pamh, const Login& login, const AccountFacts& account,
              const ConfigFacts& config, std::string_view groups) {
  Remembered granted;
  granted.user = login.user;
  granted.service = login.service;
  granted.attempt = login.attempt;
  granted.uid = account.uid;
  granted.config = config;
  granted.groups.assign_cut(groups);
  if (auto hinted = leave_hint(pamh, groups.empty() ? Hint::granted : Hint::granted_with_groups);
      !hinted)
    return failure_of(hinted);
  return remember(pamh, Source::authentication, granted);
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
  // Before the broker reads the file: should it change just then, the account phase asks again.
  const ConfigFacts config = read_config_facts();
  auto broker = Broker::start();
  if (!broker) return failure_of(broker);
  if (options.debug) log_debug(pamh, login, "the broker was started");

  const KernelSession session = read_kernel_session();
  ipc::Begin begin = begin_of(ipc::Phase::authenticate, login, *account, session, options.timeout);
  begin.flags =
      static_cast<std::uint8_t>(begin.flags | flags_of(options, login, conversation, flags));
  begin.provider = options.provider;
  const auto decision = converse(broker->channel(), *packet, conversation, begin);
  if (!decision) return failure_of(decision);
  broker->leave(*decision);
  if (options.debug) log_debug(pamh, login, "verdict ", base::word(decision->reason));

  switch (decision->outcome) {
    case Outcome::granted:
      // An account that does not exist cannot be granted to anybody.
      if (!account->exists)
        return fail(base::Reason::map_no_local_user, "granted without a local account");
      if (auto same = require_same_user(pamh, login.user.view()); !same) return failure_of(same);
      if (auto kept = keep(pamh, login, *account, config, packet->verdict_groups()); !kept)
        return failure_of(kept);
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
  // A second authentication begins with nothing, however it ends.
  forget(pamh, Source::authentication);
  forget(pamh, Source::credentials);
  static_cast<void>(take_hint(pamh));
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
