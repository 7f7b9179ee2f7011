"""Why does TLS fail, and what can the peer do? Probes, judgement, and the report in three forms.

The one rule: our own library makes the connection that is judged, so that the report says what any
program of it would have met; hand-made hellos and other clients only add what it cannot ask.

Needs the extra ``cli``: ``pip install leadtools_compat[cli]``.
"""

from __future__ import annotations

from leadtools_compat.diagnose.model import Finding, Level, Report
from leadtools_compat.diagnose.run import diagnose

__all__ = ["Finding", "Level", "Report", "diagnose"]
