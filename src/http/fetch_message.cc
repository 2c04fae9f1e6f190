// SPDX-License-Identifier: Apache-2.0
#include "http/fetch_message.h"

#include <string.h>

#include <algorithm>
#include <limits>

namespace http {
namespace {

using base::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
namespace limits = fetch_limits;

constexpr std::uint8_t version = 1;

constexpr std::uint8_t has_form = 1;
constexpr std::uint8_t has_authorization = 2;
constexpr std::uint8_t shows_certificate = 4;
constexpr std::uint8_t known_request_flags = 7;

constexpr std::uint8_t has_max_age = 1;
constexpr std::uint8_t has_retry_after = 2;
constexpr std::uint8_t known_answer_flags = 3;

enum class Kind : std::uint8_t { response = 0, failure = 1 };

// What a client may say went wrong (client.h).  A process that was taken over must not find words
// that mean something else for a login, such as "ok" or "left to other modules".
constexpr Reason failures[] = {
    Reason::idp_dns,    Reason::idp_connect,   Reason::idp_timeout, Reason::idp_endpoint,
    Reason::tls_verify, Reason::tls_protocol,  Reason::tls_revoked, Reason::cfg_ca,
    Reason::cfg_syntax, Reason::http_redirect, Reason::http_size,   Reason::http_encoding,
    Reason::http_proto, Reason::conv_closed,   Reason::sandbox,     Reason::sys_emfile,
    Reason::sys_nomem,  Reason::sys_error,
};

// Runs over the fields twice: to count, then to write into one allocation of that size.
class Writer {
 public:
  explicit Writer(FetchType type) : type_(type) { begin(); }
  /// The second run.
  explicit Writer(const Writer& counted) : frame_(counted.used_), type_(counted.type_) { begin(); }
  Writer& operator=(const Writer&) = delete;

  void u8(std::uint8_t value) { put(value); }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value & 0xff));
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value & 0xffff));
  }
  void string(std::string_view text, std::size_t limit) {
    if (text.size() > limit) ok_ = false;
    if (!ok_) return;
    u32(static_cast<std::uint32_t>(text.size()));
    if (!frame_.empty() && !text.empty()) memcpy(frame_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  /// Milliseconds or seconds, within 0 and `most`.
  void span(std::int64_t count, std::uint32_t most) {
    u32(static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, most)));
  }
  void require(bool condition) { ok_ = ok_ && condition; }
  bool ok() const { return ok_; }

  Frame take() && {
    if (!ok_) return {};
    const std::size_t end = std::exchange(used_, 0);
    u32(static_cast<std::uint32_t>(end - limits::frame_head));
    return std::move(frame_);
  }

 private:
  void begin() {
    u32(0);
    u8(version);
    u8(static_cast<std::uint8_t>(type_));
  }
  void put(std::uint8_t value) {
    if (!ok_) return;
    if (!frame_.empty()) frame_.data()[used_] = static_cast<char>(value);
    ++used_;
  }

  Frame frame_;
  std::size_t used_ = 0;
  FetchType type_;
  bool ok_ = true;
};

template <class Fields>
Frame write(FetchType type, Fields fields) {
  Writer counted(type);
  fields(counted);
  if (!counted.ok()) return {};
  Writer out(counted);
  fields(out);
  return std::move(out).take();
}

/// Reads fields one after the other; once something is not as it should be, nothing counts.
class Reader {
 public:
  Reader(std::string_view payload, FetchType type) : rest_(payload) {
    const std::uint8_t first = u8();
    const std::uint8_t second = u8();
    require(first == version && second == static_cast<std::uint8_t>(type));
  }
  std::uint8_t u8() {
    if (!has(1)) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::uint16_t u16() {
    const std::uint16_t high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string_view string(std::size_t limit) {
    const std::size_t size = u32();
    if (size > limit || !has(size)) {
      ok_ = false;
      return {};
    }
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  /// For what becomes a C string on its way.
  std::string text(std::size_t limit) {
    const std::string_view found = string(limit);
    require(found.find('\0') == found.npos);
    return std::string(found);
  }
  std::uint32_t at_most(std::uint32_t most) {
    const std::uint32_t value = u32();
    require(value <= most);
    return value;
  }
  void require(bool condition) { ok_ = ok_ && condition; }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  bool has(std::size_t bytes) {
    ok_ = ok_ && bytes <= rest_.size();
    return ok_;
  }
  std::string_view rest_;
  bool ok_ = true;
};

constexpr std::uint32_t most_seconds = std::numeric_limits<std::int32_t>::max();

std::optional<seconds> optional_seconds(Reader& in, bool is_there) {
  const std::uint32_t value = in.at_most(most_seconds);
  in.require(is_there || value == 0);
  if (!is_there) return std::nullopt;
  return seconds(value);
}

// As ResponseHead lets them through.
bool is_status(long status) {
  return status >= 200 && status <= 599 && (status < 300 || status >= 400 || status == 304);
}

bool is_failure(Reason reason) {
  return std::find(std::begin(failures), std::end(failures), reason) != std::end(failures);
}

Frame encode_response(std::uint32_t number, const Response& response) {
  const auto flags = static_cast<std::uint8_t>((response.max_age ? has_max_age : 0) |
                                               (response.retry_after ? has_retry_after : 0));
  return write(FetchType::answer, [&](Writer& out) {
    out.u32(number);
    out.u8(static_cast<std::uint8_t>(Kind::response));
    out.require(is_status(response.status));
    out.u16(static_cast<std::uint16_t>(response.status));
    out.u8(flags);
    out.span(response.max_age.value_or(seconds{0}).count(), most_seconds);
    out.span(response.retry_after.value_or(seconds{0}).count(), most_seconds);
    out.string(response.media_type, limits::media_type);
    out.string(response.body, limits::body);
  });
}

Frame encode_failure(std::uint32_t number, Reason reason, std::string_view detail) {
  return write(FetchType::answer, [&](Writer& out) {
    out.u32(number);
    out.u8(static_cast<std::uint8_t>(Kind::failure));
    out.u16(static_cast<std::uint16_t>(is_failure(reason) ? reason : Reason::sys_error));
    out.string(detail.substr(0, limits::detail), limits::detail);
  });
}

base::Result<Response> read_response(Reader& in, std::size_t max_body) {
  Response response;
  response.status = in.u16();
  in.require(is_status(response.status));
  const std::uint8_t flags = in.u8();
  in.require((flags & ~known_answer_flags) == 0);
  response.max_age = optional_seconds(in, (flags & has_max_age) != 0);
  response.retry_after = optional_seconds(in, (flags & has_retry_after) != 0);
  response.media_type = in.text(limits::media_type);
  response.body = in.string(std::min(max_body, limits::body));
  return response;
}

base::Result<Response> read_failure(Reader& in) {
  const auto reason = base::reason_from_number(in.u16());
  in.require(reason && is_failure(*reason));
  std::string detail = in.text(limits::detail);
  return base::fail(reason.value_or(Reason::sys_error), std::move(detail));
}

}  // namespace

Frame& Frame::operator=(Frame&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Frame::wipe() {
  if (bytes_) explicit_bzero(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

Frame encode(const FetchSetup& setup) {
  return write(FetchType::setup, [&](Writer& out) {
    out.string(setup.trust.ca_file, limits::path);
    out.string(setup.trust.certificates, max_ca_bytes);
    out.string(setup.trust.crl_file, limits::path);
    out.string(setup.trust.revocations, max_crl_bytes);
    out.string(setup.proxy, limits::proxy);
    out.span(setup.connect_timeout.count(), limits::time);
    out.span(setup.total_timeout.count(), limits::time);
    out.string(setup.user_agent, limits::user_agent);
    out.string(setup.certificates, limits::pem);
    out.string(setup.key ? setup.key->reveal() : std::string_view(), limits::pem);
  });
}

Frame encode_request(std::uint32_t number, const Request& request, milliseconds time) {
  const auto flags = static_cast<std::uint8_t>(
      (request.form ? has_form : 0) | (request.authorization ? has_authorization : 0) |
      (request.use_client_certificate ? shows_certificate : 0));
  return write(FetchType::request, [&](Writer& out) {
    out.u32(number);
    out.span(time.count(), limits::time);
    out.u8(flags);
    out.require(request.max_bytes <= limits::body);
    out.u32(static_cast<std::uint32_t>(request.max_bytes));
    out.string(request.url, limits::url);
    out.string(request.accept, limits::accept);
    if (request.authorization) out.string(request.authorization->reveal(), limits::authorization);
    if (request.form) out.string(request.form->reveal(), limits::form);
  });
}

Frame encode_cancel() {
  return write(FetchType::cancel, [](Writer&) {});
}

Frame encode_answer(std::uint32_t number, const base::Result<Response>& result) {
  if (!result) return encode_failure(number, result.error().reason, result.error().detail);
  Frame frame = encode_response(number, *result);
  if (!frame.empty()) return frame;
  return encode_failure(number, Reason::http_proto, "a Content-Type of more than 256 bytes");
}

std::size_t length_of(std::string_view frame_head) {
  std::size_t length = 0;
  for (const char byte : frame_head.substr(0, limits::frame_head))
    length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

std::optional<FetchType> type_of(std::string_view payload) {
  if (payload.size() < 2 || static_cast<std::uint8_t>(payload[0]) != version) return std::nullopt;
  const auto type = static_cast<FetchType>(payload[1]);
  switch (type) {
    case FetchType::setup:
    case FetchType::request:
    case FetchType::cancel:
    case FetchType::answer: return type;
  }
  return std::nullopt;
}

std::optional<FetchSetup> decode_setup(std::string_view payload) {
  Reader in(payload, FetchType::setup);
  FetchSetup setup;
  setup.trust.ca_file = in.text(limits::path);
  setup.trust.certificates = in.string(max_ca_bytes);
  setup.trust.crl_file = in.text(limits::path);
  setup.trust.revocations = in.string(max_crl_bytes);
  setup.proxy = in.text(limits::proxy);
  setup.connect_timeout = milliseconds(in.at_most(limits::time));
  setup.total_timeout = milliseconds(in.at_most(limits::time));
  setup.user_agent = in.text(limits::user_agent);
  setup.certificates = in.string(limits::pem);
  const std::string_view key = in.string(limits::pem);
  if (!key.empty()) setup.key = base::Secret::copy_of(key);
  if (!in.finished()) return std::nullopt;
  return setup;
}

std::optional<FetchRequest> decode_request(std::string_view payload) {
  Reader in(payload, FetchType::request);
  FetchRequest asked;
  asked.number = in.u32();
  asked.time = milliseconds(in.at_most(limits::time));
  const std::uint8_t flags = in.u8();
  in.require((flags & ~known_request_flags) == 0);
  asked.request.max_bytes = in.at_most(limits::body);
  asked.request.url = in.text(limits::url);
  asked.request.accept = in.text(limits::accept);
  if ((flags & has_authorization) != 0)
    asked.request.authorization = base::Secret::copy_of(in.string(limits::authorization));
  if ((flags & has_form) != 0) asked.request.form = base::Secret::copy_of(in.string(limits::form));
  asked.request.use_client_certificate = (flags & shows_certificate) != 0;
  if (!in.finished()) return std::nullopt;
  return asked;
}

bool decode_cancel(std::string_view payload) {
  return Reader(payload, FetchType::cancel).finished();
}

std::optional<FetchAnswer> decode_answer(std::string_view payload, std::size_t max_body) {
  Reader in(payload, FetchType::answer);
  const std::uint32_t number = in.u32();
  const std::uint8_t kind = in.u8();
  in.require(kind <= static_cast<std::uint8_t>(Kind::failure));
  base::Result<Response> result = kind == static_cast<std::uint8_t>(Kind::response)
                                      ? read_response(in, max_body)
                                      : read_failure(in);
  if (in.finished()) return FetchAnswer{number, std::move(result)};
  if (result) base::wipe(result->body);
  return std::nullopt;
}

}  // namespace http
