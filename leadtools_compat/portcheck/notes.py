"""What portcheck says beyond `leadtools_compat.api_matrix`, which has the facts about members.

Here is what a port writes in another way (the matrix calls that done), and what no class of this
library stands for. Keys are ``Type`` or ``Type.Member``; ``Type.*`` is all of a type's members.
Values are a sentence and the heading in docs/porting.md.
"""

from __future__ import annotations

__all__ = ["ABSENT", "CONSTRUCTS", "DIFFERS"]

_LICENCE = ("does nothing, may stay", "licence-calls")

DIFFERS: dict[str, tuple[str, str]] = {
    "RasterSupport": _LICENCE,
    "RasterSupport.*": _LICENCE,
    "RasterSupportType": _LICENCE,
    "RasterSupportType.*": _LICENCE,
    "DicomNet.Startup": (
        "optional; programs that pump messages give pumped=True",
        "threads-and-the-message-pump",
    ),
    "DicomNet.OnReceive": ("the buffer is a memoryview, for the time of the call", "buffers"),
    "DicomNet.Dispose": ("one method for Dispose() and Dispose(bool)", "using-and-dispose"),
    "DicomNet.OnVerify": (
        "anything but exactly 1, an exception too, ends the handshake",
        "certificates",
    ),
    "DicomConnection.VerifyCertificate": (
        "with several handlers any refusal counts",
        "certificates",
    ),
    "VerifyCertificateEventArgs.Return": ("any refusal of several handlers counts", "certificates"),
    "DicomOpenSslContextCreationSettings": (
        "keyword or position; unknown verification bits are an error",
        "tls-settings",
    ),
    "DicomDataSet.GetValue": ("GetValue[T](...) or T=", "generics"),
    "DicomDataSet.Get": ("Get[T]()", "generics"),
    "QueryRetrieveScu.Find": ("Find[TQuery, TResult](...)", "generics"),
    "QueryRetrieveScu.OnReceiveCStoreRequest": (
        "one parameter more, in front; mypy wants a type: ignore[override]",
        "overrides-and-base-calls",
    ),
    "Element": ("a descriptor: Name = Element(DicomTag.X)", "attributes"),
    "Instance": ("a class decorator", "attributes"),
    "EventHandler": ("any callable", "events-and-delegates"),
}

_RASTER = ("images are numpy arrays; there are no raster classes", "images")
_SERVER = ("the PACS framework is not part of this library", "what-is-not-there")

ABSENT: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "RasterImage",
            "RasterCodecs",
            "CodecsImageInfo",
            "RasterColor",
            "RasterByteOrder",
            "RasterViewPerspective",
            "RasterPaletteWindowLevelFlags",
            "RasterImageViewer",
            "ImageViewer",
            "MedicalViewer",
        ),
        _RASTER,
    ),
    **dict.fromkeys(
        (
            "IProcessCStore",
            "IProcessCFind",
            "IProcessCMove",
            "IDicomSecurity",
            "NotifySendMessageBase",
        ),
        _SERVER,
    ),
    **dict.fromkeys(
        ("DicomPrintScu", "PatientUpdaterScu", "MediaCreationManagementScu"),
        ("not part of this library: NotImplementedError", "what-is-not-there"),
    ),
}

# Words in the source that the guide has a chapter about; they do not count.
CONSTRUCTS: dict[str, tuple[str, str]] = {
    "PeekMessage": ("a message pump: DicomNet.Breathe", "threads-and-the-message-pump"),
    "DispatchMessage": ("a message pump: DicomNet.Breathe", "threads-and-the-message-pump"),
    "DoEvents": ("a message pump: DicomNet.Breathe", "threads-and-the-message-pump"),
    "WaitOne": ("an event: threading.Event", "threads-and-the-message-pump"),
    "AutoResetEvent": (
        "threading.Event, and clear() after the wait",
        "threads-and-the-message-pump",
    ),
    "ManualResetEvent": ("threading.Event", "threads-and-the-message-pump"),
    "Abort": ("threads cannot be aborted: CloseForced wakes them", "threads-and-the-message-pump"),
    "BeginInvoke": ("no user interface thread: a queue.Queue", "threads-and-the-message-pump"),
    "DllImport": ("ctypes, or better none", "threads-and-the-message-pump"),
    "AddressOf": ("the method itself", "events-and-delegates"),
    "AddHandler": ("+=", "events-and-delegates"),
}
