"""One recording in every format, each with a person's name in all places that formats have for it.

`FORMATS` writes good files; the tests damage them. `judge` says what became of a file: it was read,
or refused in one clear line.
"""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aecg_files
import dicom_files
import edf_files
import ishne_files
import numpy as np

from ectopy.errors import EctopyError
from ectopy.readers import open_recording
from ectopy.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ectopy.readers.source import Source

FS = 250
SECONDS = 8
N_SAMPLES = FS * SECONDS
PER_MV = 400
LEADS = ("II", "V1")
START = datetime(2020, 5, 4, 10, 11, 12)

SECRETS = ("Quxley", "Zanzibar", "PID7734QX", "19471103", "03-NOV-1947", "1947-11-03", "3.11.1947")
"""What names the person, as it is spelled somewhere in the files."""

FIRST, LAST, PID = "Zanzibar", "Quxley", "PID7734QX"
SECONDS_ALLOWED = 5.0


@cache
def counts() -> np.ndarray:
    """The samples as whole numbers, 400 to the mV, shape (N_SAMPLES, 2)."""
    recording, _ = simulate(SECONDS, fs=FS, seed=3, dropouts_per_hour=0)
    return np.clip(np.round(recording.signal_mv * PER_MV), -2000, 2000).astype("<i2")


def millivolts() -> np.ndarray:
    """The samples in mV, which decimals of four digits hold exactly."""
    return np.round(counts() / PER_MV, 4)


@dataclass(frozen=True)
class Format:
    """How one kind of file is written, and what is expected of it.

    Attributes
    ----------
    write : callable
        Writes the recording into a folder under a name, and gives the path to open.
    options : dict
        What has to be said beside the path.
    leads : tuple of str
        Names that the file gives to the leads.
    start : datetime, optional
        That the file gives.
    """

    write: Callable[[Path, str], Path]
    options: dict[str, Any] = field(default_factory=dict)
    leads: tuple[str, ...] = LEADS
    start: datetime | None = START


def _header(name: str, dat: str, form: int, n_samples: int = N_SAMPLES) -> str:
    lines = [f"{name} 2 {FS} {n_samples} 10:11:12 04/05/2020"]
    lines += [f"{dat} {form} {PER_MV}(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    lines += [f"# {FIRST} {LAST}, born 1947-11-03, {PID}", f"#Name: {LAST}"]
    return "\n".join(lines) + "\n"


def _packed(values: np.ndarray) -> bytes:
    """Samples in WFDB format 212: two in three bytes."""
    pairs = values.astype(np.int64).reshape(-1, 2) & 0xFFF
    triples = np.empty((len(pairs), 3), dtype=np.uint8)
    triples[:, 0], triples[:, 2] = pairs[:, 0] & 0xFF, pairs[:, 1] & 0xFF
    triples[:, 1] = pairs[:, 0] >> 8 | (pairs[:, 1] >> 8) << 4
    return triples.tobytes()


def write_wfdb(folder: Path, name: str = "rec") -> Path:
    (folder / f"{name}.dat").write_bytes(counts().tobytes())
    path = folder / f"{name}.hea"
    path.write_text(_header(name, f"{name}.dat", 16), encoding="utf-8")
    return path


def write_wfdb_212(folder: Path, name: str = "rec") -> Path:
    (folder / f"{name}.dat").write_bytes(_packed(counts().reshape(-1)))
    path = folder / f"{name}.hea"
    path.write_text(_header(name, f"{name}.dat", 212), encoding="utf-8")
    return path


def write_wfdb_flac(folder: Path, name: str = "rec") -> Path:
    import soundfile

    soundfile.write(folder / f"{name}.dat", counts(), 96_000, "PCM_16", format="FLAC")
    path = folder / f"{name}.hea"
    path.write_text(_header(name, f"{name}.dat", 516), encoding="utf-8")
    return path


def write_wfdb_segments(folder: Path, name: str = "rec") -> Path:
    cut = 800
    for part, values in (("_1", counts()[:cut]), ("_2", counts()[cut:])):
        own = f"{name}{part}"
        (folder / f"{own}.dat").write_bytes(values.tobytes())
        text = _header(own, f"{own}.dat", 16, len(values))
        (folder / f"{own}.hea").write_text(text, encoding="utf-8")
    path = folder / f"{name}.hea"
    lines = [f"{name}/2 2 {FS} {N_SAMPLES} 10:11:12 04/05/2020"]
    lines += [f"{name}_1 {cut}", f"{name}_2 {N_SAMPLES - cut}", f"# {FIRST} {LAST}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


EDF_SIGNAL = {
    "unit": "mV",
    "physical_min": "-81.92",
    "physical_max": "81.9175",
    "n_samples": str(FS),
}
EDF_FIELDS = {
    "patient": f"{PID} F 03-NOV-1947 {FIRST}_{LAST}",
    "recording": f"Startdate 04-MAY-2020 {LAST} {LAST} Recorder_9",
    "date": "04.05.20",
    "time": "10.11.12",
    "n_records": SECONDS,
}


def edf_signals() -> list[dict[str, object]]:
    return [EDF_SIGNAL | {"label": f"ECG {lead}"} for lead in LEADS]


def edf_values() -> list[np.ndarray]:
    return [counts()[:, column].reshape(SECONDS, FS) for column in range(2)]


def write_edf(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.edf"
    edf_files.write_edf(path, edf_signals(), edf_values(), **EDF_FIELDS)
    return path


def write_edf_plus(folder: Path, name: str = "rec", reserved: str = "EDF+C") -> Path:
    path = folder / f"{name}.edf"
    notes = edf_files.onsets([float(second) for second in range(SECONDS)])
    edf_files.write_edf(
        path,
        [*edf_signals(), edf_files.annotations()],
        [*edf_values(), notes],
        **EDF_FIELDS | {"reserved": reserved},
    )
    return path


def write_edf_gaps(folder: Path, name: str = "rec") -> Path:
    return write_edf_plus(folder, name, "EDF+D")


def write_bdf(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.bdf"
    head = edf_files.header(edf_signals(), **EDF_FIELDS | {"version": b"\xffBIOSEMI"})
    records = np.concatenate(edf_values(), axis=1).astype("<i4").reshape(-1, 1)
    path.write_bytes(head + records.view(np.uint8)[:, :3].tobytes())
    return path


def write_ishne(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.ecg"
    ishne_files.write(
        path,
        counts(),
        variable=f"{FIRST} {LAST}".encode(),
        date=(START.day, START.month, START.year),
        time=(START.hour, START.minute, START.second),
        codes=[6, 11, *[-9] * 10],
        fs=FS,
    )
    content = bytearray(path.read_bytes())
    content[28:68], content[68:108] = FIRST.encode().ljust(40), LAST.encode().ljust(40)
    content[108:128] = PID.encode().ljust(20)
    path.write_bytes(bytes(content))
    return path


def write_dicom(folder: Path, name: str = "rec") -> Path:
    channels = [dicom_files.channel("2:2"), dicom_files.channel("2:3", meaning="Lead V1")]
    group = dicom_files.group(counts(), channels, SamplingFrequency=str(FS))
    path = dicom_files.write(folder / f"{name}.dcm", [group])
    import pydicom

    dataset = pydicom.dcmread(path)
    dataset.AcquisitionDateTime = "20200504101112"
    dataset.PatientName, dataset.PatientID = f"{LAST}^{FIRST}", PID
    dataset.PatientBirthDate = "19471103"
    dataset.OperatorsName = dataset.InstitutionName = LAST
    dataset.save_as(path, enforce_file_format=True)
    return path


def table(separator: str = ",", decimal: str = ".") -> str:
    """Rows of a table, each with a date-time of its own."""
    rows = []
    for number, row in enumerate(millivolts()):
        when = START + timedelta(milliseconds=number * 1000 // FS)
        cells = [f"{value:.4f}".replace(".", decimal) for value in row]
        rows.append(separator.join([f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03}"]))
        rows[-1] = separator.join([rows[-1], *cells])
    return "\n".join(rows) + "\n"


def write_csv(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.csv"
    head = f"# Patient: {FIRST} {LAST}\n# Birth date: 1947-11-03\n# Id: {PID}\n"
    path.write_text(head + "time,II [mV],V1 [mV]\n" + table(), encoding="utf-8")
    return path


def write_tsv(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.tsv"
    rows = [
        f"{number / FS:.3f}\t{1000 * two:.1f}\t{1000 * one:.1f}\t{LAST}"
        for number, (two, one) in enumerate(millivolts())
    ]
    head = f"Name\t{FIRST} {LAST}\nBirth date\t3.11.1947\n\n"
    path.write_text(head + "time_s\tII_uV\tV1_uV\tpatient\n" + "\n".join(rows) + "\n")
    return path


def write_text(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.txt"
    text = f"Patient;{FIRST} {LAST}\nGeburtsdatum;3.11.1947\n\n"
    text += "time;II [mV];V1 [mV]\n" + table(";", ",")
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-16"))
    return path


def write_watch(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.csv"
    lines = [
        f"Name,{FIRST} {LAST}", 'Date of Birth,"Nov 3, 1947"',
        "Recorded Date,2020-05-04 10:11:12 +0200", "Classification,Sinus Rhythm", "Symptoms,",
        "Software Version,1.90", 'Device,"Watch6,1"', f"Sample Rate,{FS} hertz", "", "",
        "Lead,Lead II", "Unit,µV", "",
    ]  # fmt: skip
    lines += [f"{1000 * value:.3f}" for value in millivolts()[:, 0]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_npy(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.npy"
    np.save(path, millivolts())
    return path


def write_npz(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.npz"
    facts = {"fs": FS, "leads": LEADS, "units": "mV", "start": START.isoformat()}
    person = {"patient": f"{FIRST} {LAST}", "born": "1947-11-03"}
    np.savez_compressed(path, signal=millivolts(), **facts, **person)
    return path


def write_parquet(folder: Path, name: str = "rec") -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{name}.parquet"
    times = [START + timedelta(milliseconds=4 * number) for number in range(N_SAMPLES)]
    columns = {
        "time": pa.array(times, pa.timestamp("us")),
        "II": pa.array(millivolts()[:, 0]),
        "V1": pa.array(millivolts()[:, 1]),
        "patient": pa.array([LAST] * N_SAMPLES),
    }
    own = pa.table(columns).replace_schema_metadata({"unit": "mV", "patient": f"{FIRST} {LAST}"})
    pq.write_table(own, path)
    return path


def write_aecg(folder: Path, name: str = "rec") -> Path:
    path = folder / f"{name}.xml"
    leads = [
        aecg_files.lead(f"MDC_ECG_LEAD_{lead}", counts()[:, column].tolist(), scale="2.5")
        for column, lead in enumerate(LEADS)
    ]
    when = aecg_files.time('value="20200504101112.000"', f'value="{1 / FS}" unit="s"')
    text = aecg_files.document(aecg_files.series(aecg_files.strip(when, *leads)))
    text = text.replace("Jane Doe", f"{FIRST} {LAST}").replace("19520205", "19471103")
    path.write_text(text, encoding="utf-8")
    return path


FORMATS = {
    "wfdb": Format(write_wfdb),
    "wfdb-212": Format(write_wfdb_212),
    "wfdb-flac": Format(write_wfdb_flac),
    "wfdb-segments": Format(write_wfdb_segments),
    "edf": Format(write_edf),
    "edf+c": Format(write_edf_plus),
    "edf+d": Format(write_edf_gaps),
    "bdf": Format(write_bdf),
    "ishne": Format(write_ishne),
    "dicom": Format(write_dicom),
    "csv": Format(write_csv),
    "tsv": Format(write_tsv, start=None),
    "text": Format(write_text),
    "watch": Format(write_watch, leads=("II",)),
    "npy": Format(write_npy, {"fs": FS, "unit": "mV"}, leads=("1", "2"), start=None),
    "npz": Format(write_npz),
    "parquet": Format(write_parquet),
    "aecg": Format(write_aecg),
}
SINGLE = [kind for kind in FORMATS if not kind.startswith("wfdb")]
"""Formats of a single file."""


def foreign() -> dict[str, bytes]:
    """Contents of files that are no recording."""
    import gzip
    import zipfile
    import zlib

    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("notes.txt", "1,2\n3,4\n")
    chunk = b"IHDR" + bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])
    png = b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return {
        "empty": b"",
        "one byte": b"\n",
        "blanks": b" \n" * 300,
        "png": png + bytes(400),
        "zip": zipped.getvalue(),
        "empty zip": b"PK\x05\x06" + bytes(18),
        "gzip": gzip.compress(b"0.1\n" * 500),
        "html": b"<!doctype html><html><body>1,2\n3,4</body></html>",
        "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><g/></svg>",
        "json": b'{"fs": 250,\n"ecg": [1, 2]}\n',
        "prose": "A letter\nof no numbers,\nbut of umlauts: äöü.\n".encode(),
        "prose in utf-16": "A letter\nof no numbers.\n".encode("utf-16"),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n",
        "program": b"\x7fELF\x02\x01\x01" + bytes(500),
        "pickle": b"\x80\x04\x95\x1b\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "zeros": bytes(10_000),
        "ones": b"\xff" * 10_000,
        "noise": np.random.default_rng(4).bytes(10_000),
    }


def check_message(message: str, *names: str) -> None:
    """One line that names the file and says what to do, without anything of the program's."""
    assert message
    assert message.isprintable(), message
    assert len(message) < 900, message
    shown = [str(EctopyError(form)) for name in names for form in (name, repr(name)[1:-1])]
    assert any(name in message for name in shown), (message, shown)
    assert not re.search(r"Traceback|\bline \d+, in |0x[0-9a-f]{6}|Errno|<class|\.py\b", message)
    # What is wrong; what was expected or what to do.
    assert re.search(r"[;:,] ?\w|expected", message), message


@dataclass(frozen=True)
class Verdict:
    """What became of a file: its source, or the message that it was refused with."""

    source: Source | None = None
    signal_mv: np.ndarray | None = None
    message: str = ""


def judge(path: Path | str, names: tuple[str, ...] = (), **options: Any) -> Verdict:
    """Read a recording to its end, within seconds, or see that it is refused as it should be.

    Messages may name any file of the folder of the recording, or what stands in `names`.
    """
    began = time.monotonic()
    try:
        source = open_recording(path, **options)
        recording = source.recording()
    except EctopyError as error:
        folder = Path(path).parent
        beside = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        check_message(str(error), Path(path).name, *names, *beside)
        verdict = Verdict(message=str(error))
    else:
        assert np.isfinite(source.fs)
        assert source.fs > 0
        assert len(set(source.leads)) == len(source.leads) == recording.signal_mv.shape[1] > 0
        assert not np.isinf(recording.signal_mv).any()
        verdict = Verdict(source, recording.signal_mv)
    assert time.monotonic() - began < SECONDS_ALLOWED
    return verdict
