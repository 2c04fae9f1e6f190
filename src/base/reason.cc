// SPDX-License-Identifier: Apache-2.0
#include "base/reason.h"

namespace base {
namespace {

struct Row {
  const char* word;
  Outcome outcome;
  const char* meaning;
};

constexpr Row table[] = {
#define OIDC_ROW(name, word, outcome, text) {word, Outcome::outcome, text},
    OIDC_REASONS(OIDC_ROW)
#undef OIDC_ROW
};
constexpr std::uint16_t rows = sizeof table / sizeof table[0];

const Row& row(Reason reason) noexcept { return table[static_cast<std::uint16_t>(reason)]; }

}  // namespace

const char* word(Reason reason) noexcept { return row(reason).word; }
const char* meaning(Reason reason) noexcept { return row(reason).meaning; }
Outcome usual_outcome(Reason reason) noexcept { return row(reason).outcome; }
std::uint16_t reason_count() noexcept { return rows; }

const char* word(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::granted: return "granted";
    case Outcome::refused: return "refused";
    case Outcome::forbidden: return "forbidden";
    case Outcome::unavailable: return "unavailable";
    case Outcome::unknown_user: return "unknown_user";
    case Outcome::max_tries: return "max_tries";
    case Outcome::conversation: return "conversation";
    case Outcome::not_ours: return "not_ours";
  }
  return "unavailable";
}

std::optional<Reason> reason_from_number(std::uint16_t number) noexcept {
  if (number >= rows) return std::nullopt;
  return static_cast<Reason>(number);
}

std::optional<Outcome> outcome_from_number(std::uint8_t number) noexcept {
  if (number < static_cast<std::uint8_t>(Outcome::granted) ||
      number > static_cast<std::uint8_t>(Outcome::not_ours))
    return std::nullopt;
  return static_cast<Outcome>(number);
}

}  // namespace base
