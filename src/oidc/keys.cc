// SPDX-License-Identifier: Apache-2.0
#include "oidc/keys.h"

#include <utility>

#include "oidc/cache_format.h"

namespace oidc {
namespace {

using base::fail;
using base::Reason;

// Keys that were good an hour ago are better than none, whatever the provider answers now (D12: an
// error, a page of HTML, an empty set).  Only not when it is us who cannot ask.
bool outlives(Reason failure) {
  return failure != Reason::conv_closed && failure != Reason::cfg_ca &&
         failure != Reason::cfg_syntax && failure != Reason::sys_nomem;
}

template <class Accept>
DocumentKind jwks_kind(std::string_view name, Accept accept) {
  // RFC 7517 §8.5.2 has a media type for key sets; most providers say application/json.
  return {name, "application/jwk-set+json", Reason::jwks_size, std::move(accept), outlives};
}

}  // namespace

base::Result<> ProviderKeys::accept(std::string_view document) {
  ASSIGN_OR_RETURN(auto set, jose::JwkSet::parse(document));
  loaded_.emplace(Loaded{std::move(set), sha256_hex(document)});
  return {};
}

void ProviderKeys::read_ahead() {
  Notes unsaid;  // current() comes upon it again
  const auto entry =
      sources_.cache.read(cache_name(kind_, sources_.provider), jwks_uri_.text, unsaid);
  if (!entry || !entry->is_fresh(base::wall_now()) || !accept(entry->document)) return;
  fresh_until_ = entry->fetched_at + entry->ttl;
}

base::Result<const jose::JwkSet*> ProviderKeys::current() {
  if (fresh_until_ && base::wall_now() >= *fresh_until_) loaded_.reset();
  fresh_until_.reset();
  if (!loaded_) {
    const auto kind =
        jwks_kind(kind_, [this](std::string_view document) { return accept(document); });
    ASSIGN_OR_RETURN(const auto origin, cached_document(kind, jwks_uri_.text, sources_));
    is_fetched_ = origin.fetched;
    if (is_fetched_) asked_at_ = base::Steady::now();
  }
  return &loaded_->set;
}

// Records that this login asks now, before it asks.
base::Result<> ProviderKeys::claim_refetch(const Cache::Lock& held) {
  const std::string marker = cache_name(kind_ + "-refetch", sources_.provider);
  const auto now = base::wall_now();
  const auto last = sources_.cache.read(marker, jwks_uri_.text, sources_.notes);
  if (last && now < last->fetched_at + refetch_span)
    return fail(
        Reason::jwks_throttled,
        "the key set was asked for " + std::to_string((now - last->fetched_at).count()) + " s ago");
  // mod_auth_openidc's amplifier came back whenever its cache failed (dcddafb4).
  if (!sources_.cache.write(held, marker, {jwks_uri_.text, now, min_ttl, ""}, sources_.notes))
    return fail(Reason::jwks_throttled, "a refetch of the key set cannot be recorded");
  return {};
}

base::Result<const jose::JwkSet*> ProviderKeys::refetched() {
  if (asked_at_ && base::Steady::now() < *asked_at_ + refetch_span) {
    if (is_fetched_) return &loaded_->set;
    return fail(Reason::jwks_throttled, "this login has asked for the key set already");
  }
  const std::string name = cache_name(kind_, sources_.provider);
  const auto held = sources_.cache.lock(name, lock_patience(sources_.deadline), sources_.notes);
  if (!held) return fail(Reason::jwks_throttled, "a refetch of the key set cannot be recorded");

  const auto entry = sources_.cache.read(name, jwks_uri_.text, sources_.notes);
  if (entry && entry->is_fresh(base::wall_now()) && loaded_ &&
      sha256_hex(entry->document) != loaded_->digest && accept(entry->document))
    return &loaded_->set;

  RETURN_IF_ERROR(claim_refetch(*held));
  asked_at_ = base::Steady::now();
  is_fetched_ = false;
  const auto kind =
      jwks_kind(kind_, [this](std::string_view document) { return accept(document); });
  RETURN_IF_ERROR(fetch_document(kind, jwks_uri_.text, name, &*held, sources_));
  is_fetched_ = true;
  return &loaded_->set;
}

}  // namespace oidc
