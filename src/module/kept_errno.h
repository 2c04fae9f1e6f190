// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>

namespace module {

/// While the object lives errno is ours; afterwards it is the application's, as it was.
class KeptErrno {
 public:
  KeptErrno() = default;
  KeptErrno(const KeptErrno&) = delete;
  KeptErrno& operator=(const KeptErrno&) = delete;
  ~KeptErrno() { errno = value_; }

 private:
  const int value_ = errno;
};

}  // namespace module
