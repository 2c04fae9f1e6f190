// SPDX-License-Identifier: Apache-2.0
#include "audit/event.h"

#include <openssl/evp.h>
#include <syslog.h>

#include <array>
#include <exception>

#include "base/text.h"

namespace audit {
namespace {

// Room for each value, escapes included.  Names, values and the fixed part stay below max_line.
constexpr std::size_t room_for_name = 150;
constexpr std::size_t room_for_word = 80;
constexpr std::size_t room_for_url = 280;
constexpr std::size_t room_for_detail = 380;

// A value of at most `room` bytes: an escape takes four bytes for one, so less of the text is said.
std::string fitted(std::string_view text, std::size_t room, bool always_quoted) {
  for (std::size_t bytes = room - 5;; bytes = bytes * 3 / 4) {  // quotes and "..."
    std::string value = base::log_value(text, bytes);
    if (always_quoted && !value.starts_with('"')) value = '"' + value + '"';
    if (value.size() <= room) return value;
  }
}

class Line {
 public:
  void word(const char* key, std::string_view text) { add(key, text, room_for_word, false); }
  void name(const char* key, std::string_view text) { add(key, text, room_for_name, false); }
  void url(const char* key, std::string_view text) { add(key, text, room_for_url, false); }
  void quoted(const char* key, std::string_view text) { add(key, text, room_for_name, true); }
  void detail(const char* key, std::string_view text) { add(key, text, room_for_detail, true); }
  const std::string& text() const { return text_; }

 private:
  void add(const char* key, std::string_view text, std::size_t room, bool always_quoted) {
    if (text.empty()) return;
    if (!text_.empty()) text_ += ' ';
    text_ += key;
    text_ += '=';
    text_ += fitted(text, room, always_quoted);
  }
  std::string text_;
};

const char* outcome_word(base::Outcome outcome) {
  switch (outcome) {
    case base::Outcome::granted: return "granted";
    case base::Outcome::not_ours: return "ignored";
    case base::Outcome::refused:
    case base::Outcome::forbidden:
    case base::Outcome::unavailable:
    case base::Outcome::unknown_user:
    case base::Outcome::max_tries:
    case base::Outcome::conversation: break;
  }
  return "denied";
}

}  // namespace

void Syslog::write(int priority, const std::string& line) {
  syslog(LOG_AUTHPRIV | priority, "%s", line.c_str());
}

std::string fingerprint(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    return "unknown";
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < 8; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

bool needs_administrator(base::Reason reason) {
  switch (reason) {
    case base::Reason::idp_client_rejected:
    case base::Reason::idp_endpoint:
    case base::Reason::idp_issuer:
    case base::Reason::jwks_bad_key:
    case base::Reason::http_redirect:
    case base::Reason::sandbox:
    case base::Reason::fetch_down:
    case base::Reason::helper_exit: return true;
    default: break;
  }
  const std::string_view word = base::word(reason);
  for (const std::string_view family : {"cfg.", "tls.", "sys.", "broker."})
    if (word.starts_with(family)) return true;
  return false;
}

Event::~Event() {
  if (is_decided_) return;
  try {
    write(base::Outcome::unavailable, base::Reason::sys_error, "no decision was made");
  } catch (const std::exception&) {
    sink_.write(LOG_ERR, "event=login outcome=denied class=unavailable reason=sys.nomem");
  }
}

void Event::grant(std::string_view detail) {
  write(base::Outcome::granted, base::Reason::ok, detail);
}

void Event::deny(const base::Error& error) {
  // An error that says it granted something is a mistake in the program, and denies.
  const bool contradicts =
      error.outcome == base::Outcome::granted || error.reason == base::Reason::ok;
  write(contradicts ? base::Outcome::unavailable : error.outcome,
        contradicts ? base::Reason::sys_error : error.reason, error.detail);
}

void Event::write(base::Outcome outcome, base::Reason reason, std::string_view detail) {
  if (is_decided_) return;
  Line line;
  line.word("event", name_);
  line.word("outcome", outcome_word(outcome));
  if (std::string_view(outcome_word(outcome)) == "denied") line.word("class", base::word(outcome));
  line.word("reason", base::word(reason));
  line.quoted("user", user);
  line.quoted("service", service);
  line.quoted("rhost", rhost);
  line.quoted("tty", tty);
  line.word("provider", provider);
  line.url("issuer", issuer);
  if (!subject.empty()) line.word("subject", fingerprint(subject));
  line.name("client_id", client_id);
  line.word("acr", acr);
  line.word("amr", amr);
  line.word("attempt", attempt);
  line.word("session", session);
  line.detail("detail", detail);
  const int priority = needs_administrator(reason) ? LOG_ERR : LOG_NOTICE;
  is_decided_ = true;
  sink_.write(priority, line.text());
}

}  // namespace audit
