# SPDX-License-Identifier: Apache-2.0
"""RSA by hand, for the keys and signatures a good library refuses to make.

The strong-looking keys here (8192 and 16384 bits) are built from primes anyone can write down. That is on
purpose: they cost no time to generate, and nothing but a test may ever trust them.
"""

import ctypes
import hashlib
import math
import secrets

# What stands before the hash in an EMSA-PKCS1-v1_5 block: DER of AlgorithmIdentifier and the OCTET STRING head.
DIGEST_INFO = {
    "md5": bytes.fromhex("3020300c06082a864886f70d020505000410"),
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
SMALL_PRIMES = [n for n in range(2, 2000) if all(n % d for d in range(2, int(n**0.5) + 1))]
SMALL_PRODUCT = math.prod(SMALL_PRIMES)

_crypto = ctypes.CDLL("libcrypto.so.3")
for _name, _result, _arguments in (("BN_new", "P", ""), ("BN_CTX_new", "P", ""), ("BN_free", None, "P"),
                                   ("BN_CTX_free", None, "P"), ("BN_bin2bn", "P", "SIP"),
                                   ("BN_bn2binpad", "I", "PSI"), ("BN_mod_exp", "I", "PPPPP")):
    _types = {"P": ctypes.c_void_p, "I": ctypes.c_int, "S": ctypes.c_char_p, None: None}
    _function = getattr(_crypto, _name)
    _function.restype, _function.argtypes = _types[_result], [_types[one] for one in _arguments]


def power_mod(base, exponent, modulus):
    """pow(), by OpenSSL: Python's takes a second for a 16384 bit key, and no other thread runs meanwhile."""
    numbers = []
    for number in (base, exponent, modulus):
        text = number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")
        numbers.append(_crypto.BN_bin2bn(text, len(text), None))
    result, context = _crypto.BN_new(), _crypto.BN_CTX_new()
    size = (modulus.bit_length() + 7) // 8
    out = ctypes.create_string_buffer(size)
    done = _crypto.BN_mod_exp(result, *numbers, context) and _crypto.BN_bn2binpad(result, out, size) == size
    for number in (*numbers, result):
        _crypto.BN_free(number)
    _crypto.BN_CTX_free(context)
    if not done:
        raise ArithmeticError("BN_mod_exp failed")
    return int.from_bytes(out.raw, "big")


def is_prime(n, rounds=12):
    if math.gcd(n, SMALL_PRODUCT) != 1:
        return n in SMALL_PRIMES
    shift = ((n - 1) & -(n - 1)).bit_length() - 1
    for _ in range(rounds):
        x = power_mod(secrets.randbelow(n - 3) + 2, (n - 1) >> shift, n)
        if x in (1, n - 1):
            continue
        for _ in range(shift - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(bits, e=65537):
    """A random prime with its two top bits set, so that a product of two has exactly twice the bits."""
    while True:
        p = secrets.randbits(bits) | (3 << (bits - 2)) | 1
        if is_prime(p) and math.gcd(p - 1, e) == 1:
            return p


def mersenne(exponent):
    return 2**exponent - 1


def roca_prime(bits=1024):
    """A prime with the shape of CVE-2017-15361: k * M + (65537^a mod M), M the product of 126 primes."""
    m = math.prod(SMALL_PRIMES[:126])
    while True:
        k = secrets.randbits(bits - m.bit_length()) | (3 << (bits - m.bit_length() - 2))
        p = k * m + pow(65537, secrets.randbelow(m), m)
        if p.bit_length() == bits and is_prime(p):
            return p


def _pi_bits(bits):
    """floor(pi * 2^bits) by Machin's formula, with guard bits against rounding."""
    one = 1 << (bits + 64)

    def arctan_inverse(x):
        total = term = one // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total

    return (4 * (4 * arctan_inverse(5) - arctan_inverse(239))) >> 64


def _e_bits(bits):
    one = 1 << (bits + 64)
    total = term = one
    n = 1
    while term:
        term //= n
        total += term
        n += 1
    return total >> 64


def modp_4096():
    """The prime of RFC 3526 group 16, from its formula."""
    return 2**4096 - 2**4032 - 1 + 2**64 * (_pi_bits(3966) + 240904)


def ffdhe_4096():
    """The prime of RFC 7919 ffdhe4096, from its formula."""
    return 2**4096 - 2**4032 + (_e_bits(3966) + 5736041) * 2**64 - 1


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def der_int(n):
    return der(0x02, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def der_seq(*parts):
    return der(0x30, *parts)


class RawRsa:
    """An RSA key of any primes and any exponent: even, tiny, e = 1, many primes. Signs PKCS#1 v1.5 by the
    Chinese remainder theorem, which is what makes a 16384 bit key sign in well under a second."""

    def __init__(self, primes, e=65537):
        self.primes = list(primes)
        self.n = math.prod(self.primes)
        self.e = e

    @property
    def size(self):
        return (self.n.bit_length() + 7) // 8

    def power(self, m):
        x, modulus = 0, 1
        for p in self.primes:
            root = power_mod(m % p, pow(self.e, -1, p - 1) if p > 2 else 1, p)
            x += modulus * ((root - x) * pow(modulus, -1, p) % p)
            modulus *= p
        return x

    def sign(self, data, digest="sha256"):
        info = DIGEST_INFO[digest] + hashlib.new(digest, data).digest()
        block = b"\x00\x01" + b"\xff" * (self.size - len(info) - 3) + b"\x00" + info
        return self.power(int.from_bytes(block, "big") % self.n).to_bytes(self.size, "big")

    def private_der(self):
        """PKCS#1 RSAPrivateKey of a two-prime key; OpenSSL loads it whatever its size."""
        p, q = self.primes
        d = pow(self.e, -1, (p - 1) * (q - 1))
        return der_seq(*(der_int(v) for v in (
            0, self.n, self.e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))
