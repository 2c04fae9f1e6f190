// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <memory>
#include <utility>

/// \file
/// Owners of what C hands out: one word per library object, released exactly once.
/// Freestanding: the PAM module uses UniqueFd and has no libstdc++.

namespace base {

template <auto Release>
struct ReleasedBy {
  template <class T>
  void operator()(T* object) const noexcept {
    static_cast<void>(Release(object));
  }
};

/// Owns a C object; `Release` is the library's function that ends it.
template <class T, auto Release>
using Handle = std::unique_ptr<T, ReleasedBy<Release>>;

/// Owns a file descriptor.  Always opened with O_CLOEXEC or SOCK_CLOEXEC.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int descriptor) : descriptor_(descriptor) {}
  UniqueFd(UniqueFd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  int release() { return std::exchange(descriptor_, -1); }
  void reset() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace base
