// SPDX-License-Identifier: Apache-2.0
#include "module/credentials.h"

#include "module/consult.h"
#include "module/local_groups.h"
#include "module/log.h"
#include "module/login.h"
#include "module/remembered.h"
#include "module/status.h"

namespace module {
namespace {

using base::Outcome;

/// The next name of a list with commas between, taken off its front.
std::string_view take_name(std::string_view& list) {
  std::size_t size = 0;
  while (size < list.size() && list[size] != ',') ++size;
  const std::string_view name(list.data(), size);
  const std::size_t taken = size < list.size() ? size + 1 : size;
  list = {list.data() + taken, list.size() - taken};
  return name;
}

std::size_t count_names(std::string_view list) {
  std::size_t count = list.empty() ? 0 : 1;
  for (const char c : list) count += c == ',' ? 1U : 0U;
  return count;
}

/// Each refused group is logged once in a login, though sshd and login(1) come here twice.
Result<> join(const pam_handle_t* pamh, const Login& login, Remembered& granted) {
  const auto lookup = GroupLookup::create();
  if (!lookup) return failure_of(lookup);
  auto groups = Supplementary::read(count_names(granted.groups.view()));
  if (!groups) return failure_of(groups);
  for (std::string_view list = granted.groups.view(); !list.empty();) {
    const auto number = lookup->joinable(take_name(list));
    if (number)
      groups->add(*number);
    else if (!granted.groups_reported)
      log_mistake(pamh, "credentials", login, number.error());
  }
  granted.groups_reported = true;
  return groups->apply();
}

/// In another process than the authentication: what it was granted is asked for.
Result<> ask_for_groups(pam_handle_t* pamh, const Login& login, std::string_view provider,
                        Remembered& granted) {
  const auto account = look_up(login.user.c_str());
  if (!account) return failure_of(account);
  granted.uid = account->uid;
  const auto packet = Packet::create();
  if (!packet) return failure_of(packet);
  const auto decision =
      consult({ipc::Phase::credentials, login, *account, provider, limits::to_begin},
              Conversation(pamh, /*silent=*/true), *packet);
  if (!decision) return failure_of(decision);
  if (decision->outcome == Outcome::granted) granted.groups.assign_cut(packet->verdict_groups());
  return {};
}

Result<> establish(pam_handle_t* pamh, Login& login, Arguments arguments, Hint hint) {
  // Without random bytes the id is zeros, which is no reason to go without groups.
  static_cast<void>(describe(pamh, login).has_value());
  Remembered* granted = recall_granted(pamh);
  if (granted == nullptr && hint != Hint::none && !login.user.empty()) {
    const auto options = parse_options(arguments, Line::auth);
    if (!options) return failure_of(options);
    Remembered fresh;
    fresh.user = login.user;
    fresh.service = login.service;
    fresh.attempt = login.attempt;
    Result<> asked;
    if (hint == Hint::granted_with_groups)
      asked = ask_for_groups(pamh, login, options->provider, fresh);
    // Whatever came of it: the beginning of the session asks for itself.
    if (auto remembered = remember(pamh, Source::credentials, fresh); !remembered)
      return failure_of(remembered);
    if (!asked) return failure_of(asked);
    granted = recall_granted(pamh);
  }
  // sudo names the account that the command runs as by now: that is another one's login.
  if (granted == nullptr || granted->groups.empty()) return {};
  login.attempt = granted->attempt;
  return join(pamh, login, *granted);
}

}  // namespace

int set_credentials(pam_handle_t* pamh, unsigned flags, Arguments arguments) {
  const Hint hint = take_hint(pamh);
  // Groups end with the processes that have them.
  if ((flags & unsigned{PAM_DELETE_CRED}) == 0) {
    Login login;
    if (auto established = establish(pamh, login, arguments, hint); !established)
      log_mistake(pamh, "credentials", login, established.error());
  }
  return pam_code(Phase::account, Outcome::granted);
}

}  // namespace module
