// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// OIDC_TEST_SANITIZED: 1 where AddressSanitizer is in the program, whose run-time needs more of
/// the machine than we allow ourselves; else 0.

#if defined(__SANITIZE_ADDRESS__)
#define OIDC_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OIDC_TEST_SANITIZED 1
#endif
#endif
#if !defined(OIDC_TEST_SANITIZED)
#define OIDC_TEST_SANITIZED 0
#endif
