"""Judging finders: on made-up records, where every number is known."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import wfdb

from ectopy.data.mitdb import load
from ectopy.errors import DataError, MissingExtra, ProtocolError, SignalError
from ectopy.evaluation.finding import evaluate_finder, noise_curves, stability

if TYPE_CHECKING:
    from collections.abc import Callable

FS = 360
RECORDS = ("100", "101", "102")
# Beats of a record, every 1.5 s from second 1: in order, one class in four.
SYMBOLS = ("N", "A", "V", "N")
SECONDS = 360
START_S = 60.0
AFTER_START = [at for at in range(FS, SECONDS * FS - FS, FS * 3 // 2) if at >= START_S * FS]


def beat_places() -> np.ndarray:
    return np.arange(FS, SECONDS * FS - FS, FS * 3 // 2)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three records whose beats are spikes, of 1 mV in the first lead and 0.5 mV in the second."""
    folder = tmp_path_factory.mktemp("mitdb")
    peaks = beat_places()
    symbols = [SYMBOLS[row % 4] for row in range(len(peaks))]
    for record in RECORDS:
        leads = ["V5", "MLII"] if record == "102" else ["MLII", "V1"]
        signal = np.zeros((SECONDS * FS, 2), dtype=np.int64)
        for around, height in ((-1, 100), (0, 200), (1, 100)):
            signal[peaks + around] = [height, height // 2]
        wfdb.wrsamp(
            record,
            fs=FS,
            units=["mV", "mV"],
            sig_name=leads,
            d_signal=signal,
            fmt=["212", "212"],
            adc_gain=[200, 200],
            baseline=[0, 0],
            write_dir=str(folder),
        )
        wfdb.wrann(record, "atr", sample=peaks, symbol=symbols, write_dir=str(folder))
    return folder


@pytest.fixture(scope="module")
def noise_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A noise record `em` of white noise, twice as loud after its first 300 seconds."""
    folder = tmp_path_factory.mktemp("nstdb")
    noise = 20 * np.random.default_rng(1).standard_normal((700 * FS, 2))
    noise[300 * FS :] *= 2
    wfdb.wrsamp(
        "em",
        fs=FS,
        units=["mV", "mV"],
        sig_name=["noise1", "noise2"],
        d_signal=np.round(noise).astype(np.int64),
        fmt=["16", "16"],
        adc_gain=[200, 200],
        baseline=[0, 0],
        write_dir=str(folder),
    )
    return folder


def find_spikes(signal_mv: np.ndarray, fs: float) -> np.ndarray:
    """Find tops above 0.3 mV."""
    inner = signal_mv[1:-1]
    is_top = (inner > 0.3) & (inner >= signal_mv[:-2]) & (inner > signal_mv[2:])
    return np.flatnonzero(is_top) + 1


def find_all_but(signal_mv: np.ndarray, fs: float, *, skip: int, late: int = 0) -> np.ndarray:
    """Find all spikes but each that comes `skip`-th."""
    found = find_spikes(signal_mv, fs)
    return np.delete(found, np.arange(skip - 1, len(found), skip)) + late


def fail_on_102(signal_mv: np.ndarray, fs: float) -> np.ndarray:
    if signal_mv.max() < 0.8:
        msg = "cannot\nbear small spikes"
        raise ValueError(msg)
    return find_spikes(signal_mv, fs)


def test_a_perfect_finder(database):
    result = evaluate_finder(find_spikes, RECORDS, folder=database, start_s=START_S)
    n_beats = 3 * len(AFTER_START)
    perfect = {"se": 1.0, "ppv": 1.0, "f1": 1.0}
    assert result["gross"] == {"tp": n_beats, "fn": 0, "fp": 0} | perfect
    assert result["average"] == perfect
    assert result["made_up"] == 0
    assert result["timing_ms"] == {"mean": 0.0, "sd": 0.0, "p95_abs": 0.0}
    assert result["hours"] == pytest.approx(3 * SECONDS / 3600)
    assert 0 < result["seconds"] < 5
    assert result["failed"] == {}
    assert list(result["per_record"]) == list(RECORDS)
    assert (result["start_s"], result["window_s"], result["lead"]) == (START_S, 0.15, "index0")


def test_missed_beats_are_counted_by_class(database):
    result = evaluate_finder(
        partial(find_all_but, skip=3), ["100", "101"], folder=database, start_s=START_S
    )
    rows = np.arange(len(beat_places()))
    scored = beat_places() >= START_S * FS
    expected = {}
    for name, symbol in (("N", "N"), ("S", "A"), ("V", "V"), ("F", "F"), ("Q", "Q")):
        of_class = scored & (np.array(SYMBOLS)[rows % 4] == symbol)
        missed = of_class & (rows % 3 == 2)
        expected[name] = {"missed": 2 * int(missed.sum()), "of": 2 * int(of_class.sum())}
    assert result["missed"] == expected
    assert expected["V"]["missed"] > 0
    fn = sum(one["missed"] for one in expected.values())
    assert result["gross"]["fn"] == fn
    assert result["gross"]["se"] == pytest.approx(1 - fn / (2 * len(AFTER_START)))
    assert result["per_record"]["100"]["fn"] == fn // 2


def test_made_up_beats_and_timing(database):
    def find(signal_mv: np.ndarray, fs: float) -> np.ndarray:
        late = find_spikes(signal_mv, fs) + np.tile([2, 6], 200)[: len(find_spikes(signal_mv, fs))]
        return np.sort(np.append(late, [50, *(late[-10:] + 150)]))

    result = evaluate_finder(find, ["101"], folder=database, start_s=START_S)
    # The one at sample 50 comes before scoring starts.
    assert result["made_up"] == result["gross"]["fp"] == 10
    assert result["gross"]["fn"] == 0
    timing = result["per_record"]["101"]["timing_ms"]
    assert timing == result["timing_ms"]
    assert timing["mean"] == pytest.approx(4 / FS * 1000, rel=0.01)
    assert timing["sd"] == pytest.approx(2 / FS * 1000, rel=0.01)
    assert timing["p95_abs"] == pytest.approx(6 / FS * 1000)


def test_leads(database):
    def heights(lead: str) -> list[tuple[str, float]]:
        seen = []

        def find(signal_mv: np.ndarray, fs: float) -> np.ndarray:
            seen.append(float(signal_mv.max()))
            return find_spikes(signal_mv, fs)

        result = evaluate_finder(find, ["100", "102"], lead=lead, folder=database, start_s=0)
        names = [one["lead"] for one in result["per_record"].values()]
        return list(zip(names, seen, strict=True))

    assert heights("index0") == [("MLII", 1.0), ("V5", 1.0)]
    assert heights("index1") == [("V1", 0.5), ("MLII", 0.5)]
    assert heights("name") == [("MLII", 1.0), ("MLII", 0.5)]


def test_a_finder_that_fails_has_found_nothing_there(database):
    result = evaluate_finder(fail_on_102, RECORDS, lead="name", folder=database, start_s=START_S)
    assert result["failed"] == {"102": "ValueError: cannot bear small spikes"}
    assert result["per_record"]["102"]["fn"] == len(AFTER_START)
    assert result["per_record"]["102"]["timing_ms"] == {"mean": None, "sd": None, "p95_abs": None}
    assert result["gross"]["se"] == pytest.approx(2 / 3)
    # No rate of a record in which nothing was found takes part, where it has none.
    assert result["average"] == {"se": pytest.approx(2 / 3), "ppv": 1.0, "f1": pytest.approx(2 / 3)}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (np.array([9, 5]), "gave indices that do not ascend within the 129600 samples"),
        (np.array([5, 5]), "gave indices that do not ascend within the 129600 samples"),
        (np.array([-1, 5]), "gave indices that do not ascend within the 129600 samples"),
        (np.array([5, 129600]), "gave indices that do not ascend within the 129600 samples"),
        (np.array([0.5]), "gave float64 of shape (1,), not one list of sample indices"),
        (np.zeros((2, 2), int), "gave int64 of shape (2, 2), not one list of sample indices"),
    ],
)
def test_what_no_list_of_beats_is(database, answer, problem):
    result = evaluate_finder(lambda *_: answer, ["100"], folder=database, start_s=START_S)
    assert result["failed"]["100"].startswith(problem)
    assert result["gross"]["tp"] == 0


def test_a_finder_cannot_change_the_signal_for_the_next(database, noise_folder):
    def wipe(signal_mv: np.ndarray, fs: float) -> list[int]:
        signal_mv[:] = 0
        return []

    curves = noise_curves(
        {"wipe": wipe, "spikes": find_spikes},
        ["100"],
        levels_db=(),
        schedules=("continuous",),
        folder=database,
        noise_folder=noise_folder,
        start_s=START_S,
    )["curves"]["continuous"]
    assert curves["wipe"][0]["se"] == 0.0
    assert curves["spikes"][0]["se"] == 1.0


def test_a_missing_package_stops_everything(database):
    def find(signal_mv: np.ndarray, fs: float) -> np.ndarray:
        msg = "the peer needs a package"
        raise MissingExtra(msg)

    with pytest.raises(MissingExtra, match="the peer needs a package"):
        evaluate_finder(find, ["100"], folder=database)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"records": ()}, "there is no record to judge a finder on; name one or more"),
        ({"jobs": 0}, "cannot work with 0 jobs; give 1 or more"),
        (
            {"lead": "MLII"},
            "cannot choose a lead by 'MLII'; choose one of: index0, index1, name",
        ),
    ],
)
@pytest.mark.parametrize("judge", [evaluate_finder, stability])
def test_what_cannot_be_asked_for(database, judge, change, message):
    options = {"records": ["100"], "folder": database} | change
    with pytest.raises(ProtocolError) as error:
        judge(find_spikes, **options)
    assert str(error.value) == message


def test_a_record_that_is_not_there(database):
    with pytest.raises(DataError, match="of mitdb not found"):
        evaluate_finder(find_spikes, ["103"], folder=database)


@pytest.mark.slow
def test_several_processes_give_the_same(database, noise_folder):
    def without_seconds(result: dict) -> dict:
        return json.loads(
            json.dumps(result), object_hook=lambda one: {k: one[k] for k in one if k != "seconds"}
        )

    find = partial(find_all_but, skip=5)
    judges: list[Callable[[int], dict]] = [
        lambda jobs: evaluate_finder(find, RECORDS, folder=database, jobs=jobs),
        lambda jobs: stability(find, RECORDS, folder=database, rates_hz=(250.0,), jobs=jobs),
        lambda jobs: noise_curves(
            {"spikes": find}, RECORDS, folder=database, noise_folder=noise_folder, jobs=jobs,
            levels_db=(6.0,), start_s=START_S,
        ),
    ]  # fmt: skip
    for judge in judges:
        assert without_seconds(judge(1)) == without_seconds(judge(2))


@pytest.fixture(scope="module")
def results(database, noise_folder) -> dict:
    finders = {"spikes": find_spikes, "fussy": fail_on_102}
    return noise_curves(
        finders,
        RECORDS,
        levels_db=(40.0, 0.0, -6.0),
        lead="name",
        folder=database,
        noise_folder=noise_folder,
        start_s=START_S,
    )


class TestNoiseCurves:
    def test_points_come_by_schedule_finder_and_level(self, results):
        assert list(results["curves"]) == ["continuous", "alternating"]
        for curves in results["curves"].values():
            assert list(curves) == ["spikes", "fussy"]
            for points in curves.values():
                assert [point["snr_db"] for point in points] == [None, 40.0, 0.0, -6.0]

    def test_clean_is_as_without_noise(self, results, database):
        alone = evaluate_finder(find_spikes, RECORDS, lead="name", folder=database, start_s=START_S)
        for curves in results["curves"].values():
            clean = curves["spikes"][0]
            assert {key: clean[key] for key in alone["gross"]} == alone["gross"]
            assert clean["average"] == alone["average"]

    def test_more_noise_is_harder_and_continuous_noise_hardest(self, results):
        curves = {name: points["spikes"] for name, points in results["curves"].items()}
        for points in curves.values():
            f1 = [point["f1"] for point in points]
            assert f1[0] == f1[1] == 1.0
            assert f1[1] > f1[2] > f1[3]
        for continuous, alternating in zip(
            *(points[2:] for points in curves.values()), strict=True
        ):
            assert continuous["f1"] < alternating["f1"]

    def test_failures_are_named(self, results):
        points = results["curves"]["continuous"]["fussy"]
        assert points[0]["failed"] == {"102": "ValueError: cannot bear small spikes"}
        assert points[-1]["failed"] == {}

    def test_what_was_added_is_said(self, results):
        noise = results["noise"]
        assert (noise["kind"], noise["meaning"]) == ("em", "electrode motion")
        assert noise["part_s"] == [330.0, 585.0]
        assert noise["calibrated_on"] == "record"
        assert noise["calibrated_by_mv"] == pytest.approx([0.1, 0.1], rel=0.01)
        assert noise["amplitude_mv"] == pytest.approx([0.2, 0.2], rel=0.01)
        assert noise["louder_than_calibrated_db"] == pytest.approx([6.02, 6.02], abs=0.1)

    def test_json(self, results):
        assert json.loads(json.dumps(results, allow_nan=False)) == results

    def test_calibration_on_the_part_gives_softer_noise(self, results, database, noise_folder):
        softer = noise_curves(
            {"spikes": find_spikes},
            RECORDS,
            levels_db=(0.0,),
            schedules=("continuous",),
            calibrate_on="part",
            lead="name",
            folder=database,
            noise_folder=noise_folder,
            start_s=START_S,
        )
        assert softer["noise"]["louder_than_calibrated_db"] == [0.0, 0.0]
        usual = results["curves"]["continuous"]["spikes"][2]
        assert softer["curves"]["continuous"]["spikes"][1]["f1"] > usual["f1"]

    def test_noise_of_the_lead_s_own_channel(self, database, noise_folder):
        heard = []

        def find(signal_mv: np.ndarray, fs: float) -> np.ndarray:
            heard.append(signal_mv)
            return find_spikes(signal_mv, fs)

        options = {"folder": database, "noise_folder": noise_folder, "start_s": START_S}
        options |= {"levels_db": (0.0,), "schedules": ("continuous",)}
        noise_curves({"a": find}, ["100"], lead="index0", **options)
        noise_curves({"a": find}, ["100"], lead="index1", **options)
        recording, _ = load("100", database)
        first, second = (
            noisy - recording.signal_mv[:, lead] for lead, noisy in enumerate(heard[1::2])
        )
        late = slice(int(START_S * FS), None)
        assert abs(np.corrcoef(np.diff(first[late]), np.diff(second[late]))[0, 1]) < 0.05
        # Half the height of beats, half the noise.
        assert np.diff(second[late]).std() == pytest.approx(
            np.diff(first[late]).std() / 2, rel=0.05
        )

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"records": ()}, ProtocolError, "there is no record to judge a finder on"),
            (
                {"calibrate_on": "luck"},
                ProtocolError,
                "cannot calibrate on 'luck'; choose one of: record, part",
            ),
            ({"kind": "hum"}, DataError, "nstdb has no noise 'hum'; choose one of: bw, em, ma"),
            (
                {"schedules": ("often",)},
                SignalError,
                "unknown schedule 'often'; choose one of: continuous, alternating",
            ),
        ],
    )
    def test_what_cannot_be_asked_for(self, database, noise_folder, change, error, message):
        options = {"records": ["100"], "folder": database, "noise_folder": noise_folder} | change
        with pytest.raises(error, match=message):
            noise_curves({"spikes": find_spikes}, **options)


class TestStability:
    def test_a_finder_that_looks_at_heights(self, database):
        result = stability(find_spikes, RECORDS, folder=database, rates_hz=(720.0,))
        n_beats = 3 * len(beat_places())
        assert list(result["forms"]) == ["720 Hz", "inverted", "gain 0.2", "gain 5"]
        assert result["forms"]["720 Hz"] == {
            "meaning": "resampled from 360 to 720 Hz",
            "beats": n_beats,
            "found_again": n_beats,
            "share": 1.0,
            "lost": 0,
            "moved": 0,
            "new": 0,
        }
        for form in ("inverted", "gain 0.2"):
            assert result["forms"][form]["lost"] == n_beats
            assert result["forms"][form]["moved"] == 0
            assert result["forms"][form]["share"] == 0.0
        assert result["forms"]["gain 5"]["share"] == 1.0
        assert result["per_record"]["102"]["inverted"] == {"lost": len(beat_places()), "new": 0}
        assert result["failed"] == {}
        assert json.loads(json.dumps(result, allow_nan=False)) == result

    def test_what_is_only_found_in_another_form_is_new(self, database):
        def find(signal_mv: np.ndarray, fs: float) -> np.ndarray:
            found = find_spikes(signal_mv, fs)
            if signal_mv.max() > 2:  # 20 ms later, and one more
                return np.append(found + 7, len(signal_mv) - 1)
            return found

        result = stability(find, ["100"], folder=database, rates_hz=(), gains=(3.0, 5.0))
        assert result["forms"]["gain 5"]["found_again"] == len(beat_places())
        assert result["forms"]["gain 5"]["new"] == 1

        def find_later(signal_mv: np.ndarray, fs: float) -> np.ndarray:
            return find_spikes(signal_mv, fs) + (8 if signal_mv.max() > 2 else 0)

        result = stability(find_later, ["100"], folder=database, rates_hz=(), gains=(5.0,))
        moved = result["forms"]["gain 5"]
        n_beats = len(beat_places())
        assert (moved["lost"], moved["moved"], moved["new"]) == (n_beats, n_beats, n_beats)

    def test_a_finder_that_fails(self, database):
        result = stability(
            fail_on_102, RECORDS, lead="name", folder=database, rates_hz=(), gains=(0.5, 2.0)
        )
        message = "ValueError: cannot bear small spikes"
        everywhere = {"100": message, "101": message}
        assert result["failed"] == {
            "inverted": everywhere, "gain 0.5": everywhere, "unchanged": {"102": message}
        }  # fmt: skip
        assert list(result["per_record"]) == ["100", "101"]
        assert result["forms"]["gain 2"]["beats"] == 2 * len(beat_places())

    def test_no_form(self, database):
        with pytest.raises(ProtocolError) as error:
            stability(find_spikes, ["100"], folder=database, rates_hz=(), gains=())
        assert str(error.value) == (
            "there is no form to compare with; give a sampling frequency or a gain"
        )


@pytest.mark.slow
def test_a_peer_on_a_real_record(mitdb_dir):
    pytest.importorskip("sleepecg")
    from ectopy.evaluation.peers import get_peer

    result = evaluate_finder(get_peer("sleepecg"), ["118"], folder=mitdb_dir)
    assert result["missed"]["N"]["of"] + result["missed"]["S"]["of"] > 1800
    assert result["gross"]["f1"] > 0.99
    assert result["timing_ms"]["p95_abs"] < 100
