"""Small files that promise far more than they hold: nothing is allocated, unfolded or run."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from corpus import EDF_FIELDS, FORMATS, FS, edf_signals, edf_values, judge
from dicom_files import channel, group
from dicom_files import write as write_dicom
from edf_files import write_edf
from ishne_files import change

ROOM_MB = 400  # beside what is in memory once every reader has read something
HUGE = 10**12

# Reads the files it is given in little memory, and prints what became of each.
CHILD = f"""
import json, resource, sys, time
from ectopy.errors import EctopyError
from ectopy.readers import open_recording

good, bad = json.loads(sys.stdin.read())
for path, options in good:
    open_recording(path, **options).recording()
size = next(line for line in open("/proc/self/status") if line.startswith("VmSize"))
room = int(size.split()[1]) * 1024 + {ROOM_MB} * 1_000_000
resource.setrlimit(resource.RLIMIT_AS, (room, room))
found = []
for path, options in bad:
    began = time.monotonic()
    try:
        source = open_recording(path, **options)
        source.read(0, min(source.n_samples, 1000))
        said = ""
    except EctopyError as error:
        said = str(error)
    except BaseException as error:
        said = f"{{type(error).__name__}}: {{error}}"
    found.append([said, time.monotonic() - began])
print(json.dumps(found))
"""


def npy(shape: object, content: bytes = bytes(800), descr: str = "<f8") -> bytes:
    """An array whose header says any shape."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    head = head.ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + content


def edf(path: Path, **changes: object) -> Path:
    write_edf(path, edf_signals(), edf_values(), **EDF_FIELDS | changes)
    return path


def edf_signal(path: Path, **changes: object) -> Path:
    write_edf(path, [edf_signals()[0] | changes], edf_values()[:1], **EDF_FIELDS)
    return path


def npz(path: Path, member: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signal.npy", member)
    return path


def wfdb(folder: Path, name: str, header: str, content: bytes = bytes(4000)) -> Path:
    (folder / f"{name}.dat").write_bytes(content)
    (folder / f"{name}.hea").write_text(header.replace("NAME", name))
    return folder / f"{name}.hea"


def flac(folder: Path, name: str) -> Path:
    """A stream that promises 2 ** 36 - 1 samples."""
    path = FORMATS["wfdb-flac"].write(folder, name)
    data = folder / f"{name}.dat"
    content = bytearray(data.read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    data.write_bytes(bytes(content))
    path.write_text(path.read_text().replace(f"{FS} 2000", f"{FS} 60000000000"))
    return path


def dicom(path: Path, **changes: object) -> Path:
    own = group(np.zeros((100, 2), "<i2"), [channel("2:1"), channel("2:2")], **changes)
    return write_dicom(path, [own])


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def large_member(path: Path) -> Path:
    """A member that is small, but of which the archive says that it is a terabyte."""
    npz(path, npy(f"({HUGE // 16}, 2)"))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\1\2")
    struct.pack_into("<I", content, at + 24, 2**32 - 2)
    path.write_bytes(bytes(content))
    return path


def bomb(entities: str, use: str) -> str:
    return f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><AnnotatedECG>{use}</AnnotatedECG>'


LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
)


def absurd(folder: Path) -> dict[str, tuple[Path, dict[str, object]]]:
    """Files that promise too much, each with what has to be said beside its path."""
    table = {"fs": FS, "unit": "mV"}
    row = "NAME.dat 16 400(0)/mV 16 0 0 0 0 II\n"
    plain = {
        "edf records": edf(folder / "a.edf", n_records=99999999),
        "edf signals": edf(folder / "b.edf", n_signals=9999, n_bytes=2560000),
        "edf samples": edf_signal(folder / "c.edf", n_samples=99999999),
        "edf rate": edf(folder / "d.edf", record_s="1e-99"),
        "ishne": change(FORMATS["ishne"].write(folder, "e"), n_samples=2**31 - 1),
        "ishne begin": change(FORMATS["ishne"].write(folder, "f"), begin=2**31 - 1),
        "wfdb": wfdb(folder, "g", f"NAME 1 250 {HUGE}\n{row}"),
        "wfdb gap": wfdb(folder, "h", f"NAME/2 1 250\nNAME_1 9\n~ {HUGE}\n"),
        "wfdb frames": wfdb(folder, "i", f"NAME 1 250 10\n{row.replace('16 4', '16x999999 4')}"),
        "wfdb signals": wfdb(folder, "j", "NAME 999999999 250 10\n" + row),
        "wfdb many signals": wfdb(folder, "k", "NAME 100000 250 1\n" + row * 100_000),
        "wfdb offset": wfdb(folder, "l", f"NAME 1 250\n{row.replace('16 4', f'16+{HUGE} 4')}"),
        "wfdb skew": wfdb(folder, "m", f"NAME 1 250 {HUGE}\n{row.replace('16 4', '16:9999 4')}"),
        "wfdb flac": flac(folder, "n"),
        "dicom": dicom(folder / "o.dcm", NumberOfWaveformSamples=2**32 - 1),
        "npz": npz(folder / "p.npz", npy(f"({HUGE}, 2)")),
        "npz header": npz(folder / "q.npz", b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 9)),
        "npz member": large_member(folder / "r.npz"),
        "xml laughs": written(folder / "s.xml", bomb(LAUGHS, "&m;")),
        "xml file": written(folder / "t.xml", bomb('<!ENTITY f SYSTEM "/etc/passwd">', "&f;")),
        "xml web": written(folder / "u.xml", bomb('<!ENTITY f SYSTEM "http://x.invalid">', "&f;")),
        "xml deep": written(folder / "v.xml", "<AnnotatedECG>" + "<a>" * 1_000_000),
        "xml long": written(folder / "w.xml", "<AnnotatedECG x='" + "y" * 30_000_000),
        "one line": written(folder / "x.csv", b"II\n0.1\n" + b"1" * 20_000_000),
        "one line alone": written(folder / "y.csv", b"1" * 20_000_000),
        "columns": written(folder / "z.csv", (b"0.1," * 1_000_000 + b"\n") * 2),
        "columns in one line": written(folder / "A.csv", b"0.1," * 1_000_000),
        "names": written(folder / "B.csv", b"II," * 100_000 + b"\n" + b"0.1," * 100_000 + b"\n1"),
        "gap": written(
            folder / "C.csv",
            "time,II [mV]\n" + "".join(f"{n / 250},1\n" for n in range(9)) + "9e9,1",
        ),
        "exponent": written(folder / "D.csv", "time,II [mV]\n0,1\n1e308,1\n" * 5),
    }
    files: dict[str, tuple[Path, dict[str, object]]] = {
        name: (path, {}) for name, path in plain.items()
    }
    files["npy"] = written(folder / "E.npy", npy(f"({HUGE}, 2)")), table
    files["npy axes"] = written(folder / "F.npy", npy("(" + "9, " * 60 + ")")), table
    files["npy axis"] = written(folder / "G.npy", npy(f"({10**40},)")), table
    files["npy header"] = written(folder / "H.npy", b"\x93NUMPY\2\0" + b"\xff" * 4), table
    files["numbers"] = written(folder / "I.csv", "II\n" + "9" * 900_000 + "\n1\n"), table
    return files


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
def test_nothing_is_allocated_for_what_a_file_promises(tmp_path):
    good = []
    for kind, form in FORMATS.items():
        (tmp_path / kind).mkdir()
        good.append((str(form.write(tmp_path / kind, "rec")), form.options))
    files = absurd(tmp_path)
    given = [good, [(str(path), options) for path, options in files.values()]]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        input=json.dumps(given), capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wrong = {}
    for name, (said, seconds) in zip(files, json.loads(done.stdout), strict=True):
        path = files[name][0]
        if not said or "memory" in said.lower() or path.stem not in said or "\n" in said:
            wrong[name] = said
        if seconds > 5:
            wrong[name] = f"took {seconds:.1f} s: {said}"
    assert wrong == {}


@pytest.mark.slow
def test_a_line_of_a_hundred_megabytes(tmp_path):
    path = written(tmp_path / "x.csv", b"II [mV]\n0.1\n" + b"1" * 100_000_000)
    assert judge(path, fs=FS).message == (
        "x.csv, line 3 is over a megabyte long; expected a row a sample"
    )


@pytest.mark.slow
def test_a_zip_of_zeros(tmp_path):
    """What is small because it is all the same is refused before it is taken out."""
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("signal.npy", "w", force_zip64=True) as member,
    ):
        member.write(npy("(250000000, 2)", b"", "<f4"))
        for _ in range(250):
            member.write(bytes(8_000_000))
    message = judge(path, fs=FS, unit="mV").message
    assert "packs 2000000000 bytes into" in message


class _Trap:
    def __reduce__(self):
        return (os.mkdir, ("trapped",))


@pytest.mark.parametrize("name", ["signal", "fs", "leads", "other"])
def test_nothing_is_unpickled(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    trap = np.array([_Trap()] * 3, dtype=object)
    np.save("trap.npy", trap, allow_pickle=True)
    assert "Python objects" in judge(tmp_path / "trap.npy", fs=FS, unit="mV").message
    arrays = {"signal": np.zeros((500, 1)), name: trap}
    np.savez("trap.npz", **arrays)
    judge(tmp_path / "trap.npz", fs=FS, unit="mV")
    (tmp_path / "trap.csv").write_bytes(pickle.dumps(_Trap()))
    assert judge(tmp_path / "trap.csv").message
    assert not (tmp_path / "trapped").exists()


def test_entities_are_named(tmp_path):
    message = judge(written(tmp_path / "s.xml", bomb(LAUGHS, "&m;"))).message
    assert message == "s.xml declares entities or a document type; remove them"
