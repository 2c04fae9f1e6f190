// SPDX-License-Identifier: Apache-2.0
#include "module/attempt.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdint>

namespace module {

Result<> make_attempt_id(Text<16>& attempt) {
  attempt.assign_cut("0000000000000000");
  std::uint8_t bytes[8];
  ssize_t got = -1;
  do got = ::getrandom(bytes, sizeof bytes, 0);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof bytes))
    return fail_by_errno("getrandom", got < 0 ? errno : 0);
  for (std::size_t i = 0; i < sizeof bytes; ++i) {
    attempt.data()[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    attempt.data()[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return {};
}

}  // namespace module
