"""Real files in native, big-endian, deflated and compressed transfer syntaxes, from DCMTK to us and from us to DCMTK.

Pixels that need no codec arrive as they are; nobody decodes on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread, dcmwrite

from leadtools_compat.dicom import DicomPduType
from leadtools_compat.testing import TestPki
from tests.dicom.nodes import CT, EXPLICIT
from tests.interop.archive import files, identical, store
from tests.interop.programs import client_options, free_port, run, served, server_options
from tests.interop.wires import Wire, released

SYNTAXES = {
    "implicit-vr-little-endian": ("-xi", "rtplan.dcm"),
    "explicit-vr-little-endian": ("-xe", "CT_small.dcm"),
    "explicit-vr-big-endian": ("-xb", "MR_small_bigendian.dcm"),
    "deflated": ("-xd", "image_dfl.dcm"),
    "jpeg-baseline": ("-xy", "SC_rgb_small_odd_jpeg.dcm"),
    "jpeg-extended": ("-xx", "JPEG-lossy.dcm"),
    "jpeg-lossless": ("-xs", "SC_rgb_jpeg_gdcm.dcm"),
    "jpeg-ls-lossless": ("-xt", "MR_small_jpeg_ls_lossless.dcm"),
    "jpeg-ls-lossy": ("-xu", "JPEGLSNearLossless_08.dcm"),
    "jpeg-2000": ("-xw", "JPEG2000.dcm"),
    "jpeg-2000-lossless": ("-xv", "examples_jpeg2k.dcm"),
    "rle": ("-xr", "SC_rgb_rle.dcm"),
}
PLAIN_AND_TLS = pytest.mark.parametrize("link", ["plain", "tls13"], indirect=True)


@PLAIN_AND_TLS
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_storescu_sends_us(link: Wire, pki: TestPki, syntax: str) -> None:
    option, name = SYNTAXES[syntax]
    (file,) = files(name)
    listener = link.scp()
    options = [option, "-R", *client_options(link.tls, pki)]
    run("storescu", *options, "127.0.0.1", listener.HostPort, file.path)
    stored = listener.child().log.wait("OnReceiveCStoreRequest").arguments[-1]
    assert stored.transfer_syntax == file.syntax
    identical(stored.to_pydicom(), file)
    assert listener.child().log.wait("OnClose").code == 0


@pytest.fixture
def storescp(link: Wire, pki: TestPki, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Start DCMTK's storage server for all transfer syntaxes; gives its port and folder."""
    folder = tmp_path / "stored"
    folder.mkdir()
    port = free_port()
    options = [*server_options(link.tls, pki), "+B", "+xa", "-od", folder]
    with served(["storescp", *options, port], tmp_path / "storescp.log", port):
        yield port, folder


@PLAIN_AND_TLS
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_we_send_storescp(
    link: Wire, storescp: tuple[int, Path], syntax: str, tmp_path: Path
) -> None:
    port, folder = storescp
    (file,) = files(SYNTAXES[syntax][1])
    if syntax == "deflated":  # pydicom's file is of odd length, which DCMTK refuses: write it anew
        dcmwrite(tmp_path / "deflated.dcm", file.data)
        file = file._replace(path=tmp_path / "deflated.dcm")
    scu = link.associated_to(port, (file.sop_class, file.syntax))
    store(scu, [file])
    released(scu)
    (stored,) = map(dcmread, folder.iterdir())
    assert stored.file_meta.TransferSyntaxUID == file.syntax
    identical(stored, file)


def test_a_deflated_file_of_odd_length_is_sent_with_a_byte_of_padding(plain: Wire) -> None:
    """DCMTK and Orthanc end the association: "Odd Fragment Length"."""
    (file,) = files("image_dfl.dcm")
    lengths: list[int] = []

    def look(net: Any, error: Any, kind: DicomPduType, buffer: memoryview, size: int) -> None:
        if kind == DicomPduType.DataTransfer:
            lengths.append(int.from_bytes(buffer[2:6], "big"))

    listener = plain.scp(OnReceive=look)
    scu = plain.associated_to(listener.HostPort, (file.sop_class, file.syntax))
    store(scu, [file])
    released(scu)
    assert [length for length in lengths if length % 2] == []


@pytest.mark.parametrize("link", ["plain"], indirect=True)
@pytest.mark.parametrize("wanted", ["-xi", "-xb"])
def test_native_files_are_converted_to_what_was_accepted(
    link: Wire, pki: TestPki, storescp: tuple[int, Path], wanted: str
) -> None:
    """Our file is explicit little endian; the context is another one. Then the pixels are the same numbers."""
    (file,) = files("CT_small.dcm")
    syntax = {"-xi": "1.2.840.10008.1.2", "-xb": "1.2.840.10008.1.2.2"}[wanted]
    assert (file.sop_class, file.syntax) == (CT, EXPLICIT)
    port, folder = storescp
    scu = link.associated_to(port, (CT, syntax))
    store(scu, [file], syntax)
    released(scu)
    (stored,) = map(dcmread, folder.iterdir())
    assert stored.file_meta.TransferSyntaxUID == syntax
    assert (stored.pixel_array == file.data.pixel_array).all()
