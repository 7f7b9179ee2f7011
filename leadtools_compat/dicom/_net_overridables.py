"""The overridables of `DicomNet`: what the library calls and user code writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadtools_compat.dicom.dicom_exception import DicomSecurityCertificateException
from leadtools_compat.dicom.enums_codes import DicomExceptionCode

if TYPE_CHECKING:
    from leadtools_compat.dicom.dicom_net import DicomNet

__all__ = ["NetOverridables"]


class NetOverridables:
    """Base versions: all do nothing but `OnVerify`, which returns `ok`.

    The library passes positional arguments, so an override may name its parameters as it likes.
    For one net, calls never overlap. An exception goes to ``sys.unraisablehook`` (in pumped mode it
    comes out of ``Breathe``), and the failure record keeps it.
    """

    def OnConnect(self, error: DicomExceptionCode) -> None:
        """Hear how `Connect` ended, before TLS starts.

        Parameters
        ----------
        error
            ``Success``, or why there is no connection.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnConnect``.
        """

    def OnAccept(self, error: DicomExceptionCode) -> None:
        """Take a connection that waits at this listener: make a child, set it up, `Accept` it.

        Parameters
        ----------
        error
            ``Success``.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnAccept``.
        """

    def OnClose(self, error: DicomExceptionCode, net: DicomNet) -> None:
        """Hear that a connection has ended; once for each, whoever closed it and however.

        Never called after `Dispose` or ``CloseForced(False)``.

        Parameters
        ----------
        error
            ``Success`` for a close in good order, else the failure's code.
        net
            The connection: on a client or child the object itself, on a listener the child.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnClose``.
        """

    def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
        """Hear how the TLS handshake ended, once for each connection and side.

        Parameters
        ----------
        error
            ``Success``, or why there is no link; `failure` has the details.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnSecureLinkReady``.
        """

    def OnVerify(
        self, ok: int, certificateString: str, error: DicomSecurityCertificateException
    ) -> int:
        """Accept or refuse one certificate of the peer's chain.

        Called during the TLS handshake on either side, root first, at least once for each
        certificate, and once more for each complaint that an earlier call overruled.

        Parameters
        ----------
        ok
            1 if no fault was found with this certificate, else 0.
        certificateString
            Subject, issuer, validity (GMT), serial number, basic constraints and purposes, as text.
        error
            ``error.Code`` is ``Success`` when `ok` is 1, else the reason.

        Returns
        -------
        int
            1 goes on; anything else ends the verification. Return `ok` for the default. An
            exception, or an answer that is not an int, ends the handshake whatever the
            verification flags are.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnVerify`` (help v22).
        """
        return ok

    def OnPrivateKeyPassword(self, encryption: bool) -> str | None:
        """Give the password of an encrypted private key.

        Called inside `SetTlsClientCertificate`, on the same thread; so possibly before the
        ``__init__`` of a subclass has finished.

        Parameters
        ----------
        encryption
            False: the password is for reading.

        Returns
        -------
        str or None
            The password; it is used as UTF-8. None or "": there is none, and the key is not loaded.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.OnPrivateKeyPassword``.
        """
        return None

    def OnNonSecureSendIscl(self, *args: Any) -> None:
        """Never called: ISCL is retired and not supported."""

    def OnNonSecureReceivedIscl(self, *args: Any) -> None:
        """Never called: ISCL is retired and not supported."""
