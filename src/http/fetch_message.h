// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "http/client.h"
#include "http/trust.h"

/// \file
/// What a worker and its pam-oidc-fetch say to each other over a stream: one setup, then requests,
/// each with exactly one answer, in order.  A cancel says that the answer to the last request is
/// not waited for any more; that answer still comes.
///
///     frame    = length u32, payload
///     payload  = version u8, type u8, fields of the type
///     string   = length u32, bytes
///
/// Numbers are big-endian.  A reader believes nothing: every length is held against a limit before
/// memory is taken, and a payload with a byte too few or too many is no message.

namespace http {

/// The bytes of a frame: one allocation, wiped when it ends, since requests and answers hold
/// secrets.
class Frame {
 public:
  Frame() = default;
  explicit Frame(std::size_t size) : bytes_(new char[size]()), size_(size) {}
  Frame(Frame&& other) noexcept
      : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  Frame& operator=(Frame&& other) noexcept;
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame() { wipe(); }

  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  void wipe();
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

namespace fetch_limits {
inline constexpr std::size_t frame_head = 4;
inline constexpr std::size_t path = 4096;
inline constexpr std::size_t proxy = 2048;
inline constexpr std::size_t user_agent = 256;
inline constexpr std::size_t pem = 256 * 1024;  ///< a certificate with its chain, or a key
inline constexpr std::size_t url = 2048;
inline constexpr std::size_t accept = 256;
/// A token of 16 KiB, where a form may write each byte as three, and a signed assertion.
inline constexpr std::size_t authorization = 64 * 1024;
inline constexpr std::size_t form = 128 * 1024;
inline constexpr std::size_t media_type = 256;
inline constexpr std::size_t detail = 1024;
inline constexpr std::size_t body = 4 * 1024 * 1024;  ///< whatever a request allows
inline constexpr std::uint32_t time = 3600 * 1000;    ///< milliseconds
/// All of a setup, of a request, and of an answer without its body.
inline constexpr std::size_t setup_frame = max_ca_bytes + max_crl_bytes + 2 * pem + 16 * 1024;
inline constexpr std::size_t request_frame = url + accept + authorization + form + 256;
inline constexpr std::size_t answer_frame = media_type + detail + 256;
}  // namespace fetch_limits

enum class FetchType : std::uint8_t { setup = 1, request = 2, cancel = 3, answer = 65 };

/// What pam-oidc-fetch needs to know of a provider before the first request.
struct FetchSetup {
  TrustMaterial trust;
  std::string proxy;
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds total_timeout{10000};
  std::string user_agent = default_user_agent;
  std::string certificates;         ///< PEM of our own, empty: none (RFC 8705)
  std::optional<base::Secret> key;  ///< and its key
};

struct FetchRequest {
  std::uint32_t number = 0;           ///< counts up
  std::chrono::milliseconds time{0};  ///< left for the answer
  Request request;
};

struct FetchAnswer {
  std::uint32_t number = 0;  ///< of the request
  base::Result<Response> result;
};

/// Whole frames, with their length.  Empty when something is over its limit: not to be sent then.
Frame encode(const FetchSetup& setup);
Frame encode_request(std::uint32_t number, const Request& request, std::chrono::milliseconds time);
Frame encode_cancel();
/// A text that is too long is cut in an error and makes an error of a response.
Frame encode_answer(std::uint32_t number, const base::Result<Response>& result);

/// The length that a frame's head says.
std::size_t length_of(std::string_view frame_head);

/// Of a payload whose version is ours and whose type is known; nothing otherwise.
std::optional<FetchType> type_of(std::string_view payload);
std::optional<FetchSetup> decode_setup(std::string_view payload);
std::optional<FetchRequest> decode_request(std::string_view payload);
bool decode_cancel(std::string_view payload);
/// `max_body` is the request's.  Only what http::Client promises comes out: a status that it lets
/// through, or a reason that it names; nothing that grants.
std::optional<FetchAnswer> decode_answer(std::string_view payload, std::size_t max_body);

}  // namespace http
