// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "json/json.h"

/// \file
/// What a provider says about a person, and in which kind of answer it said so.

namespace oidc {

/// The configured source of the identity (config::IdentitySource) that the claims came from.
enum class ClaimSource { id_token, userinfo, access_token };

/// As it stands in the log: "id_token" …
const char* word(ClaimSource source);

/// `sub`: who, as the issuer names them.  1–255 bytes, no control characters, compared byte for
/// byte (OIDC Core §2).  Exists only if it is well-formed.
class Subject {
 public:
  /// Error: token.sub.
  static base::Result<Subject> of(const json_t* claims);
  const std::string& text() const { return text_; }
  bool operator==(const Subject&) const = default;

 private:
  explicit Subject(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Claims about one subject from one source.  Making one says that the object was verified as far
/// as its source can be: signature and rules of a token, TLS and `sub` of userinfo.
class Claims {
 public:
  /// Error: token.sub.
  static base::Result<Claims> of(ClaimSource source, json::Json object);

  ClaimSource source() const { return source_; }
  const Subject& subject() const { return subject_; }
  const json_t* object() const { return object_.get(); }

  /// Present and not null.
  bool has(const std::string& name) const;
  /// A text.  Nothing when absent; `reason` when it is of another type or longer than `max_bytes`.
  base::Result<std::optional<std::string>> string(const std::string& name, std::size_t max_bytes,
                                                  base::Reason reason) const;
  /// A text or a list of texts (Q18), never split.  Nothing when absent; `reason` otherwise.
  base::Result<std::optional<std::vector<std::string>>> strings(const std::string& name,
                                                                std::size_t max_items,
                                                                std::size_t max_bytes,
                                                                base::Reason reason) const;
  /// True only for the JSON value true: the text "true" is not (email_verified).
  bool is_true(const std::string& name) const;

 private:
  Claims(ClaimSource source, Subject subject, json::Json object)
      : source_(source), subject_(std::move(subject)), object_(std::move(object)) {}
  ClaimSource source_;
  Subject subject_;
  json::Json object_;
};

}  // namespace oidc
