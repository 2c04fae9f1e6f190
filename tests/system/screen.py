# SPDX-License-Identifier: Apache-2.0
"""What a camera and a small terminal make of a transcript."""

import re
import subprocess
import tempfile

from harness.client import COLUMNS, ROWS

HALF_BLOCKS = re.compile(r"[\u2580\u2584\u2588 ]{20,}")
ASCII_BLOCKS = re.compile(r"[# ]{40,}")
#: Light above, light below: text is light on dark.
PIXELS = {" ": (0, 0), "\u2580": (255, 0), "\u2584": (0, 255), "\u2588": (255, 255)}
MODULE = 4  # pixels
MARGIN = 4  # modules, of the terminal's own dark background


def fits(text: str) -> bool:
    """Whether nothing wraps and nothing scrolls away on 80 x 24."""
    lines = text.split("\n")
    return len(lines) <= ROWS and all(len(line) <= COLUMNS for line in lines)


def without_drawing(text: str) -> str:
    return "\n".join(line for line in text.split("\n")
                     if not HALF_BLOCKS.fullmatch(line) and not ASCII_BLOCKS.fullmatch(line))


def _rows(text: str) -> list[list[int]]:
    rows = []
    for line in text.split("\n"):
        if "\u2588" in line and HALF_BLOCKS.fullmatch(line) or "\u2580" * 20 in line:
            pixels = [PIXELS[character] for character in line]
            rows += [[upper for upper, _ in pixels], [lower for _, lower in pixels]]
        elif ASCII_BLOCKS.fullmatch(line) and "#" in line:
            rows.append([255 if character == "#" else 0 for character in line[::2]])
    return rows


def scan(text: str) -> str:
    """What a telephone reads from the QR code on the screen."""
    rows = _rows(text)
    assert rows, f"no QR code in:\n{text}"
    width = max(map(len, rows))
    edge = [[0] * (width + 2 * MARGIN)] * MARGIN
    padded = [[0] * MARGIN + row + [0] * (width - len(row) + MARGIN) for row in rows]
    image = b"".join(
        bytes(value for value in row for _ in range(MODULE)) * MODULE
        for row in [*edge, *padded, *edge])
    size = f"{(width + 2 * MARGIN) * MODULE} {(len(rows) + 2 * MARGIN) * MODULE}"
    with tempfile.NamedTemporaryFile(suffix=".pgm") as file:
        file.write(f"P5 {size} 255\n".encode() + image)
        file.flush()
        done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable",
                               file.name], capture_output=True, text=True)
    assert done.returncode == 0, f"nobody can read this QR code:\n{text}\n{done.stderr}"
    return done.stdout.strip()
