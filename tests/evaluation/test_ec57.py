"""EC57 comparison: which beats match, which count, and which do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ectopy.errors import ProtocolError, RecordingError
from ectopy.evaluation.ec57 import Comparison, Marks, compare, marks_of_beats, score, summarise
from ectopy.evaluation.ec57_counting import CLASS_MAPS
from ectopy.evaluation.ec57_scores import COLUMNS, ROWS

FS = 100.0
WINDOW = 15  # samples
START = 30_000  # five minutes
UNREADABLE, READABLE = 0x30, 0


def marks(*those: tuple, fs: float = FS) -> Marks:
    """Marks from (sample, symbol) or (sample, symbol, subtype)."""
    samples = np.array([mark[0] for mark in those], dtype=np.int64)
    symbols = np.array([mark[1] for mark in those], dtype="<U1")
    subtypes = np.array([mark[2] if len(mark) > 2 else 0 for mark in those], dtype=np.int8)
    return Marks(samples, symbols, fs, subtypes)


def beats(*samples: int, symbol: str = "N") -> Marks:
    return marks(*((sample, symbol) for sample in samples))


def late(*samples: int, symbol: str = "N") -> Marks:
    """Beats a long way after the start of the test period."""
    return beats(*(START + 1000 + sample for sample in samples), symbol=symbol)


def cells(comparison: Comparison) -> dict[str, int]:
    """Name the cells of the matrix that are not empty: {"Nn": 3}."""
    rows, columns = np.nonzero(comparison.matrix)
    return {
        ROWS[r] + COLUMNS[c]: int(comparison.matrix[r, c])
        for r, c in zip(rows, columns, strict=True)
    }


def run(reference: Marks, test: Marks, **more: object) -> Comparison:
    return compare(reference, test, **{"stop_s": 400.0, **more})


# Matching


@pytest.mark.parametrize("distance", [0, 1, -1, WINDOW, -WINDOW])
def test_beats_match_up_to_150_ms(distance):
    result = run(late(100), late(100 + distance))
    assert result.pairs.tolist() == [[0, 0]]
    assert cells(result) == {"Nn": 1}


@pytest.mark.parametrize("distance", [WINDOW + 1, -WINDOW - 1])
def test_one_sample_more_is_no_match(distance):
    result = run(late(100), late(100 + distance))
    assert result.missed.tolist() == [0]
    assert result.extra.tolist() == [0]
    assert cells(result) == {"No": 1, "On": 1}


@pytest.mark.parametrize(("fs", "samples"), [(360.0, 54), (250.0, 38), (128.0, 19)])
def test_the_window_is_rounded_to_samples_halves_up(fs, samples):
    at = round(310 * fs)
    for distance, found in ((samples, 1), (samples + 1, 0)):
        result = run(marks((at, "N"), fs=fs), marks((at + distance, "N"), fs=fs))
        assert len(result.pairs) == found


def test_of_two_detections_the_closer_one_matches():
    result = run(late(100, 500), late(90, 102, 500))
    assert result.pairs.tolist() == [[0, 1], [1, 2]]
    assert result.extra.tolist() == [0]


def test_of_two_equally_close_detections_the_second_matches():
    result = run(late(100, 500), late(95, 105, 500))
    assert result.pairs.tolist() == [[0, 1], [1, 2]]
    assert result.extra.tolist() == [0]


def test_one_detection_between_two_beats_matches_the_closer_one():
    result = run(late(100, 120, 500), late(112, 500))
    assert result.pairs.tolist() == [[1, 0], [2, 1]]
    assert result.missed.tolist() == [0]
    result = run(late(100, 120, 500), late(107, 500))
    assert result.pairs.tolist() == [[0, 0], [2, 1]]
    assert result.missed.tolist() == [1]


def test_one_detection_halfway_between_two_beats_matches_the_second():
    result = run(late(100, 120, 500), late(110, 500))
    assert result.pairs.tolist() == [[1, 0], [2, 1]]
    assert result.missed.tolist() == [0]


@pytest.mark.parametrize("swap", [False, True])
def test_a_rival_that_has_a_closer_partner_is_no_rival(swap):
    # As fast as this, each beat lies within the window of two others.
    first, second = late(100, 112, 500), late(106, 114, 500)
    result = run(*((second, first) if swap else (first, second)))
    assert result.pairs.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_two_reference_beats_on_one_sample_take_one_detection():
    result = run(late(100, 100, 500), late(101, 500))
    assert len(result.pairs) == 2
    assert len(result.missed) == 1
    assert len(result.extra) == 0


# The start


def test_beats_before_the_start_do_not_count():
    result = run(beats(100, START - 1, START + 500), beats(100, 9000, START - 1, START + 500))
    assert result.pairs.tolist() == [[2, 3]]
    assert cells(result) == {"Nn": 1}


def test_the_first_sample_of_the_period_counts():
    result = run(beats(START), beats(START))
    assert cells(result) == {"Nn": 1}


def test_a_beat_after_the_start_may_match_one_found_before_it():
    result = run(beats(START + 5, START + 500), beats(START - 5, START + 500))
    assert result.pairs.tolist() == [[0, 0], [1, 1]]


def test_a_beat_found_after_the_start_may_belong_to_one_before_it():
    # It counts nowhere: neither as matched nor as extra.
    result = run(beats(START - 5, START + 500), beats(START + 5, START + 500))
    assert result.pairs.tolist() == [[1, 1]]
    assert cells(result) == {"Nn": 1}


def test_that_beat_counts_where_it_is_too_late_for_one_before_the_start():
    found = START + WINDOW + 1
    result = run(beats(START - 5, START + 500), beats(found, START + 500))
    assert cells(result) == {"Nn": 1, "On": 1}


@pytest.mark.parametrize(("fs", "start"), [(360.0, 108_000), (250.5, 75_150)])
def test_the_start_is_rounded_to_samples(fs, start):
    reference = marks((start - 1, "N"), (start + 500, "N"), fs=fs)
    assert cells(run(reference, marks(fs=fs))) == {"No": 1}
    reference = marks((start, "N"), (start + 500, "N"), fs=fs)
    assert cells(run(reference, marks(fs=fs))) == {"No": 2}


def test_another_start_can_be_set():
    reference, test = beats(50, 150, 250), beats(51, 152)
    assert cells(run(reference, test, start_s=0)) == {"Nn": 2, "No": 1}
    assert cells(run(reference, test, start_s=1)) == {"Nn": 1, "No": 1}


def test_a_beat_found_on_sample_0_belongs_to_the_beginning_of_the_file():
    result = run(beats(150), beats(0, 150), start_s=0)
    assert cells(result) == {"Nn": 1}
    assert cells(run(beats(150), beats(1, 150), start_s=0)) == {"Nn": 1, "On": 1}


# The end


def test_the_last_sample_of_the_period_counts_and_the_next_does_not():
    result = run(beats(40_000), beats())
    assert cells(result) == {"No": 1}
    result = run(beats(40_001), beats(40_001))
    assert cells(result) == {}


def test_a_match_may_straddle_the_end():
    assert cells(run(beats(39_995), beats(40_005))) == {"Nn": 1}
    assert cells(run(beats(40_005), beats(39_995))) == {"Nn": 1}


def test_beats_found_after_the_last_reference_beat_are_extra():
    result = run(beats(31_000), beats(31_000, 35_000, 39_000, 41_000))
    assert result.extra.tolist() == [1, 2]


def test_without_a_length_the_comparison_ends_with_the_reference():
    result = run(beats(31_000, 32_000), beats(31_000, 31_500, 32_001, 35_000), stop_s=None)
    assert result.pairs.tolist() == [[0, 0], [1, 2]]
    assert result.extra.tolist() == [1]
    assert result.stop_s is None


def test_where_the_test_file_ends_early_the_rest_is_missed():
    result = run(beats(31_000, 32_000, 33_000), beats(31_000))
    assert result.missed.tolist() == [1, 2]


# Flutter


def test_beats_found_in_reference_flutter_count_nowhere():
    reference = marks((31_000, "N"), (32_000, "["), (34_000, "]"), (35_000, "N"))
    test = beats(31_000, 31_900, 32_000, 33_000, 34_000, 34_100, 35_000)
    result = run(reference, test)
    assert result.in_flutter.tolist() == [2, 3, 4]
    assert result.extra.tolist() == [1, 5]
    assert cells(result) == {"Nn": 2, "On": 2}
    assert result.flutter_s == 20.0


def test_reference_beats_and_waves_in_flutter_are_passed_over():
    inside = [(32_500, "!"), (32_600, "V"), (32_700, "+")]
    reference = marks((31_000, "N"), (32_000, "["), *inside, (34_000, "]"), (35_000, "N"))
    for class_map in CLASS_MAPS:
        result = run(reference, beats(31_000, 32_600, 35_000), class_map=class_map)
        assert cells(result) == {"Nn": 2}
        assert result.in_flutter.tolist() == [1]


def test_a_beat_in_flutter_may_match_a_reference_beat_beside_it():
    reference = marks((31_995, "N"), (32_000, "["), (34_000, "]"), (35_000, "N"))
    result = run(reference, beats(32_005, 35_000))
    assert cells(result) == {"Nn": 2}


def test_flutter_that_no_mark_ends_lasts_to_the_end():
    reference = marks((31_000, "N"), (32_000, "["), (33_000, "N"))
    result = run(reference, beats(31_000, 31_500, 33_000, 39_000))
    assert cells(result) == {"Nn": 1, "On": 1}
    assert result.in_flutter.tolist() == [2, 3]
    assert result.flutter_s == 80.0


def test_only_the_first_flutter_lasts_where_no_mark_ends_it():
    # bxb takes the end of the stretch before for its own; see `read_track`.
    reference = marks((31_000, "N"), (31_100, "["), (31_200, "]"), (31_300, "N"), (32_000, "["))
    result = run(reference, beats(31_000, 31_300, 33_000))
    assert cells(result) == {"Nn": 2, "On": 1}


def test_only_the_two_latest_stretches_before_the_next_beat_are_known():
    # bxb reads one beat ahead, and keeps two stretches.
    stretches = [(31_100, "["), (31_200, "]"), (31_300, "["), (31_400, "]")]
    reference = marks((31_000, "N"), *stretches, (31_500, "["), (31_600, "]"), (32_000, "N"))
    result = run(reference, beats(31_000, 31_150, 31_350, 31_550, 32_000))
    assert result.in_flutter.tolist() == [2, 3]
    assert result.extra.tolist() == [1]


def test_beats_in_test_flutter_are_not_there():
    test = marks((31_000, "N"), (31_500, "["), (32_000, "N"), (32_500, "]"), (33_000, "N"))
    result = run(beats(31_000, 32_000, 33_000), test)
    assert cells(result) == {"Nn": 2, "No": 1}
    assert result.flutter_s == 0.0


def test_a_flutter_wave_outside_flutter_hides_what_it_matches_in_the_map_bxb():
    reference, test = beats(31_000, 32_000), marks((31_000, "!"), (32_000, "N"))
    assert cells(run(reference, test, class_map="bxb")) == {"Nn": 1, "No": 1}
    assert cells(run(test, reference, class_map="bxb")) == {"Nn": 1, "On": 1}
    assert cells(run(test, test, class_map="bxb")) == {"Nn": 1}
    assert cells(run(beats(32_000), test, class_map="bxb")) == {"Nn": 1}
    result = run(reference, test, class_map="bxb")
    assert result.pairs.tolist() == [[1, 1]]
    assert result.missed.tolist() == [0]
    assert cells(run(test, reference, class_map="aami")) == {"Nn": 1, "On": 1}


# Stretches that cannot be read


def test_extra_beats_where_the_reference_is_unreadable_are_x():
    noise = [(32_000, "~", UNREADABLE), (34_000, "~", READABLE)]
    reference = marks((31_000, "N"), *noise, (35_000, "N"))
    result = run(reference, beats(31_000, 32_000, 33_000, 34_000, 34_500, 35_000))
    assert cells(result) == {"Nn": 2, "Xn": 3, "On": 1}
    assert result.extra.tolist() == [1, 2, 3, 4]


def test_missed_beats_where_the_test_is_unreadable_are_x():
    noise = [(32_000, "~", UNREADABLE), (34_000, "~", READABLE)]
    test = marks((31_000, "N"), *noise, (35_000, "N"))
    result = run(beats(31_000, 31_900, 32_000, 33_000, 34_000, 35_000), test)
    assert cells(result) == {"Nn": 2, "No": 1, "Nx": 3}
    assert result.shutdown_s == 20


@pytest.mark.parametrize("subtype", [0x30, 0x33, -1])
def test_both_bits_make_a_stretch_unreadable(subtype):
    noise = [(32_000, "~", subtype), (34_000, "~", READABLE)]
    result = run(beats(31_000, 33_000, 35_000), marks((31_000, "N"), *noise, (35_000, "N")))
    assert cells(result) == {"Nn": 2, "Nx": 1}


@pytest.mark.parametrize("subtype", [0x10, 0x20, 0x03, 0])
def test_one_bit_does_not(subtype):
    noise = [(32_000, "~", subtype), (34_000, "~", READABLE)]
    result = run(beats(31_000, 33_000, 35_000), marks((31_000, "N"), *noise, (35_000, "N")))
    assert cells(result) == {"Nn": 2, "No": 1}


def test_a_lone_mark_stands_for_the_stretch_between_its_neighbours():
    test = marks((31_000, "N"), (33_000, "~", UNREADABLE), (35_000, "N"))
    inside = [31_000 + WINDOW, 35_000 - WINDOW]
    result = run(beats(*inside), test)
    assert cells(result)["Nn"] == 2  # they match
    outside = [31_000 + WINDOW + 1, 35_000 - WINDOW - 1]
    result = run(beats(31_000, *outside, 35_000), test)
    assert cells(result) == {"Nn": 2, "Nx": 2}
    assert result.shutdown_s == 40  # 39.7


def test_a_lone_mark_after_flutter_stands_for_the_stretch_from_its_end():
    flutter = [(31_500, "["), (32_000, "]")]
    test = marks((31_000, "N"), *flutter, (33_000, "~", UNREADABLE), (35_000, "N"))
    result = run(beats(31_000, 31_900, 32_014, 32_015, 35_000), test)
    assert cells(result) == {"Nn": 2, "No": 2, "Nx": 1}


def test_an_unreadable_stretch_that_no_mark_ends_lasts_to_the_end():
    test = marks((31_000, "N"), (32_000, "~", UNREADABLE))
    result = run(beats(31_000, 33_000), test)
    assert cells(result) == {"Nn": 1, "Nx": 1}
    assert result.shutdown_s == 80
    result = run(test, beats(31_000, 33_000))
    assert cells(result) == {"Nn": 1, "Xn": 1}


def test_only_the_first_such_stretch_of_a_test_file_lasts():
    # bxb takes the end of the stretch before for its own; see `read_track`.
    first = [(31_100, "~", UNREADABLE), (31_200, "~", READABLE)]
    test = marks((31_000, "N"), *first, (31_300, "N"), (32_000, "~", UNREADABLE))
    assert cells(run(beats(31_000, 31_300, 33_000), test)) == {"Nn": 2, "No": 1}
    assert cells(run(test, beats(31_000, 31_300, 33_000))) == {"Nn": 2, "Xn": 1}


@pytest.mark.parametrize(("beat", "cell"), [(WINDOW - 1, "Vx"), (WINDOW, "Vo")])
def test_a_stretch_that_seems_to_have_no_end_lets_a_later_one_last(beat, cell):
    # The first ends one window before the beat after it: at sample -1, or 0.
    test = marks((8, "~", UNREADABLE), (beat, "N"), (300, "~", UNREADABLE))
    result = run(marks((beat, "N"), (400, "V")), test, start_s=0.0)
    assert cells(result) == {"Nn": 1, cell: 1}


def test_in_flutter_that_is_unreadable_as_well_beats_count_nowhere():
    both = [(32_000, "["), (34_000, "]"), (34_001, "~", UNREADABLE), (35_000, "~", READABLE)]
    reference = marks((31_000, "N"), *both, (36_000, "N"))
    result = run(reference, beats(31_000, 33_000, 34_500, 36_000))
    assert cells(result) == {"Nn": 2, "Xn": 1}
    assert result.in_flutter.tolist() == [1]


# Classes


def test_e_and_j_are_normal_in_one_map_and_supraventricular_in_the_other():
    for symbol in "ejn":
        reference = beats(31_000, symbol=symbol)
        assert cells(run(reference, beats(31_000))) == {"Nn": 1}
        assert cells(run(reference, beats(31_000), class_map="bxb")) == {"Sn": 1}
        assert cells(run(beats(31_000), reference, class_map="bxb")) == {"Ns": 1}


@pytest.mark.parametrize("class_map", ["aami", "bxb"])
@pytest.mark.parametrize(
    ("name", "symbols"), [("N", "NLRB"), ("S", "AaJS"), ("V", "VEr"), ("F", "F"), ("Q", "/fQ?")]
)
def test_all_other_beats_have_the_same_class_in_both_maps(class_map, name, symbols):
    for symbol in symbols:
        result = run(beats(31_000, symbol=symbol), beats(31_000), class_map=class_map)
        assert cells(result) == {f"{name}n": 1}


@pytest.mark.parametrize("class_map", ["aami", "bxb"])
@pytest.mark.parametrize("symbol", '|+xsTD*"=pB^tu@() ~]'.replace("B", ""))
def test_other_marks_are_no_beats(class_map, symbol):
    assert cells(run(beats(31_000, symbol=symbol), beats(), class_map=class_map)) == {}
    assert cells(run(beats(), beats(31_000, symbol=symbol), class_map=class_map)) == {}


def test_found_beats_become_marks_with_their_classes():
    peaks = np.array([31_000, 32_000])
    reference = marks((31_000, "V"), (32_000, "N"))
    found = marks_of_beats(peaks, np.array([2, 1], dtype=np.int8), FS)
    assert cells(run(reference, found)) == {"Vv": 1, "Ns": 1}
    assert cells(run(reference, marks_of_beats(peaks, None, FS))) == {"Vn": 1, "Nn": 1}


def test_no_beats_found_is_an_answer():
    result = run(beats(31_000, 32_000), marks_of_beats(np.zeros(0, dtype=np.int64), None, FS))
    assert result.missed.tolist() == [0, 1]
    scores = score(result)
    assert scores["class_map"] == "aami"
    assert scores["qrs"] == {"tp": 0, "fn": 2, "fp": 0, "se": 0.0, "ppv": None}


def test_marks_at_another_frequency_are_moved_to_the_nearest_sample():
    found = marks((77_500, "N"), (80_001, "V"), fs=250.0)
    assert found.at(250.0) is found
    assert found.at(100.0).samples.tolist() == [31_000, 32_000]
    assert marks((1, "N"), fs=200.0).at(100.0).samples.tolist() == [1]  # halves up
    assert cells(run(beats(31_000, 32_000), found)) == {"Nn": 1, "Nv": 1}


# Sums


def test_records_are_summed_up():
    whole = run(late(100, 500), late(100, 500))
    half = run(marks((31_000, "V"), (32_000, "V")), marks((31_000, "V")))
    summary = summarise({"a": whole, "b": half})
    assert summary["class_map"] == "aami"
    assert (summary["start_s"], summary["window_s"]) == (300.0, 0.15)
    assert list(summary["per_record"]) == ["a", "b"]
    assert summary["per_record"]["b"]["matrix"] == half.matrix.tolist()
    assert summary["matrix"] == (whole.matrix + half.matrix).tolist()
    assert summary["gross"]["qrs"]["se"] == 3 / 4
    assert summary["average"]["qrs"]["se"] == (1 + 0.5) / 2
    # Only one of the records has ventricular beats.
    assert summary["average"]["veb"]["se"] == 0.5
    assert summary["average_of"]["veb"]["se"] == 1
    assert summary["average"]["sveb"]["se"] is None
    assert summary["average_of"]["sveb"]["se"] == 0


def test_what_cannot_be_summed_up_is_refused():
    with pytest.raises(ProtocolError) as caught:
        summarise({})
    assert str(caught.value) == (
        "cannot sum up no record; compare one record or more, all in the same way"
    )
    one, other = run(late(1), late(1)), run(late(1), late(1), class_map="bxb")
    with pytest.raises(ProtocolError, match="cannot sum up 2 different settings; "):
        summarise({"a": one, "b": other})


# Refusals


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"class_map": "aha"}, "there is no class map 'aha'; choose 'aami' or 'bxb'"),
        (
            {"start_s": -1},
            "scoring cannot start at -1 s; give the seconds to leave out, 0 or more",
        ),
        (
            {"window_s": float("nan")},
            "beats cannot match within nan s; give a window of 0 to 1 s",
        ),
        ({"stop_s": 0}, "a recording cannot end at 0 s; give its length in seconds"),
        (
            {"stop_s": 60},
            "the recording ends at 60 s, before scoring starts at 300 s; "
            "start earlier, such as at 0 s",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(given, message):
    with pytest.raises(ProtocolError) as caught:
        compare(late(1), late(1), **given)
    assert str(caught.value) == message


def test_marks_that_cannot_be_are_refused():
    with pytest.raises(RecordingError) as caught:
        beats(500, 400)
    assert str(caught.value) == (
        "mark 1, on sample 400, lies before the mark ahead of it or before the recording; "
        "sort the marks by time"
    )
    with pytest.raises(RecordingError, match="mark 0, on sample -5, lies before"):
        beats(-5)
    with pytest.raises(RecordingError, match="marks at 0 samples a second cannot be placed"):
        marks((1, "N"), fs=0)
    with pytest.raises(RecordingError) as caught:
        Marks(np.array([1, 2]), np.array(["N"]), FS)
    assert str(caught.value) == (
        "2 samples, 1 symbols and 2 subtypes do not make marks; give as many of each"
    )


# Whatever the marks

SYMBOLS = list("NLRBAaJSejnVErF/fQ?") + list("~[]+|!")


@st.composite
def files(draw) -> Marks:
    gaps = draw(st.lists(st.integers(0, 60), max_size=60))
    samples = START - 50 + np.cumsum(np.array([0, *gaps], dtype=np.int64))
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=len(samples), max_size=len(samples)))
    subtypes = draw(st.lists(st.sampled_from([0, 0x30]), min_size=len(samples)))
    return Marks(
        samples,
        np.array(symbols, dtype="<U1"),
        FS,
        np.array(subtypes[: len(samples)], dtype=np.int8),
    )


def counted(those: Marks, class_map: str) -> set[int]:
    """Rows of the beats outside flutter and after the start."""
    rows, in_flutter = set(), False
    for row, symbol in enumerate(those.symbols.tolist()):
        if not in_flutter and CLASS_MAPS[class_map].get(symbol, "O") != "O":
            rows.add(row)
        in_flutter = symbol != "]" if in_flutter else symbol == "["
    return {row for row in rows if those.samples[row] >= START}


@settings(max_examples=200, deadline=None)
@given(files(), files(), st.sampled_from(["aami", "bxb"]))
def test_every_beat_counts_once(reference, test, class_map):
    result = run(reference, test, class_map=class_map)
    matched, found = result.pairs[:, 0].tolist(), result.pairs[:, 1].tolist()
    missed, extra, ignored = (
        rows.tolist() for rows in (result.missed, result.extra, result.in_flutter)
    )
    assert sorted(matched + missed) == sorted(counted(reference, class_map))
    everything = found + extra + ignored
    assert len(set(everything)) == len(everything)
    # Those that belong to a beat before the start count nowhere, see above.
    border = {row for row in range(len(test)) if abs(test.samples[row] - START) <= WINDOW}
    assert set(everything) ^ counted(test, class_map) <= border


@settings(max_examples=200, deadline=None)
@given(files(), files(), st.sampled_from(["aami", "bxb"]))
def test_the_matrix_is_what_the_rows_say(reference, test, class_map):
    result = run(reference, test, class_map=class_map)
    assert result.matrix[:5, :5].sum() == len(result.pairs)
    assert result.matrix[:5, 5:].sum() == len(result.missed)
    assert result.matrix[5:, :5].sum() == len(result.extra)
    assert result.matrix[5:, 5:].sum() == 0
    distances = reference.samples[result.pairs[:, 0]] - test.samples[result.pairs[:, 1]]
    assert (np.abs(distances) <= WINDOW).all()
    assert (np.diff(result.pairs, axis=0) > 0).all()


@settings(max_examples=50, deadline=None)
@given(files(), st.sampled_from(["aami", "bxb"]))
def test_a_file_against_itself_is_perfect(those, class_map):
    result = run(those, those, class_map=class_map)
    n_beats = len(counted(those, class_map))
    if np.diff(those.samples).min(initial=1) > 0:
        assert np.trace(result.matrix) == n_beats
        assert len(result.missed) == len(result.extra) == 0
