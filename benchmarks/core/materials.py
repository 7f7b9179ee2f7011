"""The PKI and the files that all peers use, made once for a run.

The PKI is that of `leadtools_compat.testing`: root, intermediate, and a leaf for each side. The
objects are Secondary Capture images in explicit VR little endian, whose data set has exactly the
size that is asked for. Number N of size S has the instance UID 2.25.(1000 S + N): the clients count
on that, because Orthanc compares the UID of the request with that of the data set.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.core.model import MIB

__all__ = ["Materials"]

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"
PIXELS = bytes.fromhex("e07f1000") + b"OW\0\0"
SMALL = 1 * MIB
"""Up to this size objects are read before the clock runs, past it they are read while sent."""


class Materials:
    """Files in a folder, made when they are asked for."""

    def __init__(self, folder: Path, key: str = "rsa") -> None:
        from leadtools_compat.testing import TestPki

        self.folder = folder
        self.key = key
        self.pki = TestPki(folder / f"pki-{key}", seed="benchmarks", key=key)  # type: ignore[arg-type]
        self._made: dict[int, list[Path]] = {}

    @property
    def tls(self) -> str:
        """The folder of the PKI."""
        return str(self.pki.directory)

    def objects(self, size: int) -> list[Path]:
        """List files whose data sets have `size` bytes: several of a small size."""
        if size not in self._made:
            count = max(1, min(32, 16 * MIB // size))
            self._made[size] = [self._object(size, number) for number in range(count)]
        return self._made[size]

    def _object(self, size: int, number: int) -> Path:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.filewriter import dcmwrite

        instance = f"2.25.{size * 1000 + number}"
        meta: Any = FileMetaDataset()
        meta.MediaStorageSOPClassUID = SECONDARY
        meta.MediaStorageSOPInstanceUID = instance
        meta.TransferSyntaxUID = EXPLICIT
        data: Any = Dataset()
        data.file_meta = meta
        data.SOPClassUID, data.SOPInstanceUID = SECONDARY, instance
        data.PatientName, data.PatientID = "Bench^Mark", "BENCH"
        data.StudyInstanceUID, data.SeriesInstanceUID = "2.25.1", "2.25.2"
        data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", 1, number + 1
        data.Modality, data.SamplesPerPixel = "OT", 1
        data.PhotometricInterpretation = "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
        data.PixelRepresentation = 0
        data.Rows, data.Columns = 256, 256
        path = self.folder / f"object-{size}-{number}.dcm"
        dcmwrite(path, data, enforce_file_format=True)
        plain = path.stat().st_size
        data_start = self._header_length(path)
        left = size - (plain - data_start) - len(PIXELS) - 4
        left -= left % 2
        block = os.urandom(min(left, MIB))
        with path.open("ab") as file:
            file.write(PIXELS + left.to_bytes(4, "little"))
            for at in range(0, left, len(block)):
                file.write(block[: left - at])
        return path

    @staticmethod
    def _header_length(path: Path) -> int:
        """Count the bytes before the data set: preamble, prefix, group 0002 (PS3.10 7.1)."""
        with path.open("rb") as file:
            start = file.read(144)
        return 144 + int.from_bytes(start[140:144], "little")
