// SPDX-License-Identifier: Apache-2.0
#include "client/source.h"

#include <utility>

#include "client/client_credentials.h"
#include "client/command.h"
#include "client/environment.h"
#include "client/private_file.h"

namespace client {
namespace {

using base::fail;
using base::Reason;
using std::chrono::seconds;

constexpr seconds command_time{30};
constexpr seconds provider_time{20};  // two requests of at most 10 s: discovery and token
constexpr std::size_t max_file = 64 * 1024;

base::Result<Token> from_file(const Profile& profile) {
  const Readers readers = profile.readable_by_others ? Readers::everybody : Readers::group;
  ASSIGN_OR_RETURN(std::string text, read_private_file(profile.path, readers, max_file));
  auto token = make_token(text, std::nullopt);
  base::wipe(text);
  if (!token) return fail(token.error().reason, profile.path + ": " + token.error().detail);
  return token;
}

base::Result<Token> from_command(const Profile& profile, const std::function<bool()>& should_stop) {
  ASSIGN_OR_RETURN(const base::Secret output,
                   run_command(profile.command, base::Deadline::after(command_time), should_stop));
  auto token = parse_credential(output.reveal(), base::wall_now());
  if (!token) return fail(token.error().reason, profile.command[0] + ": " + token.error().detail);
  return token;
}

}  // namespace

ProfileSource::ProfileSource(Profile& profile, std::function<bool()> should_stop)
    : profile_(profile), should_stop_(std::move(should_stop)) {
  if (profile_.source != Source::environment) return;
  if (auto value = client::variable(profile_.variable.c_str())) {
    variable_ = base::Secret::copy_of(*value);
    base::wipe(*value);
  }
  erase_variable(profile_.variable.c_str());
}

base::Result<Token> ProfileSource::take() {
  switch (profile_.source) {
    case Source::file: return from_file(profile_);
    case Source::command: return from_command(profile_, should_stop_);
    case Source::client_credentials:
      return request_token(profile_, base::Deadline::after(provider_time), should_stop_);
    case Source::environment: break;
  }
  if (variable_.empty())
    return fail(Reason::cfg_missing, "the variable " + profile_.variable + " is not set");
  auto token = make_token(variable_.reveal(), std::nullopt);
  if (!token) return fail(token.error().reason, profile_.variable + ": " + token.error().detail);
  return token;
}

base::Result<Token> ProfileSource::obtain() {
  ASSIGN_OR_RETURN(Token token, take());
  const auto now = base::wall_now();
  if (token.expires && *token.expires <= now)
    return fail(Reason::token_exp, "the token of profile " + profile_.name + " expired " +
                                       std::to_string((now - *token.expires).count()) + " s ago");
  return token;
}

}  // namespace client
