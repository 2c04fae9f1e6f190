// SPDX-License-Identifier: Apache-2.0
#include "jose/roca.h"

#include <array>
#include <cstddef>

namespace jose {

namespace {

// M of the smallest affected keys (512 bits) is the product of the primes up to 167; larger keys
// have more, so that these are common to all of them.
constexpr unsigned largest_prime = 167;

constexpr bool is_prime(unsigned number) {
  for (unsigned divisor = 2; divisor * divisor <= number; ++divisor)
    if (number % divisor == 0) return false;
  return number > 1;
}

constexpr std::size_t count_odd_primes() {
  std::size_t count = 0;
  for (unsigned number = 3; number <= largest_prime; number += 2)
    if (is_prime(number)) ++count;
  return count;
}

struct Residues {
  unsigned prime = 0;
  std::array<bool, largest_prime> is_power_of_65537{};
};

constexpr auto make_table() {
  std::array<Residues, count_odd_primes()> table{};
  std::size_t i = 0;
  for (unsigned prime = 3; prime <= largest_prime; prime += 2) {
    if (!is_prime(prime)) continue;
    table[i].prime = prime;
    unsigned power = 1;
    do {
      table[i].is_power_of_65537[power] = true;
      power = power * (65537 % prime) % prime;
    } while (power != 1);
    ++i;
  }
  return table;
}
constexpr auto table = make_table();

unsigned remainder(std::string_view number, unsigned divisor) {
  unsigned rest = 0;
  for (const char digit : number) rest = (rest * 256 + static_cast<unsigned char>(digit)) % divisor;
  return rest;
}

}  // namespace

bool has_roca_fingerprint(std::string_view modulus) {
  for (const Residues& one : table)
    if (!one.is_power_of_65537[remainder(modulus, one.prime)]) return false;
  return true;
}

}  // namespace jose
