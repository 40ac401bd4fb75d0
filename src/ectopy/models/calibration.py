"""What a bundle says of its certainties: how they were made honest, and on which beats."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

from ectopy.errors import BundleError

METHOD = "temperature"
HELD_OUT_IN_TURN = "patients held out in turn"
"""What a temperature was fitted on where the recipe brings it and nothing is validated."""


@dataclass(frozen=True)
class Calibration:
    """The temperature by which logits are divided before they become probabilities.

    Which class is the most probable one does not depend on it (Guo, Pleiss, Sun, Weinberger 2017,
    ICML, section 4.2).

    Attributes
    ----------
    temperature : float
        Above 1 where the network is too sure of itself.
    fitted_on : str
        Part of the protocol whose beats it was fitted on, or `HELD_OUT_IN_TURN`.
    n : int
        How many beats those were.
    """

    temperature: float
    fitted_on: str
    n: int

    @classmethod
    def from_dict(cls, table: Any) -> Self:
        """Read it back from a configuration.

        Raises
        ------
        BundleError
            If it is not what `to_dict` gives.

        Examples
        --------
        >>> table = {"method": "temperature", "temperature": 1.5, "fitted_on": "validation", "n": 9}
        >>> Calibration.from_dict(table).temperature
        1.5
        """
        expected = {"method", *cls.__dataclass_fields__}
        if not isinstance(table, dict) or set(table) != expected:
            found = sorted(table) if isinstance(table, dict) else table
            raise _refused(f"entries {found!r}", f"{', '.join(sorted(expected))}")
        if table["method"] != METHOD:
            raise _refused(f"method = {table['method']!r}", repr(METHOD))
        temperature, n = table["temperature"], table["n"]
        if (
            isinstance(temperature, bool)
            or not isinstance(temperature, int | float)
            or not 0 < temperature < math.inf
        ):
            raise _refused(f"temperature = {temperature!r}", "a finite number above 0")
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise _refused(f"n = {n!r}", "a whole number above 0")
        if not isinstance(table["fitted_on"], str):
            raise _refused(f"fitted_on = {table['fitted_on']!r}", "the name of a part")
        return cls(float(temperature), table["fitted_on"], n)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for config.json."""
        return {"method": METHOD, **asdict(self)}


def _refused(found: str, expected: str) -> BundleError:
    return BundleError(
        f"calibration has {found}, expected {expected}; update ectopy or train the model again"
    )
