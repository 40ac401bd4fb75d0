"""Signal file formats of WFDB: how many samples some bytes hold, and which.

The formats are those of the WFDB Applications Guide, signal(5). The `wfdb` package decodes them
too, but only for files whose names it accepts; the tests hold both to the same values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Decoder = Callable[[NDArray[np.uint8]], NDArray[np.integer]]

_Int = TypeVar("_Int", np.int16, np.int32)


@dataclass(frozen=True)
class SampleFormat:
    """One way to store samples.

    Attributes
    ----------
    group : int
        Samples that are packed together.
    ends : tuple of int
        Bytes from the start of a group up to the end of its first, second, ... sample; the last
        one is the size of the group.
    missing : int or None
        The value that stands for a missing sample.
    decode : callable
        From whole groups of bytes to samples.
    """

    group: int
    ends: tuple[int, ...]
    missing: int | None
    decode: Decoder

    def samples_in(self, n_bytes: int) -> int:
        """Return how many whole samples `n_bytes` bytes hold."""
        groups, rest = divmod(max(n_bytes, 0), max(self.ends))
        return groups * self.group + sum(end <= rest for end in self.ends)

    def bytes_for(self, n_samples: int) -> int:
        """Return how many bytes `n_samples` samples take, up to the end of their last group."""
        return -(-n_samples // self.group) * max(self.ends)

    def samples(self, raw: NDArray[np.uint8], n_samples: int) -> NDArray[np.integer]:
        """Decode the first `n_samples` samples; the last group may be cut short."""
        lacking = -len(raw) % max(self.ends)
        return self.decode(np.pad(raw, (0, lacking)) if lacking else raw)[:n_samples]


def _plain(code: str, offset: int = 0) -> Decoder:
    def decode(raw: NDArray[np.uint8]) -> NDArray[np.integer]:
        values = raw.view(np.dtype(code))
        return values.astype(np.int32) - offset if offset else values

    return decode


def _decode_24(raw: NDArray[np.uint8]) -> NDArray[np.int32]:
    low, middle, high = raw.reshape(-1, 3).astype(np.int32).T
    return _signed(low | middle << 8 | high << 16, 24)


def _decode_212(raw: NDArray[np.uint8]) -> NDArray[np.int16]:
    # Half a byte of each sample of a pair, its upper one, is in the byte between them.
    triples = raw.reshape(-1, 3)
    shared = triples[:, 1].astype(np.int16)
    pairs = np.empty((len(triples), 2), dtype=np.int16)
    pairs[:, 0] = (shared & 0x0F) << 8
    pairs[:, 1] = (shared & 0xF0) << 4
    pairs |= triples[:, ::2]
    return _signed(pairs.ravel(), 12)


def _decode_310(raw: NDArray[np.uint8]) -> NDArray[np.int32]:
    # Two 16-bit words, each with a sample in its bits 1 to 11 and half of the third above them.
    one, two = raw.view("<u2").reshape(-1, 2).astype(np.int32).T
    third = one >> 11 | (two >> 11) << 5
    return _signed(np.stack([one >> 1 & 0x3FF, two >> 1 & 0x3FF, third], axis=1).ravel(), 10)


def _decode_311(raw: NDArray[np.uint8]) -> NDArray[np.int32]:
    words = raw.view("<u4")
    triples = np.stack([words >> shift & 0x3FF for shift in (0, 10, 20)], axis=1)
    return _signed(triples.ravel().astype(np.int32), 10)


def _signed(values: NDArray[_Int], bits: int) -> NDArray[_Int]:
    """Read the lowest `bits` bits as a number in two's complement, in place."""
    half = values.dtype.type(1 << (bits - 1))
    values ^= half
    values -= half
    return values


FORMATS = {
    "8": SampleFormat(1, (1,), None, _plain("i1")),
    "16": SampleFormat(1, (2,), -(2**15), _plain("<i2")),
    "24": SampleFormat(1, (3,), -(2**23), _decode_24),
    "32": SampleFormat(1, (4,), -(2**31), _plain("<i4")),
    "61": SampleFormat(1, (2,), -(2**15), _plain(">i2")),
    "80": SampleFormat(1, (1,), -(2**7), _plain("u1", 2**7)),
    "160": SampleFormat(1, (2,), -(2**15), _plain("<u2", 2**15)),
    "212": SampleFormat(2, (2, 3), -(2**11), _decode_212),
    "310": SampleFormat(3, (2, 4, 4), -(2**9), _decode_310),
    "311": SampleFormat(3, (2, 3, 4), -(2**9), _decode_311),
}
"""Sample formats that are not compressed, by their number. Format 8 stores differences; it is the
reader that sums them up, signal by signal."""

FLAC_BITS = {"508": 8, "516": 16, "524": 24}
"""Formats compressed with FLAC, and the bits of a sample that each holds at most."""

READ_FORMATS = (*FORMATS, *FLAC_BITS)
"""Every sample format that is read."""


def missing_value(form: str) -> int | None:
    """Return the value that stands for a missing sample in a format; None where nothing does."""
    return -(1 << (FLAC_BITS[form] - 1)) if form in FLAC_BITS else FORMATS[form].missing
