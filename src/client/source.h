// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/error.h"
#include "client/profile.h"
#include "client/token.h"

/// \file
/// Where tokens come from.

namespace client {

/// Gives a new token each time.  An interface for the tests of the store.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  virtual base::Result<Token> obtain() = 0;
};

/// The profile's own.  A variable of the environment is read at once and erased from this process;
/// a file is read anew each time, a command has 30 s, a provider 10 s for each request, and
/// both end early when `should_stop` says true.
class ProfileSource final : public TokenSource {
 public:
  explicit ProfileSource(Profile& profile, std::function<bool()> should_stop = {});
  /// Errors: those of the source; token.exp when the token is expired already.
  base::Result<Token> obtain() override;

 private:
  base::Result<Token> take();

  Profile& profile_;
  std::function<bool()> should_stop_;
  base::Secret variable_;
};

}  // namespace client
