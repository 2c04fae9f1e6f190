// SPDX-License-Identifier: Apache-2.0
#include "module/session.h"

#include "module/consult.h"
#include "module/log.h"
#include "module/login.h"
#include "module/remembered.h"
#include "module/status.h"

namespace module {
namespace {

using base::Outcome;

Result<Outcome> tell_broker(ipc::Phase phase, pam_handle_t* pamh, const Login& login,
                            const AccountFacts& account, const Options& options,
                            std::chrono::seconds patience) {
  const auto packet = Packet::create();
  if (!packet) return failure_of(packet);
  const auto decision = consult({phase, login, account, options.provider, patience},
                                Conversation(pamh, /*silent=*/true), *packet);
  if (!decision) return failure_of(decision);
  if (options.debug) log_debug(pamh, login, "verdict ", base::word(decision->reason));
  return decision->outcome;
}

Result<> open(pam_handle_t* pamh, Arguments arguments, Login& login) {
  // Without random bytes the id is zeros, which is no reason to go without a session.
  static_cast<void>(describe(pamh, login).has_value());
  const Hint hint = take_hint(pamh);
  const Remembered* const granted = recall_granted(pamh);
  if (granted != nullptr) login.attempt = granted->attempt;
  const auto options = parse_options(arguments, Line::session);
  if (!options) return failure_of(options);
  if (login.user.empty() || (granted == nullptr && hint == Hint::none)) {
    if (options->debug) log_debug(pamh, login, "session not ours: ignored");
    return {};
  }
  const auto account = look_up(login.user.c_str());
  if (!account) return failure_of(account);
  const auto outcome =
      tell_broker(ipc::Phase::open_session, pamh, login, *account, *options, limits::to_begin);
  if (!outcome) return failure_of(outcome);
  if (*outcome != Outcome::granted) return {};
  Remembered opened;
  opened.user = login.user;
  opened.service = login.service;
  opened.attempt = login.attempt;
  opened.uid = account->uid;
  return remember(pamh, Source::session, opened);
}

Result<> close(pam_handle_t* pamh, Arguments arguments, Login& login) {
  static_cast<void>(describe(pamh, login).has_value());
  const Remembered* const opened = recall(pamh, Source::session);
  if (opened == nullptr) return {};
  // As it was when the session began: the account may be gone by now, and PAM_USER another's.
  login.user = opened->user;
  login.attempt = opened->attempt;
  const AccountFacts account{opened->uid != ipc::no_uid, opened->uid};
  // Once, however it goes.
  forget(pamh, Source::session);
  const auto options = parse_options(arguments, Line::session);
  const auto outcome = tell_broker(ipc::Phase::close_session, pamh, login, account,
                                   options ? *options : Options{}, limits::to_hand_over);
  return outcome ? Result<>() : failure_of(outcome);
}

int never_in_the_way(pam_handle_t* pamh, const Login& login, const Result<>& done) {
  if (!done) log_mistake(pamh, "session", login, done.error());
  return pam_code(Phase::account, Outcome::granted);
}

}  // namespace

int open_session(pam_handle_t* pamh, Arguments arguments) {
  Login login;
  return never_in_the_way(pamh, login, open(pamh, arguments, login));
}

int close_session(pam_handle_t* pamh, Arguments arguments) {
  Login login;
  return never_in_the_way(pamh, login, close(pamh, arguments, login));
}

}  // namespace module
