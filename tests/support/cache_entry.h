// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "oidc/cache.h"
#include "support/test_provider.h"

/// \file
/// What the tests of the cache keep in it.

namespace test {

inline constexpr const char* jwks_url = "https://sso.example.com/pf/JWKS";

inline oidc::CacheEntry cache_entry(std::string document = R"({"keys":"a \"quoted\" ü"})",
                                    std::chrono::seconds age = std::chrono::seconds{0}) {
  return {jwks_url, base::wall_now() - age, std::chrono::seconds{600}, std::move(document)};
}

inline bool noted(const oidc::Notes& notes, const char* word) {
  for (const std::string& note : notes)
    if (contains(note, word)) return true;
  return false;
}

}  // namespace test
