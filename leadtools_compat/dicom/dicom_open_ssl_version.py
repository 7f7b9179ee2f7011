"""`DicomOpenSslVersion`."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DicomOpenSslVersion"]


class DicomOpenSslVersion(NamedTuple):
    """Which OpenSSL the library runs with; the result of `DicomNet.GetOpenSslVersion`.

    Attributes
    ----------
    IsAvailable
        True: the library does not load without OpenSSL.
    DownloadMessage
        Empty, as there is nothing to download.
    version_text
        OpenSSL's own words, as ``OpenSSL 3.0.15 3 Sep 2024`` (ours).

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomOpenSslVersion`` as public programs use it.
    """

    IsAvailable: bool
    DownloadMessage: str
    version_text: str
