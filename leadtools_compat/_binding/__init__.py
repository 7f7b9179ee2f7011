"""The border to libltdic: the only folder that touches ``ffi``.

One rule: what crosses the border is converted here, so that the rest of the package sees Python
values only. ``lib``'s functions with plain numbers may be called from the mirror classes too;
everything with pointers, buffers, structures and callbacks has a function in this folder.

========================  =====================================================================
``associates``            who frees a C association; one thread at a time
``callbacks``             calls from C into Python: the one pattern for all of them
``datasets``              who frees a C data set; its bytes without a copy
``errors``                a C result becomes a ``DicomException``; the way to ``unraisablehook``
``lifetime``              numbers for C's user pointers, and who frees a net
``messages``              the calls about associations and DIMSE messages
``pump``                  pumped mode, and where the exceptions of callbacks go
``reads``                 structures and texts that C fills
``text``                  ``str``, paths and addresses to C, and back
========================  =====================================================================
"""

from __future__ import annotations

import sysconfig

from leadtools_compat._version import __version__

if sysconfig.get_config_var("Py_GIL_DISABLED"):
    raise ImportError(
        "leadtools_compat does not support free-threaded Python (PEP 703, a 't' build): its "
        "callbacks rely on the GIL. Use the ordinary build of the same version."
    )

try:
    from leadtools_compat._binding._native import ffi, lib
except ImportError as error:
    raise ImportError(
        f"the compiled part of leadtools_compat cannot be loaded ({error}). Install the package "
        "(pip install leadtools_compat), or build it in a checkout (pip install -e .); OpenSSL 3 "
        "must be installed."
    ) from error

__all__ = ["ffi", "lib"]


def _check_version(found: str, expected: str) -> None:
    """Refuse a libltdic of another version: its structures may differ from what is compiled in."""
    if found != expected:
        raise ImportError(
            f"leadtools_compat {expected} found libltdic {found} beside it. Two installations are "
            "mixed: uninstall leadtools_compat and install it again (in a checkout: pip install "
            "-e . once more)."
        )


_check_version(ffi.string(lib.L_DicomGetLibraryVersion()).decode(), __version__)
