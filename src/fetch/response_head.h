// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

/// \file
/// The head of an HTTP/1.1 response (RFC 9112), line by line as libcurl hands it over.  libcurl
/// reads it too, and more kindly; whatever two readers could understand differently, or would make
/// an answer larger than it looks, is refused here before a byte of the body is taken.

namespace fetch {

class ResponseHead {
 public:
  static constexpr std::size_t max_bytes = 64 * 1024;  ///< of all heads and trailers of an exchange
  static constexpr int max_lines = 200;                ///< likewise; the longest known head has 40
  static constexpr int max_interim = 8;                ///< 1xx responses before the real one

  explicit ResponseHead(std::size_t max_body) : max_body_(max_body) {}

  /// Takes one line with its line end.  Errors: http.proto, http.redirect, http.encoding,
  /// http.size.
  base::Result<> take(std::string_view line);

  bool begun() const { return lines_ > 0; }
  bool complete() const { return complete_; }
  long status() const { return status_; }
  const std::string& media_type() const { return media_type_; }
  std::optional<std::size_t> content_length() const { return content_length_; }
  std::optional<std::chrono::seconds> max_age() const { return max_age_; }
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  base::Result<> take_status(std::string_view line);
  base::Result<> take_end();
  base::Result<> take_field(std::string_view line);
  base::Result<> take_content_length(std::string_view value);
  base::Result<> take_media_type(std::string_view value);
  void take_cache_control(std::string_view value);

  std::size_t max_body_;
  std::size_t bytes_ = 0;
  int lines_ = 0;
  int interim_ = 0;
  bool complete_ = false;  // what follows are trailers
  long status_ = 0;        // 0 while a status line is due
  bool chunked_ = false;
  std::optional<std::size_t> content_length_;
  std::string media_type_;
  std::optional<std::chrono::seconds> max_age_;
  std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace fetch
