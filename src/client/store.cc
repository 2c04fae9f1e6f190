// SPDX-License-Identifier: Apache-2.0
#include "client/store.h"

#include <fnmatch.h>

#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace client {
namespace {

constexpr std::size_t max_logins = 1024;  // far more than anybody runs at once
constexpr std::size_t max_said = 1024;
constexpr const char* without_host = "local";

Answer refuse(std::string why) { return {false, {}, std::move(why)}; }

// What the server said before it asked, without what a terminal would act on.
std::string said_by(const PartRequest& request) {
  std::string_view said = request.said;
  while (!said.empty() && (said.back() == '\n' || said.back() == '\r' || said.back() == ' '))
    said.remove_suffix(1);
  return said.empty() ? "" : ": " + base::printable(said, max_said);
}

}  // namespace

bool TokenStore::may_go_to(const std::string& host) const {
  if (hosts_.empty()) return true;
  const std::string lowered = base::to_lower_ascii(host);
  for (const std::string& pattern : hosts_)
    if (host.empty() ? pattern == without_host
                     : ::fnmatch(base::to_lower_ascii(pattern).c_str(), lowered.c_str(), 0) == 0)
      return true;
  return false;
}

base::Result<Token> TokenStore::current() {
  if (kept_ && kept_->is_fresh(base::wall_now())) return *kept_;
  kept_.reset();
  ASSIGN_OR_RETURN(Token token, source_.obtain());
  kept_ = token;
  return token;
}

Answer TokenStore::answer(const Asker& asker, std::string_view prompt) {
  const auto request = parse_prompt(prompt);
  if (!request) return refuse("this is no question for a token");
  if (!may_go_to(request->host))
    return refuse(
        "the token of profile " + profile_ + " is not for " +
        (request->host.empty() ? "a prompt without a host" : base::printable(request->host, 256)) +
        " (see hosts in its configuration)");
  if (request->part == 1) return first_part(asker, *request);
  const auto login = logins_.find(asker);
  if (login == logins_.end() || !login->second.token || login->second.next_part != request->part ||
      login->second.size != request->size)
    return refuse("part " + std::to_string(request->part) +
                  " of a token was asked for out of turn; nothing is sent");
  return next_part(login->second, *request);
}

Answer TokenStore::first_part(const Asker& asker, const PartRequest& request) {
  if (logins_.contains(asker)) {
    // The same question twice is how a refusal looks from here.  The next login gets a new token,
    // in case this one had been withdrawn.
    kept_.reset();
    logins_[asker].token.reset();
    return refuse("the token of profile " + profile_ + " was not accepted" + said_by(request));
  }
  auto token = current();
  if (!token) return refuse(token.error().detail);
  if (order_.size() == max_logins) {
    logins_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(asker);
  Login& login = logins_[asker];
  login.token = *std::move(token);
  login.size = request.size;
  return next_part(login, request);
}

Answer TokenStore::next_part(Login& login, const PartRequest& request) {
  const auto part = part_of(login.token->text->reveal(), request.part, request.size);
  if (!part) {
    login.token.reset();
    return refuse("the token has no part " + std::to_string(request.part));
  }
  Answer answer{true, base::Secret::copy_of(*part), {}};
  if (part->size() < request.size)
    login.token.reset();
  else
    ++login.next_part;
  return answer;
}

}  // namespace client
