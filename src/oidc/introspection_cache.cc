// SPDX-License-Identifier: Apache-2.0
#include "oidc/introspection_cache.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "oauth/introspection.h"
#include "oidc/cache_format.h"

namespace oidc {
namespace {

using std::chrono::seconds;
using CString = base::Handle<char, std::free>;

constexpr const char* kind = "introspection-";
constexpr std::size_t max_kept_bytes = std::size_t{64} * 1024;
/// A worker that waits for the disk of another one asks instead.
constexpr std::chrono::milliseconds lock_patience_for_keeping{200};

// The token cannot be found from its digest, because tokens cannot be guessed.  Everything that
// decides whose answer it is goes in (G06).
std::string entry_name(const config::Provider& provider, const std::string& endpoint,
                       const base::Secret& token) {
  std::string text = provider.issuer + '\0' + endpoint + '\0' + provider.client_id + '\0' +
                     provider.name + '\0' + std::string(token.reveal());
  std::string name = kind + sha256_hex(text);
  base::wipe(text);
  return name;
}

std::optional<oauth::Machine> kept(Sources& sources, const std::string& name,
                                   const std::string& endpoint,
                                   const oauth::MachineTokenRules& rules) {
  const auto entry = sources.cache.read(name, endpoint, sources.notes);
  if (!entry || rules.now < entry->fetched_at ||
      rules.now >= entry->fetched_at + rules.machines.introspection_cache)
    return std::nullopt;
  auto response = json::parse_object(entry->document, max_kept_bytes, json::Source::provider);
  if (!response) return std::nullopt;
  auto machine = oauth::introspected_machine(*std::move(response), rules);
  // The clocks' difference is for tokens that were asked about just now.
  if (!machine || rules.now >= machine->expires_at()) return std::nullopt;
  sources.notes.push_back("introspection: an answer of " +
                          std::to_string((rules.now - entry->fetched_at).count()) +
                          " s ago was used again");
  return *std::move(machine);
}

void keep(Sources& sources, const std::string& name, const std::string& endpoint,
          const oauth::MachineTokenRules& rules, const oauth::Machine& machine) {
  if (machine.expires_at() <= rules.now) return;
  const CString dumped(json_dumps(machine.claims(), JSON_COMPACT));
  if (!dumped) return;
  // From when the question was asked: what happened after it may not be in the answer.
  CacheEntry entry{endpoint, rules.now, min_ttl, dumped.get()};
  if (entry.document.size() > max_kept_bytes) return;
  // One lock for all of them: files of their own would stay behind for ever.
  const auto patience = base::Deadline::after(lock_patience_for_keeping).sooner(sources.deadline);
  const auto held = sources.cache.lock("introspection", patience, sources.notes);
  if (!held) return;
  // Older ones serve nobody, whatever the configuration says.
  constexpr seconds longest{600};
  if (sources.cache.sweep(*held, kind, longest, sources.notes) < max_kept_answers)
    sources.cache.write(*held, name, entry, sources.notes);
}

}  // namespace

base::Result<oauth::Machine> introspect(Sources& sources, const std::string& endpoint,
                                        const base::Secret& token,
                                        const oauth::MachineTokenRules& rules,
                                        jose::KeySource& keys) {
  const bool remembers = rules.machines.introspection_cache > seconds{0};
  const std::string name = remembers ? entry_name(sources.provider, endpoint, token) : "";
  if (remembers)
    if (auto machine = kept(sources, name, endpoint, rules)) return *std::move(machine);
  auto machine = oauth::introspect(sources.client, sources.provider, endpoint, token, rules, keys,
                                   sources.deadline);
  if (machine && remembers) keep(sources, name, endpoint, rules, *machine);
  return machine;
}

}  // namespace oidc
