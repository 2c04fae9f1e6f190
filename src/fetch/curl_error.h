// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include "base/error.h"

/// \file
/// libcurl's codes in our words.

namespace fetch {

/// How far a transfer came; libcurl's codes alone do not tell a dead host from a slow one.
struct Progress {
  bool resolved = false;       ///< the host name has an address
  bool connected = false;      ///< TCP stands (to the proxy, where there is one)
  bool head_begun = false;     ///< a line of the response's head has come
  bool head_complete = false;  ///< all of the head has come
  long verify_result = 0;      ///< OpenSSL's X509_V_ERR_*
};

/// `text` is libcurl's error buffer; it may be empty.
base::Reason reason_of(CURLcode code, const Progress& progress, std::string_view text);

}  // namespace fetch
