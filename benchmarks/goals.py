"""What the project has set itself to reach, beside what the results say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chain import ALL_FILES, LABELS, PEER
from page_text import significant
from settings import published_f1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


DAY_S, DAY_MB, FORTNIGHT_TIME, FORTNIGHT_MEMORY, PEER_TIMES = 4.0, 500.0, 14.5, 1.1, 8.0
DAY, FORTNIGHT = 24, 336
PUBLISHED_F1 = published_f1()


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes
    ----------
    what : str
        What is measured, with its unit.
    bound : float
    reached : float, optional
        None where it was not measured yet.
    least : bool
        Whether the bound is the least that is good enough, rather than the most.
    """

    what: str
    bound: float
    reached: float | None
    least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it was reached; None where it was not measured yet."""
        if self.reached is None:
            return None
        return self.reached >= self.bound if self.least else self.reached <= self.bound

    def cells(self) -> dict[str, str]:
        """Texts for a row of a table."""
        verdict = {None: "not measured yet", True: "met", False: "**not met**"}[self.met]
        return {
            "goal": self.what,
            "bound": f"{'≥' if self.least else '≤'} {self.bound:g}",
            "reached": significant(self.reached),
            "": verdict,
        }


def chain_goals(long: Mapping[str, Any] | None, short: Mapping[str, Any] | None) -> list[Goal]:
    """Goals of the whole chain; a day is taken from the long results where they are there."""
    day = long or short
    goals = [
        Goal("24 h, annotations: seconds", DAY_S, _row(day, LABELS, DAY, "wall_s")),
        Goal("24 h, all files: seconds", DAY_S, _row(day, ALL_FILES, DAY, "wall_s")),
        Goal("24 h, all files: peak memory in MB", DAY_MB, _row(day, ALL_FILES, DAY, "peak_mb")),
    ]
    for chain in (LABELS, ALL_FILES):
        pair = (f"{chain}, {FORTNIGHT:g} h", f"{chain}, {DAY:g} h")
        name = f"14 days to 24 h, {chain.removeprefix('ectopy, ')}"
        goals += [
            Goal(f"{name}: times the time", FORTNIGHT_TIME, _ratio(long, *pair, "time")),
            Goal(f"{name}: times the memory", FORTNIGHT_MEMORY, _ratio(long, *pair, "memory")),
        ]
    pair = (f"{PEER}, {DAY:g} h", f"{LABELS}, {DAY:g} h")
    what = "24 h: the chain of public parts takes so many times as long as annotations do"
    return [*goals, Goal(what, PEER_TIMES, _ratio(long, *pair, "time"), least=True)]


def startup_goals(results: Mapping[str, Any] | None) -> list[Goal]:
    """Goals of starting up, which the results themselves state."""
    rows = results["rows"] if results else []
    return [
        Goal(f"{row['what']}: seconds", row["goal_s"], row["median_s"])
        for row in rows
        if row["goal_s"] is not None
    ]


def network_goals(results: Mapping[str, Any] | None) -> list[Goal]:
    """Goals of the networks, which the results themselves state: heads of one cost, even times."""
    if not results:
        return []
    found = [
        stated(f"{one['what']}, {threads_text(one['threads'])}", one["goal"], one["value"])
        for one in results["ratios"]
        if one["goal"]
    ]
    for one in results["single_beats"]:
        if one["way"] == "network":
            name = f"one beat, one thread, network of `{one['model']}`"
            goals = results["goals"]
            found += [
                stated(f"{name}: median in ms", goals["p50_ms"], one["p50_ms"]),
                stated(f"{name}: p99 to median", goals["p99_to_p50"], one["p99_to_p50"]),
            ]
    return found


def stated(what: str, goal: str, reached: float) -> Goal:
    """Goal as a results file states it, such as ``<= 1.10``."""
    sign, bound = goal.split()
    return Goal(what, float(bound), reached, least=sign == ">=")


def threads_text(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'}"


def roofline_goals(results: Mapping[str, Any] | None) -> list[Goal]:
    """Goals of the share of what the machine can do."""
    if not results:
        return []
    found = []
    for row in results["rows"]:
        what = f"`{row['model']}`, {threads_text(row['threads'])}: share of what is possible"
        found.append(Goal(what, results["goal"], row["share_of_bound"], least=True))
    return found


def accuracy_goals(results: Mapping[str, Any] | None) -> list[Goal]:
    """Goal of the scores: the same in the engine and in PyTorch."""
    if not results:
        return []
    most = max(abs(row["difference"]) for row in results["rows"])
    what = "macro F1 of engine and PyTorch: largest difference of any bundle"
    goals = [Goal(what, results["tolerance"], most)]
    f1 = {row["model"]: row["macro_f1"] for row in results["rows"]}
    better = {
        "macro F1 of `rhythm-kan/intra`, against the published CNN+MLP's on the same test beats": (
            PUBLISHED_F1,
            f1.get("rhythm-kan/intra"),
        ),
        "macro F1 of `rhythm-kan/inter`, against `cnn-mlp/inter`'s, by patients": (
            f1.get("cnn-mlp/inter"),
            f1.get("rhythm-kan/inter"),
        ),
    }
    return goals + [
        Goal(name, bound, reached, least=True)
        for name, (bound, reached) in better.items()
        if bound is not None
    ]


def all_goals(kept: Callable[[str], Any]) -> Iterator[tuple[str, list[Goal]]]:
    """Goals by the section that they are told in."""
    yield "network", network_goals(kept("network"))
    yield "roofline", roofline_goals(kept("roofline"))
    yield "accuracy", accuracy_goals(kept("accuracy"))
    yield "chain", chain_goals(kept("chain_long"), kept("chain"))
    yield "startup", startup_goals(kept("startup"))


def _row(results: Mapping[str, Any] | None, chain: str, hours: float, key: str) -> float | None:
    rows = results["rows"] if results else []
    return next((r[key] for r in rows if r["chain"] == chain and r["hours"] == hours), None)


def _ratio(results: Mapping[str, Any] | None, of: str, to: str, key: str) -> float | None:
    found = results["ratios"] if results else []
    return next((one[key] for one in found if (one["of"], one["to"]) == (of, to)), None)
