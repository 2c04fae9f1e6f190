// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/handle.h"

/// \file
/// Owners of OpenSSL's objects, and its error queue kept clean.

namespace jose {

using EvpPkey = base::Handle<EVP_PKEY, EVP_PKEY_free>;
using EvpPkeyContext = base::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpDigestContext = base::Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using BigNumber = base::Handle<BIGNUM, BN_free>;
using ParamBuilder = base::Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = base::Handle<OSSL_PARAM, OSSL_PARAM_free>;

/// Drops what OpenSSL queued while this object lived.  A bad key or signature is an answer here,
/// and an entry left behind would be read as a failure of the next TLS call of the same thread.
class ErrorQueueMark {
 public:
  ErrorQueueMark() { ERR_set_mark(); }
  ~ErrorQueueMark() { ERR_pop_to_mark(); }
  ErrorQueueMark(const ErrorQueueMark&) = delete;
  ErrorQueueMark& operator=(const ErrorQueueMark&) = delete;
};

}  // namespace jose
