// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <cstring>
#include <new>

namespace base {

Secret Secret::copy_of(std::string_view bytes) {
  Secret secret;
  secret.bytes_ = new char[bytes.size() + 1];
  if (!bytes.empty()) std::memcpy(secret.bytes_, bytes.data(), bytes.size());
  secret.bytes_[bytes.size()] = '\0';
  secret.size_ = bytes.size();
  return secret;
}

Secret Secret::joined(const Secret& first, const Secret& second) {
  Secret secret;
  secret.size_ = first.size_ + second.size_;
  secret.bytes_ = new char[secret.size_ + 1];
  if (!first.empty()) std::memcpy(secret.bytes_, first.bytes_, first.size_);
  if (!second.empty()) std::memcpy(secret.bytes_ + first.size_, second.bytes_, second.size_);
  secret.bytes_[secret.size_] = '\0';
  return secret;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::exchange(other.bytes_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

std::string_view Secret::reveal() const {
  return bytes_ == nullptr ? std::string_view("", 0) : std::string_view(bytes_, size_);
}

bool Secret::equals(const Secret& other) const {
  if (size_ != other.size_) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < size_; ++i)
    difference |= static_cast<unsigned char>(bytes_[i] ^ other.bytes_[i]);
  return difference == 0;
}

void Secret::wipe() {
  if (bytes_ == nullptr) return;
  explicit_bzero(bytes_, size_);
  delete[] bytes_;
  bytes_ = nullptr;
  size_ = 0;
}

void wipe(std::string& text) {
  if (text.capacity() > 0) explicit_bzero(text.data(), text.capacity());
  text.clear();
}

}  // namespace base
