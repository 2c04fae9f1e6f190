// SPDX-License-Identifier: Apache-2.0
#pragma once

// clang-format off: cmocka.h wants these before it
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
extern "C" {
#include <cmocka.h>
}
// clang-format on
#undef fail
#undef skip
#undef mock

#include <concepts>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// \file
/// cmocka from C++.  Its own assertions longjmp past destructors, so EXPECT throws, and only the
/// outermost frame of a test tells cmocka.  TEST registers itself; support/main.cc runs them all.

namespace test {

struct Failure {
  std::string what;
  const char* file;
  int line;
};

/// A test that cannot run here says why and is skipped aloud.
struct Skipped {
  std::string why;
};

struct Registration {
  Registration(const char* name, void (*body)());
};

template <class T>
std::string shown(const T& value) {
  std::ostringstream out;
  if constexpr (std::is_same_v<T, bool>)
    out << (value ? "true" : "false");
  else if constexpr (std::is_convertible_v<T, std::string_view>)
    out << '"' << std::string_view(value) << '"';
  else if constexpr (std::is_enum_v<T>)
    out << static_cast<long long>(value);
  else if constexpr (requires { out << value; })
    out << value;
  else
    out << "(value)";
  return out.str();
}

template <class A, class B>
void expect_equal(const A& actual, const B& expected, const char* text, const char* file,
                  int line) {
  if constexpr (std::integral<A> && std::integral<B> && !std::same_as<A, bool> &&
                !std::same_as<B, bool>) {
    if (std::cmp_equal(actual, expected)) return;
  } else {
    if (actual == expected) return;
  }
  throw Failure{std::string(text) + ": is " + shown(actual) + ", expected " + shown(expected), file,
                line};
}

}  // namespace test

#define TEST(name)                                                     \
  static void test_##name();                                           \
  static const test::Registration register_##name(#name, test_##name); \
  static void test_##name()

#define EXPECT(condition)                                                  \
  do {                                                                     \
    if (!(condition)) throw test::Failure{#condition, __FILE__, __LINE__}; \
  } while (false)
#define EXPECT_EQ(actual, expected) \
  test::expect_equal((actual), (expected), #actual, __FILE__, __LINE__)

/// For a base::Result: that it is an error of this reason (compared by its word), or a value.
#define EXPECT_REASON(result, expected_reason)                                               \
  do {                                                                                       \
    const auto& checked_ = (result);                                                         \
    if (checked_) throw test::Failure{#result " succeeded", __FILE__, __LINE__};             \
    test::expect_equal(std::string_view(base::word(checked_.error().reason)),                \
                       std::string_view(base::word(base::Reason::expected_reason)), #result, \
                       __FILE__, __LINE__);                                                  \
  } while (false)
#define EXPECT_OK(result)                                                                          \
  do {                                                                                             \
    const auto& checked_ = (result);                                                               \
    if (!checked_)                                                                                 \
      throw test::Failure{std::string(#result " failed: ") + base::word(checked_.error().reason) + \
                              ": " + checked_.error().detail,                                      \
                          __FILE__, __LINE__};                                                     \
  } while (false)
