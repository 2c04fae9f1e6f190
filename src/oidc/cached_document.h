// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"
#include "oidc/cache.h"

/// \file
/// A document that the provider publishes and that outlives a login: from the cache while it is
/// fresh, fetched by one worker at a time, and from the cache again while the provider is down.

namespace oidc {

/// What getting a document takes.
struct Sources {
  http::Client& client;
  const Cache& cache;
  const config::Provider& provider;
  base::Deadline deadline;
  Notes& notes;
  /// How long past its freshness a document serves while the provider cannot give a newer one (D12,
  /// D15); a revocation of keys can be late by as much.  At most max_stale_limit.
  std::chrono::seconds max_stale = std::chrono::hours{1};
};
inline constexpr std::chrono::seconds max_stale_limit = std::chrono::hours{24};

/// A kind of document.
struct DocumentKind {
  std::string_view name;             ///< in the cache, and in details
  std::string_view also_media_type;  ///< accepted besides application/json and none; may be empty
  base::Reason too_large;            ///< what http.size is called for it
  /// Reads a text; an error means that it is not believed, wherever it came from.  Called for each
  /// candidate: the last success is the document that counts.
  std::function<base::Result<>(std::string_view)> accept;
  /// Whether an old document serves when getting a new one failed like this.
  bool (*outlives)(base::Reason failure);
};

/// How the accepted document was come by.
struct DocumentOrigin {
  bool fetched = false;          ///< over the network, just now
  base::WallSeconds fetched_at;  ///< when it was, if not
};

/// Errors: those of http::Client and of `accept` · idp.status · idp.rate · idp.content_type ·
/// idp.down (while we waited, another login tried to fetch it and could not).
base::Result<DocumentOrigin> cached_document(const DocumentKind& kind, const std::string& url,
                                             Sources& sources);

/// Fetches it whatever the cache holds, and puts it there.  `held` is the lock of `name`, if it
/// could be had.  A failure leaves the cache as it is.
base::Result<DocumentOrigin> fetch_document(const DocumentKind& kind, const std::string& url,
                                            const std::string& name, const Cache::Lock* held,
                                            Sources& sources);

/// How long to wait for another worker's fetch: a request takes 10 s at most.
base::Deadline lock_patience(base::Deadline login);

}  // namespace oidc
