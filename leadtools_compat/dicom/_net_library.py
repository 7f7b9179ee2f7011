"""Starting, stopping and pumping the library: the static members of `DicomNet`."""

from __future__ import annotations

import operator

from leadtools_compat._binding import lib, pump
from leadtools_compat._binding.errors import check
from leadtools_compat._binding.text import from_c
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.dicom_open_ssl_version import DicomOpenSslVersion
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

__all__ = ["NetLibrary"]


class NetLibrary:
    """The part of `DicomNet` that is about the library and not about one net."""

    @staticmethod
    def Startup(pumped: bool | None = None) -> None:
        """Count one more user of the library, and choose who runs the overrides.

        Parameters
        ----------
        pumped
            True: overrides run inside `Breathe`, on its thread. False: on worker threads. None: as
            it is, which is worker threads unless the environment says LEADTOOLS_COMPAT_PUMPED=1
            (ours).

        Raises
        ------
        DicomException
            ``InvalidState``: it would change the mode while a net exists.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Startup``. Counted together with `DicomEngine`.
        """
        pump.set_mode(None if pumped is None else bool(pumped))
        check(lib.L_DicomStartUp())

    @staticmethod
    def Shutdown() -> None:
        """Count one user less; open nets go on.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Shutdown``.
        """
        lib.L_DicomShutDown()

    @staticmethod
    def GetOpenSslVersion() -> DicomOpenSslVersion:
        """Tell which OpenSSL the library runs with.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.GetOpenSslVersion``.
        """
        return DicomOpenSslVersion(True, "", from_c(lib.L_DicomGetOpenSslVersion()))

    @staticmethod
    def set_failure_log(lines: int = 10, seconds: int = 60) -> None:
        """Say how many failures of connections the log has.

        Each is a warning of the logger ``leadtools_compat``, its record in the attribute
        ``failure`` of the `logging.LogRecord`.

        Parameters
        ----------
        lines
            So many of one cause have a line of their own within `seconds`; the others are counted,
            and one line tells of them. 0: failures are not logged.
        seconds
            1 to 604800.

        Raises
        ------
        DicomException
            ``Parameter``: a number is out of range.

        Notes
        -----
        Ours; for the whole process.
        """
        numbers = []
        for name, value, least, most in (
            ("lines", lines, 0, 0xFFFFFFFF),
            ("seconds", seconds, 1, 604_800),
        ):
            number = operator.index(value)
            if not least <= number <= most:
                raise DicomException(
                    DicomExceptionCode.Parameter, f"{name} is {number}, not in {least}..{most}"
                )
            numbers.append(number)
        check(lib.L_DicomSetFailureLog(*numbers))

    @staticmethod
    def Breathe(timeout: float = 0.0) -> bool:
        """Pumped mode: run at most one override that waits to be run, on this thread.

        Parameters
        ----------
        timeout
            Seconds to wait for one; ``math.inf`` waits for ever. Ctrl-C ends the wait.

        Returns
        -------
        bool
            True if one ran. Otherwise than in pumped mode it only sleeps, and the answer is False.

        Raises
        ------
        Exception
            What the override raised.

        Notes
        -----
        The place of the message loop of a Windows program; the name is in the LEADTOOLS C API.
        """
        if not isinstance(timeout, (int, float)):
            raise TypeError(f"timeout must be a number of seconds, not {type(timeout).__name__}")
        if not timeout >= 0:  # NaN too
            raise DicomException(
                DicomExceptionCode.Parameter,
                f"timeout is {timeout}, which is not 0 or more seconds",
            )
        return pump.breathe(float(timeout))
