"""A load test of a PACS over DICOM TLS, for Locust: an association for each study, some echoes, some queries.

    pip install 'leadtools_compat[load]'
    locust -f locustfile.py --host pacs.example:2762 --dicom-ca ca.pem --dicom-certificate client-combined.pem

Then open http://localhost:8089 and say how many users. On more machines: `--master` on one of them, and
`--worker --master-host THAT_ONE` on the others, once for each core. Without a page:

    locust -f locustfile.py --headless -u 50 -r 10 -t 5m --stop-timeout 30 --csv report --host ...

Use a test installation: the objects that are sent stay in the PACS (patient ID LOADTEST).
"""

from __future__ import annotations

import os
import random

from locust import between, task
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from leadtools_compat.testing.load import STUDY_ROOT_FIND, DicomUser

SLICES = int(os.environ.get("SLICES", "5"))
"""Objects in a study."""
SIZE = 512
"""Rows and columns of a slice: 512 KiB."""


def slice_of_a_study() -> Dataset:
    """Make an object that a PACS takes."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = CTImageStorage
    made.PatientName, made.PatientID = "Load^Test", "LOADTEST"
    made.StudyDate = made.StudyTime = made.AccessionNumber = made.StudyID = ""
    made.Modality, made.SeriesNumber, made.InstanceNumber = "CT", 1, 1
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows = made.Columns = SIZE
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    made.add_new(0x7FE00010, "OW", random.randbytes(SIZE * SIZE * 2))
    return made


IMAGE = slice_of_a_study()


class Modality(DicomUser):
    """Sends studies, each over an association of its own."""

    weight = 3
    wait_time = between(0.05, 0.2)
    sop_classes = (CTImageStorage,)

    @task(4)
    def send_a_study(self) -> None:
        study = IMAGE[:]  # a copy; copy.copy() would share its elements
        study.file_meta = IMAGE.file_meta
        study.StudyInstanceUID, study.SeriesInstanceUID = generate_uid(), generate_uid()
        with self.association():
            for _ in range(SLICES):
                self.store(study)

    @task(1)
    def verify(self) -> None:
        with self.association():
            self.echo()


class Workstation(DicomUser):
    """Asks over one association that lasts."""

    weight = 1
    wait_time = between(0.05, 0.2)

    @task
    def look_for_patients(self) -> None:
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.PatientID = "LOADTEST"
        query.StudyInstanceUID = query.StudyDate = ""
        self.find(query, STUDY_ROOT_FIND)
