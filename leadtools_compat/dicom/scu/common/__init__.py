"""The mirror of ``Leadtools.Dicom.Scu.Common``: the same names as in ``leadtools_compat.dicom.scu``.

Which of the two namespaces a name is in differs between versions; here either import finds it.
"""

from __future__ import annotations

from leadtools_compat.dicom import scu as _scu
from leadtools_compat.dicom.scu import *

__all__ = list(_scu.__all__)
