// SPDX-License-Identifier: Apache-2.0
#include "fetch/response_head.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace fetch {
namespace {

using base::fail;
using base::Reason;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  for (const char c : text)
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
        marks.find(c) == marks.npos)
      return false;
  return !text.empty();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// A number of seconds; what is too large for anything is the largest (RFC 9111 §1.2.2).
std::optional<std::chrono::seconds> delta_seconds(std::string_view text) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    number = std::min(number * 10 + (c - '0'), most);
  }
  return std::chrono::seconds(number);
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

base::Result<> ResponseHead::take(std::string_view line) {
  bytes_ += line.size();
  ++lines_;
  if (bytes_ > max_bytes || lines_ > max_lines)
    return fail(Reason::http_size, "a response head of more than 64 KiB or 200 lines");
  line = without_line_end(line);
  if (complete_) return {};  // trailers count, but say nothing that we want to know
  if (line.find_first_of(std::string_view("\0\r\n", 3)) != line.npos)
    return fail(Reason::http_proto, "a NUL or line end within a header line");
  if (status_ == 0) return take_status(line);
  if (line.empty()) return take_end();
  return take_field(line);
}

// HTTP/1.x SP 3DIGIT [SP reason-phrase]; the last blank is often left out.
base::Result<> ResponseHead::take_status(std::string_view line) {
  const bool sound = line.size() >= 12 &&
                     (line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) &&
                     is_digit(line[9]) && is_digit(line[10]) && is_digit(line[11]) &&
                     (line.size() == 12 || line[12] == ' ');
  if (!sound) return fail(Reason::http_proto, "not an HTTP/1 status line");
  const long status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (status < 100 || status > 599 || status == 101)
    return fail(Reason::http_proto, "HTTP status " + std::to_string(status));
  // 304 leads nowhere: it says that nothing has changed, to a question that we did not ask.
  if (status >= 300 && status < 400 && status != 304)
    return fail(Reason::http_redirect, "HTTP status " + std::to_string(status));
  if (status < 200 && ++interim_ > max_interim)
    return fail(Reason::http_proto, "too many interim responses");
  status_ = status;
  return {};
}

base::Result<> ResponseHead::take_end() {
  if (status_ < 200) {  // an interim response: all it said is forgotten, the counts remain
    status_ = 0;
    chunked_ = false;
    content_length_.reset();
    media_type_.clear();
    max_age_.reset();
    retry_after_.reset();
    return {};
  }
  if (chunked_ && content_length_)
    return fail(Reason::http_proto, "both Content-Length and Transfer-Encoding");
  complete_ = true;
  return {};
}

base::Result<> ResponseHead::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  // A blank before the colon or a folded line is read in two ways out there (RFC 9112 §5).
  if (colon == line.npos || !is_token(line.substr(0, colon)))
    return fail(Reason::http_proto, "a malformed header line");
  const std::string name = base::to_lower_ascii(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));

  if (name == "content-length") return take_content_length(value);
  if (name == "content-type") return take_media_type(value);
  if (name == "transfer-encoding") {
    if (base::to_lower_ascii(value) != "chunked")
      return fail(Reason::http_encoding, "a transfer coding other than chunked");
    if (chunked_) return fail(Reason::http_proto, "Transfer-Encoding twice");
    chunked_ = true;
  } else if (name == "content-encoding") {
    if (base::to_lower_ascii(value) != "identity")
      return fail(Reason::http_encoding, "Content-Encoding " + base::printable(value, 64));
  } else if (name == "cache-control") {
    take_cache_control(value);
  } else if (name == "retry-after") {
    retry_after_ = delta_seconds(value);
  }
  return {};
}

base::Result<> ResponseHead::take_content_length(std::string_view value) {
  std::size_t length = 0;
  if (value.empty()) return fail(Reason::http_proto, "an empty Content-Length");
  for (const char c : value) {
    if (!is_digit(c)) return fail(Reason::http_proto, "a Content-Length that is not a number");
    if (length <= max_body_) length = length * 10 + static_cast<std::size_t>(c - '0');
  }
  if (content_length_ && *content_length_ != length)
    return fail(Reason::http_proto, "two different Content-Lengths");
  // An interim response or an error has the same limit: whatever comes has to be read.
  if (length > max_body_)
    return fail(Reason::http_size, "a body of more than " + std::to_string(max_body_) + " bytes");
  content_length_ = length;
  return {};
}

base::Result<> ResponseHead::take_media_type(std::string_view value) {
  const std::string type = base::to_lower_ascii(trimmed(value.substr(0, value.find(';'))));
  if (!media_type_.empty() && media_type_ != type)
    return fail(Reason::http_proto, "two different Content-Types");
  media_type_ = type;
  return {};
}

void ResponseHead::take_cache_control(std::string_view value) {
  for (;;) {
    const std::size_t comma = value.find(',');
    const std::string directive = base::to_lower_ascii(trimmed(value.substr(0, comma)));
    constexpr std::string_view max_age = "max-age=";
    std::optional<std::chrono::seconds> said;
    if (directive == "no-store" || directive == "no-cache")
      said = std::chrono::seconds(0);
    else if (directive.starts_with(max_age))
      said = delta_seconds(std::string_view(directive).substr(max_age.size()));
    // The shortest of several wins: a cache may always forget sooner.
    if (said && (!max_age_ || *said < *max_age_)) max_age_ = said;
    if (comma == value.npos) return;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace fetch
