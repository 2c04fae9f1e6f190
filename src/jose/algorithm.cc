// SPDX-License-Identifier: Apache-2.0
#include "jose/algorithm.h"

#include <array>
#include <cstddef>

namespace jose {

namespace {

// In the order of the enumerators.
constexpr std::array<AlgorithmTraits, 10> table = {{
    {"RS256", KeyType::rsa, "SHA256", /*pss=*/false},
    {"RS384", KeyType::rsa, "SHA384", /*pss=*/false},
    {"RS512", KeyType::rsa, "SHA512", /*pss=*/false},
    {"PS256", KeyType::rsa, "SHA256", /*pss=*/true},
    {"PS384", KeyType::rsa, "SHA384", /*pss=*/true},
    {"PS512", KeyType::rsa, "SHA512", /*pss=*/true},
    {"ES256", KeyType::p256, "SHA256", /*pss=*/false},
    {"ES384", KeyType::p384, "SHA384", /*pss=*/false},
    {"ES512", KeyType::p521, "SHA512", /*pss=*/false},
    {"EdDSA", KeyType::ed25519, "SHA512", /*pss=*/false},
}};
static_assert(static_cast<std::size_t>(Algorithm::eddsa) + 1 == table.size());

}  // namespace

const AlgorithmTraits& traits(Algorithm algorithm) {
  return table.at(static_cast<std::size_t>(algorithm));
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (name == table[i].name) return static_cast<Algorithm>(i);
  return std::nullopt;
}

base::Result<AlgorithmSet> algorithms_named(const std::vector<std::string>& names) {
  if (names.empty())
    return base::fail(base::Reason::cfg_syntax, "no signature algorithm is allowed");
  AlgorithmSet set;
  for (const std::string& one : names) {
    const auto algorithm = algorithm_named(one);
    if (!algorithm)
      return base::fail(base::Reason::cfg_syntax, "not an asymmetric signature algorithm: " + one);
    set.insert(*algorithm);
  }
  return set;
}

}  // namespace jose
