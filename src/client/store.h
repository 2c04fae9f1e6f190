// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "client/prompt.h"
#include "client/source.h"

/// \file
/// Who gets which part of which token.  Each part is asked for by a process of its own, so what
/// belongs together is known here: all parts that one ssh or sudo asks for are of one token,
/// whatever is renewed meanwhile, and it is given a token once.

namespace client {

/// The ssh or sudo that wants an answer; a number alone would come back after a while.
struct Asker {
  pid_t pid = 0;
  std::uint64_t started = 0;  ///< as in /proc/PID/stat
  auto operator<=>(const Asker&) const = default;
};

struct Answer {
  bool is_part = false;
  base::Secret part;
  std::string refusal;  ///< for the person, when it is none; may have several lines
};

class TokenStore {
 public:
  /// `hosts` as in Profile.  The source outlives the store.
  TokenStore(TokenSource& source, std::string profile, std::vector<std::string> hosts)
      : source_(source), profile_(std::move(profile)), hosts_(std::move(hosts)) {}

  Answer answer(const Asker& asker, std::string_view prompt);

 private:
  // A login under way, or one that is over: then without the token.
  struct Login {
    std::optional<Token> token;
    std::size_t next_part = 1;
    std::size_t size = 0;
  };

  Answer first_part(const Asker& asker, const PartRequest& request);
  Answer next_part(Login& login, const PartRequest& request);
  base::Result<Token> current();
  bool may_go_to(const std::string& host) const;

  TokenSource& source_;
  std::string profile_;
  std::vector<std::string> hosts_;
  std::optional<Token> kept_;  ///< until it is to be renewed
  std::map<Asker, Login> logins_;
  std::deque<Asker> order_;  ///< of logins_, oldest first
};

}  // namespace client
