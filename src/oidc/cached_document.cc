// SPDX-License-Identifier: Apache-2.0
#include "oidc/cached_document.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace oidc {
namespace {

using base::fail;
using base::Reason;

base::Result<http::Response> get(const DocumentKind& kind, const std::string& url,
                                 Sources& sources) {
  http::Request request;
  request.url = url;
  auto response = sources.client.send(request, sources.deadline);
  if (!response) {
    base::Error error = std::move(response).error();
    if (error.reason == Reason::http_size) error.reason = kind.too_large;
    return base::Unexpected<base::Error>(std::move(error));
  }
  const std::string detail = std::string(kind.name) + ": HTTP " + std::to_string(response->status);
  if (response->status == 429 || response->status == 503) return fail(Reason::idp_rate, detail);
  if (response->status != 200) return fail(Reason::idp_status, detail);
  const std::string& type = response->media_type;
  if (!type.empty() && type != "application/json" && type != kind.also_media_type)
    return fail(Reason::idp_content_type, detail + ", " + type);
  return response;
}

// A login that had to wait for the lock learns here that the one before it has just failed to
// fetch: 200 logins that each wait for a dead provider in turn would take an hour.
std::string failure_name(const DocumentKind& kind, const Sources& sources) {
  return cache_name(std::string(kind.name) + "-failure", sources.provider);
}

bool has_just_failed(const DocumentKind& kind, const std::string& url, base::WallSeconds since,
                     Sources& sources) {
  const auto failure = sources.cache.read(failure_name(kind, sources), url, sources.notes);
  return failure && failure->fetched_at >= since;
}

// The cached document, if `accept` still believes it.  The configuration may have changed since.
std::optional<CacheEntry> accepted_entry(const DocumentKind& kind, const std::string& url,
                                         const std::string& name, bool fresh_only,
                                         Sources& sources) {
  auto entry = sources.cache.read(name, url, sources.notes);
  if (!entry) return std::nullopt;
  const auto now = base::wall_now();
  const auto stale_for = std::clamp(sources.max_stale, std::chrono::seconds{0}, max_stale_limit);
  if (!entry->is_fresh(now) && (fresh_only || now >= entry->fetched_at + entry->ttl + stale_for))
    return std::nullopt;
  if (const auto accepted = kind.accept(entry->document); !accepted) {
    sources.notes.push_back("cache.format: cached " + std::string(kind.name) +
                            " is not accepted: " + accepted.error().detail);
    return std::nullopt;
  }
  return entry;
}

}  // namespace

base::Deadline lock_patience(base::Deadline login) {
  return login.sooner(base::Deadline::after(std::chrono::seconds{11}));
}

base::Result<DocumentOrigin> fetch_document(const DocumentKind& kind, const std::string& url,
                                            const std::string& name, const Cache::Lock* held,
                                            Sources& sources) {
  ASSIGN_OR_RETURN(auto response, get(kind, url, sources));
  RETURN_IF_ERROR(kind.accept(response.body));
  const auto now = base::wall_now();
  const auto ttl = clamped_ttl(response.max_age);
  if (response.max_age && ttl != *response.max_age)
    sources.notes.push_back(std::string(kind.name) + ".ttl: max-age is " +
                            std::to_string(response.max_age->count()) + " s, taking " +
                            std::to_string(ttl.count()) + " s");
  if (held != nullptr)
    sources.cache.write(*held, name, {url, now, ttl, std::move(response.body)}, sources.notes);
  return DocumentOrigin{/*fetched=*/true, now};
}

base::Result<DocumentOrigin> cached_document(const DocumentKind& kind, const std::string& url,
                                             Sources& sources) {
  const std::string name = cache_name(kind.name, sources.provider);
  if (const auto entry = accepted_entry(kind, url, name, /*fresh_only=*/true, sources))
    return DocumentOrigin{false, entry->fetched_at};

  const auto started_at = base::wall_now();
  const auto held = sources.cache.lock(name, lock_patience(sources.deadline), sources.notes);
  base::Result<DocumentOrigin> fetched =
      fail(Reason::idp_down, std::string(kind.name) + ": another login could not fetch it either");
  if (held && held->waited()) {
    if (const auto entry = accepted_entry(kind, url, name, /*fresh_only=*/true, sources))
      return DocumentOrigin{false, entry->fetched_at};
  }
  if (!held || !held->waited() || !has_just_failed(kind, url, started_at, sources)) {
    fetched = fetch_document(kind, url, name, held ? &*held : nullptr, sources);
    if (fetched) return fetched;
    // A client that went away, or a login at the end of its time, says nothing about the provider.
    if (held && fetched.error().reason != Reason::conv_closed && !sources.deadline.passed())
      sources.cache.write(*held, failure_name(kind, sources), {url, base::wall_now(), min_ttl, ""},
                          sources.notes);
  }

  if (!kind.outlives(fetched.error().reason)) return fetched;
  const auto entry = accepted_entry(kind, url, name, /*fresh_only=*/false, sources);
  if (!entry) return fetched;
  const auto age = base::wall_now() - entry->fetched_at;
  sources.notes.push_back(std::string(kind.name) + ".stale: " + std::to_string(age.count()) +
                          " s old, because " + base::word(fetched.error().reason) + ": " +
                          fetched.error().detail);
  return DocumentOrigin{false, entry->fetched_at};
}

}  // namespace oidc
