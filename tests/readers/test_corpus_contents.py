"""What a well-formed file may hold that is no ECG: nothing, next to nothing, everything twice."""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from aecg_files import document, lead, series, strip, time
from corpus import FORMATS, FS, START, check_message, edf_signals, judge, table
from dicom_files import channel, group
from dicom_files import write as write_dicom
from edf_files import write_edf
from ishne_files import write as write_ishne

from ectopy.errors import RecordingError
from ectopy.readers import read_annotations

TABLE = {"fs": FS, "unit": "mV"}
ROWS = "".join(f"{np.sin(n / 9):.4f},{np.cos(n / 9):.4f}\n" for n in range(600))


def put(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet(path, columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)
    return path


class TestAlmostNothing:
    """No lead, no sample, one sample, and samples that are all missing."""

    def test_edf(self, tmp_path):
        path = tmp_path / "x.edf"
        write_edf(path, [{"label": "EEG Fpz-Cz"}])
        assert "no ECG lead" in judge(path).message
        write_edf(path, [{"n_samples": 1}], record_s=1)
        assert judge(path).signal_mv.shape == (3, 1)
        write_edf(path, edf_signals()[:1] * 3, n_records=4)
        assert judge(path).source.leads == ("II", "II-2", "II-3")

    def test_wfdb(self, tmp_path):
        line = "x.dat 16 400(0)/mV 16 0 0 0 0 II\n"
        path = put(tmp_path / "x.hea", "x 1 250\n" + line)
        put(tmp_path / "x.dat", b"")
        assert "without samples" in judge(path).message
        put(tmp_path / "x.dat", b"\1\0")
        assert judge(path).signal_mv.shape == (1, 1)
        put(tmp_path / "x.dat", b"\0\x80" * 500)
        assert np.isnan(judge(path).signal_mv).all()
        put(path, "x 2 250\n" + line * 2)
        assert judge(path).source.leads == ("II", "II-2")

    def test_ishne(self, tmp_path):
        assert judge(write_ishne(tmp_path / "x", np.zeros((0, 1)))).message
        assert judge(write_ishne(tmp_path / "x", np.zeros((1, 1)))).signal_mv.shape == (1, 1)
        missing = write_ishne(tmp_path / "x", np.full((50, 2), -32768), codes=[6] * 12)
        assert np.isnan(judge(missing).signal_mv).all()
        assert judge(missing).source.leads == ("II", "II-2")

    def test_dicom(self, tmp_path):
        path = tmp_path / "x.dcm"
        assert judge(write_dicom(path, [])).message
        assert judge(write_dicom(path, None)).message
        one = group(np.ones((1, 2), "<i2"), [channel(), channel()])
        verdict = judge(write_dicom(path, [one]))
        assert (verdict.source.leads, verdict.signal_mv.shape) == (("II", "II-2"), (1, 2))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("II [mV]\n", "is text without a table of numbers"), ("II [mV]\n0.5\n", "1 row"),
            ("time,II\n0,nan\n0.004,nan\n", "x.csv"), ("\n\n\n1\n", "is text without a table"),
            ("a,b\nc,d\n", "is text without a table"),
            ("time\n0\n0.004\n0.008\n", "no column of numbers"),
        ],
    )  # fmt: skip
    def test_text(self, tmp_path, text, said):
        message = judge(put(tmp_path / "x.csv", text), fs=FS).message
        assert said in message or "no column of numbers" in message, message

    def test_text_of_two_leads_with_one_name(self, tmp_path):
        verdict = judge(put(tmp_path / "x.csv", "II,II\n" + ROWS), **TABLE)
        assert verdict.source.leads == ("II", "II-2")

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((0, 2)), np.zeros(1), np.zeros(()), np.zeros((3, 3, 3)), np.zeros((9, 9)),
            np.array(["a", "b"]), np.array([1j, 2j]), np.zeros(9, [("a", "f8"), ("b", "f8")]),
            np.array([True] * 500), np.zeros(500, "M8[s]"), np.full((500, 1), np.nan),
            np.zeros((500, 300)),
        ],
    )  # fmt: skip
    def test_arrays(self, tmp_path, array):
        np.save(tmp_path / "x.npy", array)
        np.savez(tmp_path / "x.npz", signal=array)
        for name in ("x.npy", "x.npz"):
            verdict = judge(tmp_path / name, **TABLE)
            assert bool(verdict.message) != (array.shape == (500, 1)), verdict

    @pytest.mark.parametrize(
        "beside",
        [
            {"fs": 0}, {"fs": -1}, {"fs": np.nan}, {"fs": "fast"}, {"fs": [250, 360]}, {"fs": 360},
            {"leads": ["I"]}, {"leads": 5}, {"units": "mmHg"}, {"units": ["mV"] * 3},
            {"fs": np.zeros((200, 9000))},
        ],
    )  # fmt: skip
    def test_what_stands_beside_an_array(self, tmp_path, beside):
        np.savez(tmp_path / "x.npz", signal=np.zeros((500, 2)), **beside)
        assert judge(tmp_path / "x.npz", **TABLE).message

    def test_aecg(self, tmp_path):
        own = lead("MDC_ECG_LEAD_II", [])
        for text in (
            document(), document(series()), document(series(strip(time()))),
            document(series(strip(time(), own))), document(series(strip(own))),
            document(series(strip(time(), lead("MDC_ECG_LEAD_II", [1])))),
        ):  # fmt: skip
            assert judge(put(tmp_path / "x.xml", text)).message
        two = [lead("MDC_ECG_LEAD_II", ["nan", 1, "nan"])] * 2
        verdict = judge(put(tmp_path / "x.xml", document(series(strip(time(), *two)))))
        assert verdict.source.leads == ("II", "II-2")


class TestColumnsOfParquet:
    """Columns of types that are no plain numbers."""

    def test_nested(self, tmp_path):
        columns = {"II": [[1.0, 2.0]] * 500, "V1": [{"a": 1.0}] * 500}
        assert "no column of numbers" in judge(parquet(tmp_path / "x", columns), **TABLE).message
        # Beside a plain one they are left out.
        columns["I"] = np.sin(np.arange(500) / 9)
        assert judge(parquet(tmp_path / "x", columns), **TABLE).source.leads == ("I",)

    def test_decimals_and_half_precision(self, tmp_path):
        import pyarrow as pa

        values = [Decimal(n % 7) / 10 for n in range(500)]
        columns = {
            "II": pa.array(values, pa.decimal128(10, 4)),
            "V1": pa.array(np.array(values, np.float16)),
            "V2": pa.array([None, *values[1:]], pa.decimal256(40, 4)),
        }
        verdict = judge(parquet(tmp_path / "x", columns), **TABLE)
        np.testing.assert_allclose(verdict.signal_mv[:, 0], [float(v) for v in values], rtol=1e-6)
        np.testing.assert_allclose(verdict.signal_mv[1:, 1], verdict.signal_mv[1:, 0], rtol=1e-3)
        assert np.isnan(verdict.signal_mv[0, 2])

    @pytest.mark.parametrize("kind", ["dictionary", "text", "bool", "binary", "null", "date"])
    def test_others(self, tmp_path, kind):
        import pyarrow as pa

        column = {
            "dictionary": pa.array(["a", "b"] * 250).dictionary_encode(),
            "text": pa.array(["a", "b"] * 250),
            "bool": pa.array([True, False] * 250),
            "binary": pa.array([b"\0", b"\1"] * 250),
            "null": pa.nulls(500),
            "date": pa.array([START.date()] * 500),
        }[kind]
        path = parquet(tmp_path / "x", {"II": np.sin(np.arange(500) / 9), "V1": column})
        verdict = judge(path, **TABLE)
        assert verdict.source is not None
        assert verdict.source.leads[0] == "II"
        assert judge(parquet(tmp_path / "x", {"V1": column}), **TABLE).message

    def test_numbers_in_a_dictionary(self, tmp_path):
        import pyarrow as pa

        values = np.arange(500) % 7 / 10
        column = pa.array(values).dictionary_encode()
        verdict = judge(parquet(tmp_path / "x", {"II": column, "V1": values}), **TABLE)
        np.testing.assert_array_equal(verdict.signal_mv[:, -1], values.astype(np.float32))

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    @pytest.mark.parametrize("zone", [None, "UTC", "+02:00", "Nowhere/Land"])
    def test_timestamps(self, tmp_path, unit, zone):
        import pyarrow as pa

        times = [START + timedelta(seconds=n) / (1 if unit == "s" else FS) for n in range(500)]
        if unit == "s":
            times = [START + timedelta(seconds=n) for n in range(500)]
        columns = {
            "time": pa.array(times, pa.timestamp(unit)).cast(pa.timestamp(unit, zone)),
            "II": np.sin(np.arange(500) / 9),
        }
        verdict = judge(parquet(tmp_path / "x", columns), unit="mV")
        assert verdict.source.fs == (1 if unit == "s" else FS)
        if zone in (None, "UTC"):
            assert verdict.source.start == START

    @pytest.mark.parametrize("columns", [{}, {"II": []}, {"II": [1.5]}])
    def test_nothing(self, tmp_path, columns):
        assert judge(parquet(tmp_path / "x", columns), **TABLE).message


class TestText:
    """Ways in which tables are written, some of them by accident."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_encodings_and_ends_of_lines(self, tmp_path, encoding, end):
        text = ("II,V1\n" + ROWS).replace("\n", end)
        verdict = judge(put(tmp_path / "x.csv", text.encode(encoding)), **TABLE)
        assert verdict.source.leads == ("II", "V1")
        assert verdict.signal_mv.shape == (600, 2)

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("0.5,", ""), ("0.5", "cells where 2 are expected"), ("0.5;0.5", "cells where 2 are"),
            ("0.5,0.5,0.5", "cells where 2 are"), ("0.5\t0.5", "cells where 2"), ("", ""),
            ("0.5,x", "'x' is no number"), ("0.5,0.5\0", "binary data"), ("0,5,0,5", "cells where"),
            ('"0.5","0.5"', ""), ("0.5,\"0.5", ""), ("1e999,0.5", ""), ("0x1F,0.5", "no number"),
            ("1_000,0.5", "is no number"), ("٣,0.5", ""), ("#0.5,0.5", ""), ("0.5,0.5 ,", "cells"),
        ],
    )  # fmt: skip
    def test_a_row_unlike_the_others(self, tmp_path, row, said):
        lines = ROWS.split("\n")
        lines.insert(500, row)
        message = judge(put(tmp_path / "x.csv", "II,V1\n" + "\n".join(lines)), **TABLE).message
        if said == "binary data" and "is none of them" in message:
            return  # seen in the head of the file
        assert (said in message) if said else not message, message

    def test_two_tables_in_one_file(self, tmp_path):
        path = put(tmp_path / "x.csv", "II,V1\n" + ROWS + "\nII,V1\n" + ROWS)
        assert "line 603" in judge(path, **TABLE).message

    def test_times_that_go_back_stand_still_or_leap(self, tmp_path):
        lines = table().splitlines()
        for at, other in ((900, 800), (900, 899)):
            changed = list(lines)
            changed[at] = changed[other].split(",", 1)[0] + "," + changed[at].split(",", 1)[1]
            message = judge(put(tmp_path / "x.csv", "\n".join(changed) + "\n")).message
            assert "x.csv" in message

    @pytest.mark.parametrize("header", ["II_uV", "# II_uV", '"II_uV"', "II [uV]", "II\nuV"])
    def test_name_and_unit_of_a_single_column(self, tmp_path, header):
        rows = "".join(f"{1000 * np.sin(n / 9):.1f}\n" for n in range(600))
        verdict = judge(put(tmp_path / "x.csv", f"{header}\n{rows}"), fs=FS)
        assert verdict.source.leads == ("II",)
        assert 0.99 < verdict.signal_mv.max() < 1.01

    @pytest.mark.parametrize(
        "title", ["# Jane Doe", "Jane Doe", "Patient Doe", "# ECG of Jane Doe"]
    )
    def test_a_title_is_no_name_of_a_lead(self, tmp_path, title):
        rows = "".join(f"{np.sin(n / 9):.3f}\n" for n in range(600))
        verdict = judge(put(tmp_path / "x.csv", f"{title}\n{rows}"), **TABLE)
        assert verdict.source.leads == ("1",)


class TestWhatIsNoFile:
    """Folders, pipes, devices, links to nothing and in circles, files that may not be read."""

    @pytest.mark.parametrize("suffix", ["", ".hea", ".edf", ".csv", ".npy", ".parquet"])
    def test_nothing_folder_pipe_and_links(self, tmp_path, suffix):
        names = {}
        for name in ("folder", "pipe", "dangling", "loop", "nothing", "x" * 300, "nul\0"):
            names[name[:9]] = tmp_path / f"{name}{suffix}"
        names["folder"].mkdir()
        os.mkfifo(names["pipe"])
        names["dangling"].symlink_to(tmp_path / "nowhere")
        names["loop"].symlink_to(names["loop"])
        said = {name: judge(path).message for name, path in names.items()}
        assert "is a folder; name one recording in it" in said["folder"]
        assert "it is a pipe or a device, not a file" in said["pipe"]
        assert "it is a link to nothing" in said["dangling"]
        assert "link" in said["loop"]
        assert "no such file" in said["nothing"]
        assert said["nothing"].count("nothing" + suffix) >= 1

    def test_a_missing_file_is_called_what_it_was_called(self, tmp_path):
        assert judge(tmp_path / "r.edf").message == (
            f"there is no recording {tmp_path}/r.edf: no such file, and no WFDB header r.edf.hea; "
            "check the name and the folder"
        )

    @pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/stdin", "/", "", "."])
    def test_devices_and_folders_of_the_system(self, device, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert judge(device, ("/dev/", ".", "/", "fd/")).message

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
    @pytest.mark.parametrize("kind", FORMATS)
    def test_a_file_that_may_not_be_read(self, tmp_path, kind):
        path = FORMATS[kind].write(tmp_path, "rec")
        path.chmod(0)
        assert "ermission" in judge(path, **FORMATS[kind].options).message


class TestFilesThatAHeaderNames:
    """They lie beside the header: no path and no link leads out of its folder."""

    @pytest.mark.parametrize("name", ["../out/rec.dat", "sub/rec.dat", "/etc/passwd", ".."])
    def test_by_a_path(self, tmp_path, name):
        (tmp_path / "in" / "sub").mkdir(parents=True)
        (tmp_path / "out").mkdir()
        path = FORMATS["wfdb"].write(tmp_path / "in", "rec")
        for folder in (tmp_path / "out", tmp_path / "in" / "sub"):
            FORMATS["wfdb"].write(folder, "rec")
        path.write_text(path.read_text().replace("rec.dat", name))
        assert judge(path, (name,)).message == (
            f"rec.hea names the file {name!r}, which lies outside its own folder; put all files of "
            "the recording into one folder"
        )
        if name.startswith("/"):  # an absolute path is refused even where it leads into the folder
            path.write_text(path.read_text().replace(name, str(tmp_path / "in" / "rec.dat")))
            assert "outside its own folder" in judge(path).message

    def test_by_a_link(self, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "out").mkdir()
        path = FORMATS["wfdb"].write(tmp_path / "in", "rec")
        data = path.with_suffix(".dat")
        data.rename(tmp_path / "out" / "rec.dat")
        data.symlink_to(tmp_path / "out" / "rec.dat")
        assert "outside its own folder" in judge(path).message
        # Within the folder a link is as good as a file; a link to the folder is followed as well.
        data.unlink()
        (tmp_path / "out" / "rec.dat").rename(tmp_path / "in" / "real.dat")
        data.symlink_to("real.dat")
        assert not judge(path).message
        (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
        assert not judge(tmp_path / "link" / "rec.hea").message

    def test_a_signal_file_that_is_a_pipe(self, tmp_path):
        path = FORMATS["wfdb"].write(tmp_path, "rec")
        path.with_suffix(".dat").unlink()
        os.mkfifo(path.with_suffix(".dat"))
        assert "names the file 'rec.dat', which is not in" in judge(path).message


def test_a_table_beside_a_header_of_its_name_is_read_itself(tmp_path):
    FORMATS["wfdb"].write(tmp_path, "rec")
    verdict = judge(put(tmp_path / "rec.csv", "V5,V6\n" + ROWS), **TABLE)
    assert verdict.source.leads == ("V5", "V6")
    assert judge(tmp_path / "rec.dat").source.leads == ("II", "V1")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"ISHNE1.0,II\n", "text"), (b"PAR1,II\n", "text"), (b"0       II\n", "text"),
        (b"II,V1\n#" + b"." * 121 + b"DICM\n", "text"),
    ],
)  # fmt: skip
def test_text_that_begins_like_another_format(tmp_path, head, kind):
    from ectopy.readers.formats import format_of

    path = put(tmp_path / "x", head + ROWS.encode())
    assert format_of(path) == kind
    judge(path, **TABLE)


def test_a_table_of_long_lines_that_begins_as_edf_does(tmp_path):
    from ectopy.readers.formats import format_of

    row = "".join(str(n).ljust(8) for n in range(60))
    assert format_of(put(tmp_path / "x", (row + "\n") * 50)) == "text"


class TestAnnotatedBeats:
    """They come from WFDB annotation files, whatever the recording itself may hold."""

    @pytest.mark.parametrize("kind", [kind for kind in FORMATS if not kind.startswith("wfdb")])
    def test_of_a_recording_without_such_a_file(self, tmp_path, kind):
        path = FORMATS[kind].write(tmp_path, "rec")
        with pytest.raises(RecordingError) as caught:
            read_annotations(path)
        check_message(str(caught.value), path.name)
        assert "read from a WFDB annotation file of that name alone" in str(caught.value)

    def test_annotations_of_the_ishne(self, tmp_path):
        path = FORMATS["ishne"].write(tmp_path, "rec")
        content = path.read_bytes()[:522]
        put(tmp_path / "rec.ann", b"ANN  1.0" + content[8:] + b"\0" * 4 + b"N\0\1\0" * 9)
        with pytest.raises(RecordingError, match="annotations of the ISHNE, which are not read"):
            read_annotations(path, "ann")
