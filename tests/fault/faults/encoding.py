# SPDX-License-Identifier: Apache-2.0
"""Content encodings: bombs and lies (catalogue E13).

Every bomb unpacks to a flood of blanks followed by the right JSON: a client that unpacks all of it finds a
good answer, so only a limit can be the reason to refuse. No bomb is ever unpacked here.
"""

import functools
import gzip
import struct
import zlib
from dataclasses import replace

from .registry import add

MIB = 1 << 20
# Brotli (quality 9, window 2^22) of 4 MiB blanks, flushed to a byte boundary: the stream's start, and what
# every further 4 MiB compress to.
BROTLI_START = bytes.fromhex("cbffff1f002440e2b14072ef7f0c")
BROTLI_MORE = bytes.fromhex("fcffff014002200e0b40f7fec700")


def _gzip(mib, doc):
    return _gzip_blanks(mib)[0] + _gzip_end(mib, doc)


@functools.lru_cache(maxsize=4)
def _gzip_blanks(mib):
    """(gzip header and MIB mebibytes of blanks as repeated deflate blocks, CRC-32 of the blanks)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(mib):
        crc = zlib.crc32(b" " * MIB, crc)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * mib, crc


def _gzip_end(mib, doc):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    tail = packer.compress(doc) + packer.flush()
    return tail + struct.pack("<II", zlib.crc32(doc, _gzip_blanks(mib)[1]), (mib * MIB + len(doc)) & 0xFFFFFFFF)


def _brotli(mib, doc):
    """Blanks as above, DOC in uncompressed meta-blocks, an empty last one."""
    stored = b""
    for at in range(0, len(doc), 65536):
        part = doc[at:at + 65536]
        stored += ((len(part) - 1) << 3 | 1 << 19).to_bytes(3, "little") + part
    return BROTLI_START + BROTLI_MORE * (mib // 4 - 1) + stored + b"\x03"


def _zstd(mib, doc):
    """One frame: RLE blocks of 128 KiB blanks, DOC in raw blocks."""
    def block(kind, size, data, last=0):
        return (size << 3 | kind << 1 | last).to_bytes(3, "little") + data
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x58"  # no sizes or checksum; window of 2 MiB
    blanks = block(1, 131072, b" ") * (mib * 8)
    raw = [doc[at:at + 65536] for at in range(0, len(doc), 65536)]
    return frame + blanks + b"".join(block(0, len(r), r, r is raw[-1]) for r in raw)


def _nested(times, doc):
    for _ in range(times):
        doc = gzip.compress(doc, mtime=0)
    return doc


PACKERS = {"gzip": _gzip, "br": _brotli, "zstd": _zstd}


def bomb(coding, mib):
    """run(exchange): MIB mebibytes of blanks and the right JSON under CODING."""
    return encoded(coding, lambda doc: PACKERS[coding](mib, doc))


def encoded(header, pack):
    def run(ex):
        answer = ex.success()
        ex.send(replace(answer, body=pack(answer.body), headers=(*answer.headers, ("Content-Encoding", header))))
    return run


add("http.gzip-bomb-1GiB", "E13", "1 GiB of blanks in 1 MiB of gzip", bomb("gzip", 1024))
add("http.br-bomb-1GiB", "E13", "1 GiB of blanks in 4 KiB of brotli", bomb("br", 1024))
add("http.zstd-bomb-1GiB", "E13", "1 GiB of blanks in 32 KiB of zstd", bomb("zstd", 1024))
add("http.gzip-of-gzip-x20", "E13", "gzip twenty times over",
    encoded(", ".join(["gzip"] * 20), lambda doc: _nested(20, doc)))
add("http.encodings-mixed", "E13", "deflate over gzip over br",
    encoded("br, gzip, deflate", lambda doc: zlib.compress(gzip.compress(_brotli(4, doc), mtime=0))))
add("http.encoding-unknown", "E13", "an encoding nobody knows", encoded("x-rot13", lambda doc: doc))
add("http.encoding-lie", "E13", "says gzip, is not", encoded("gzip", lambda doc: doc))
add("http.encoding-cut", "E13", "gzip that ends in the middle", encoded("gzip", lambda doc: gzip.compress(doc)[:-20]))
add("http.encoding-unasked", "E13", "correct gzip nobody asked for", encoded("gzip", gzip.compress))
