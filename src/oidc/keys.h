// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"
#include "jose/jwk_set.h"
#include "oidc/cached_document.h"

/// \file
/// The provider's keys (OpenID Connect Core §10.1.1), with the cache and its rules about asking
/// again: a stream of tokens with invented key ids must not become a stream of requests (D11).

namespace oidc {

/// One refetch for unknown key ids per provider, host and this span of time.
inline constexpr std::chrono::seconds refetch_span{60};

class ProviderKeys final : public jose::KeySource {
 public:
  /// `sources` outlives this.  `kind` names the entry in the cache: a provider that signs access
  /// tokens with other keys (Q28) has two.
  ProviderKeys(Sources& sources, http::Url jwks_uri, std::string kind = "jwks")
      : sources_(sources), jwks_uri_(std::move(jwks_uri)), kind_(std::move(kind)) {}

  /// While there is time: what the cache has and is fresh, without a request.  current() takes it
  /// as long as it stays fresh.
  void read_ahead();

  /// Errors: jwks.size · jwks.bad_key · those of cached_document.
  base::Result<const jose::JwkSet*> current() override;

  /// Another login's newer set is taken without asking, and the set that this login has fetched
  /// itself is the newest there can be.  A fetch that failed counts as one, and so
  /// does one that cannot be recorded; the old keys stay in the cache (D12).
  /// Errors: jwks.throttled · those of fetching.
  base::Result<const jose::JwkSet*> refetched() override;

 private:
  struct Loaded {
    jose::JwkSet set;
    std::string digest;  ///< of the document, to see whether another login fetched a newer one
  };
  base::Result<> accept(std::string_view document);
  base::Result<> claim_refetch(const Cache::Lock& held);

  Sources& sources_;
  http::Url jwks_uri_;
  std::string kind_;
  std::optional<Loaded> loaded_;
  std::optional<base::Steady::time_point> asked_at_;  ///< by this process
  std::optional<base::WallSeconds> fresh_until_;      ///< what was read ahead
  bool is_fetched_ = false;                           ///< loaded_ is the answer to that
};

}  // namespace oidc
