// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

/// \file
/// The part of C++23's std::expected that we use, with its names and its meaning, for compilers
/// that do not have it (g++ 11, clang 14).  Reading the side that is not there ends the process:
/// the standard leaves that undefined, and a login must not run on undefined state.

namespace base {

template <class E>
class [[nodiscard]] Unexpected {
 public:
  explicit Unexpected(E error) : error_(std::move(error)) {}
  const E& error() const& { return error_; }
  E&& error() && { return std::move(error_); }

 private:
  E error_;
};

template <class T, class E>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Expected(Unexpected<E> error) : state_(std::in_place_index<1>, std::move(error).error()) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& operator*() & { return checked(std::get_if<0>(&state_)); }
  const T& operator*() const& { return checked(std::get_if<0>(&state_)); }
  T&& operator*() && { return std::move(checked(std::get_if<0>(&state_))); }
  T* operator->() { return &checked(std::get_if<0>(&state_)); }
  const T* operator->() const { return &checked(std::get_if<0>(&state_)); }

  E& error() & { return checked(std::get_if<1>(&state_)); }
  const E& error() const& { return checked(std::get_if<1>(&state_)); }
  E&& error() && { return std::move(checked(std::get_if<1>(&state_))); }

 private:
  template <class U>
  static U& checked(U* side) {
    if (side == nullptr) std::abort();
    return *side;
  }
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Expected<void, E> {
 public:
  Expected() : state_(std::in_place_index<0>) {}
  Expected(Unexpected<E> error) : state_(std::in_place_index<1>, std::move(error).error()) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  E& error() & { return checked(std::get_if<1>(&state_)); }
  const E& error() const& { return checked(std::get_if<1>(&state_)); }
  E&& error() && { return std::move(checked(std::get_if<1>(&state_))); }

 private:
  template <class U>
  static U& checked(U* side) {
    if (side == nullptr) std::abort();
    return *side;
  }
  std::variant<std::monostate, E> state_;
};

}  // namespace base
