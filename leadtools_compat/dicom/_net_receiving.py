"""What `DicomNet` does with what comes in, beside its overridables; all of it ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from leadtools_compat._binding import lib
from leadtools_compat._binding.errors import parameter_error
from leadtools_compat.dicom._net_state import call, live

__all__ = ["NetReceiving"]

_SINKS = {
    "memory": lib.DICOM_SINK_MEMORY,
    "file": lib.DICOM_SINK_FILE,
    "discard": lib.DICOM_SINK_DISCARD,
}
_ANSWERS = {
    "echo": lib.DICOM_AUTO_RESPOND_ECHO,
    "release": lib.DICOM_AUTO_RESPOND_RELEASE,
}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


class NetReceiving:
    """The part of `DicomNet` that is about data sets coming in and answers without user code."""

    @property
    def receive_sink(self) -> str | Callable[[bytes], object]:
        """Where the data sets of C-STORE requests go, from the next one on (ours).

        ``"memory"``, the default: memory, and past ``limits["data_set_memory"]`` a file without a
        name in the net's folder. ``"file"``: such a file from the first byte on. ``"discard"``:
        nowhere. A callable: it is called with pieces (bytes, up to 256 KiB) as they come, in
        order, as the overridables are; `OnReceiveCStoreRequest` follows the last piece. With
        ``"discard"`` and a callable its `ds` is None. Other messages are not concerned.

        A callable that raises aborts the association. When the association ends in the middle of a
        data set, `OnClose` comes instead of the request: drop what has been written.

        Raises
        ------
        DicomException
            ``Parameter``: not one of these.
        """
        return live(self).receive_sink

    @receive_sink.setter
    def receive_sink(self, value: str | Callable[[bytes], object]) -> None:
        state = live(self)
        number = _SINKS.get(value) if isinstance(value, str) else None
        if callable(value):
            number = lib.DICOM_SINK_CHUNKS
        if number is None:
            raise parameter_error(
                f"receive_sink is {value!r}; it can be {_listed(_SINKS)} or a callable that takes "
                "bytes"
            )
        if callable(value):
            state.chunk_taker = value  # before C may ask for it
        call(state, lib.L_DicomSetReceiveSink(state.handle, number))
        state.receive_sink = value

    @property
    def auto_respond(self) -> frozenset[str]:
        """What the library answers with success by itself: ``"echo"``, ``"release"`` (ours).

        Default: nothing. A name is ignored while its override is there (`OnReceiveCEchoRequest`,
        `OnReceiveReleaseRequest`). No Python code runs for such an answer,
        `OnBeforeSendCommandSet` neither; `OnReceiveData` is told of echoes all the same. On a
        listener: set it on the children.

        Raises
        ------
        DicomException
            ``Parameter``: a name that is not known.
        """
        return live(self).auto_respond

    @auto_respond.setter
    def auto_respond(self, value: Iterable[str]) -> None:
        state = live(self)
        names = frozenset([value] if isinstance(value, str) else value)
        unknown: list[Any] = sorted(map(repr, names - _ANSWERS.keys()))
        if unknown:
            raise parameter_error(
                f"auto_respond has {', '.join(unknown)}; it can have {_listed(_ANSWERS)}"
            )
        bits = sum(_ANSWERS[name] for name in names)
        call(state, lib.L_DicomSetAutoRespond(state.handle, bits))
        state.auto_respond = names
