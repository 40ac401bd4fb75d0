"""DICOM waveforms written by pydicom, also ones that no device would write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
ECG_12 = "1.2.840.10008.5.1.4.1.1.9.1.1"
HEMODYNAMIC = "1.2.840.10008.5.1.4.1.1.9.2.1"
EEG = "1.2.840.10008.5.1.4.1.1.9.7.1"

CODINGS = {
    "i1": (8, "SB"),
    "u1": (8, "UB"),
    "i2": (16, "SS"),
    "u2": (16, "US"),
    "i4": (32, "SL"),
    "u4": (32, "UL"),
}


def item(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def code(value: str, scheme: str, meaning: str) -> Sequence:
    return Sequence([item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)])


def channel(
    source: str = "2:2", scheme: str = "MDC", meaning: str = "Lead II", unit: str = "uV", **others
) -> Dataset:
    elements = {
        "ChannelSourceSequence": code(source, scheme, meaning),
        "ChannelSensitivity": "2.5",
        "ChannelSensitivityUnitsSequence": code(unit, "UCUM", "unit"),
        "ChannelSensitivityCorrectionFactor": "1",
        "ChannelBaseline": "0",
        "ChannelSampleSkew": "0",
    } | others
    return item(**{name: value for name, value in elements.items() if value is not None})


def group(values: np.ndarray, channels: list[Dataset], **others: object) -> Dataset:
    """Multiplex group of samples of any type; shape (samples, channels)."""
    bits, interpretation = CODINGS[values.dtype.str[1:]]
    elements = {
        "WaveformOriginality": "ORIGINAL",
        "NumberOfWaveformChannels": values.shape[1],
        "NumberOfWaveformSamples": values.shape[0],
        "SamplingFrequency": "500",
        "MultiplexGroupLabel": "RHYTHM",
        "ChannelDefinitionSequence": Sequence(channels),
        "WaveformBitsAllocated": bits,
        "WaveformSampleInterpretation": interpretation,
        "WaveformData": values.tobytes() + b"\0" * (values.nbytes % 2),
    } | others
    dataset = item(**{name: value for name, value in elements.items() if value is not None})
    for keyword in ("WaveformData", "WaveformPaddingValue"):
        if keyword in dataset:
            dataset[keyword].VR = "OB" if bits == 8 else "OW"
    return dataset


def write(
    path: Path,
    groups: list[Dataset] | None,
    syntax: str = EXPLICIT,
    sop_class: str = ECG_12,
    undefined: bool = False,
    **others: object,
) -> Path:
    dataset = item(
        SOPClassUID=sop_class,
        SOPInstanceUID="1.2.3.4",
        AcquisitionDateTime="20240229101112.250000+0100",
        Modality="ECG",
        Manufacturer="Maker",
        ManufacturerModelName="M 12",
        InstitutionName="St. Nowhere",
        PatientName="Mustermann^Erika",
        PatientID="PID-998877",
        PatientBirthDate="19510502",
        **others,
    )
    if groups is not None:
        dataset.WaveformSequence = Sequence(groups)
        if undefined:
            dataset["WaveformSequence"].is_undefined_length = True
            for one in groups:
                one.is_undefined_length_sequence_item = True
                one["ChannelDefinitionSequence"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset.save_as(path, enforce_file_format=True)
    return path


def digital(n_channels: int, n_samples: int = 400, dtype: str = "<i2", seed: int = 0) -> np.ndarray:
    limits = np.iinfo(dtype)
    random = np.random.default_rng(seed)
    return random.integers(limits.min, limits.max, (n_samples, n_channels)).astype(dtype)
