# SPDX-License-Identifier: Apache-2.0
"""RSA keys of 2,048 bits that nobody has to wait for: each of rsa_keys.txt once in a process, in a
random order, and new ones when those are used up."""

import pathlib
import random
import threading

from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives.asymmetric import rsa

EXPONENT = 65537
BITS = 2048

_lock = threading.Lock()
_left: list[str] | None = None


def take() -> rsa.RSAPrivateKey:
    """A key that nobody else in this process has."""
    global _left
    with _lock:
        if _left is None:
            text = pathlib.Path(__file__).with_name("rsa_keys.txt").read_text(encoding="ascii")
            _left = [line for line in text.splitlines() if not line.startswith("#")]
            random.shuffle(_left)
        line = _left.pop() if _left else None
    if line is None:
        return rsa.generate_private_key(public_exponent=EXPONENT, key_size=BITS)
    p, q = (int(word, 16) for word in line.split())
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    return _unchecked(rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(EXPONENT, p * q)))


def _unchecked(numbers: rsa.RSAPrivateNumbers) -> rsa.RSAPrivateKey:
    """Checking a key takes nearly as long as making one.  Versions before 39 are told otherwise."""
    try:
        return numbers.private_key(unsafe_skip_rsa_key_validation=True)
    except TypeError:
        default_backend()._rsa_skip_check_key = True  # pylint: disable=protected-access
        return numbers.private_key()
