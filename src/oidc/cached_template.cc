// SPDX-License-Identifier: Apache-2.0
#include "oidc/cached_template.h"

#include <optional>

namespace oidc {
namespace {

constexpr std::string_view kind = "device";

std::optional<oauth::DeviceTemplate> read_template(const Cache& cache,
                                                   const config::Provider& provider, Notes& notes) {
  const auto entry = cache.read(cache_name(kind, provider), provider.issuer, notes);
  if (!entry) return std::nullopt;
  auto shape = oauth::parse_device_template(entry->document);
  if (!shape || !oauth::decoy_grant(*shape)) {
    notes.push_back("cache.format: the remembered device answer cannot be used");
    return std::nullopt;
  }
  return *std::move(shape);
}

}  // namespace

oauth::DeviceTemplate remembered_template(const Cache& cache, const config::Provider& provider,
                                          Notes& notes) {
  auto shape = read_template(cache, provider, notes);
  return shape ? *std::move(shape) : oauth::guessed_template(provider);
}

void remember_grant(const Cache& cache, const config::Provider& provider,
                    const oauth::DeviceAuthorization& grant, std::chrono::milliseconds took,
                    Notes& notes) {
  const auto known = read_template(cache, provider, notes);
  const oauth::DeviceTemplate learned = oauth::learn_template(grant, took, known);
  if (known && !oauth::differs(*known, learned)) return;
  const std::string name = cache_name(kind, provider);
  const auto held = cache.lock(name, base::Deadline(base::Steady::now()), notes);
  if (!held) return;
  cache.write(*held, name,
              {provider.issuer, base::wall_now(), default_ttl, oauth::to_json(learned)}, notes);
}

}  // namespace oidc
