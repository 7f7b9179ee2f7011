"""`DicomNet`."""

from __future__ import annotations

from types import FunctionType, TracebackType
from typing import TYPE_CHECKING, Any

from leadtools_compat._binding import callbacks, ffi, lib, lifetime, reads
from leadtools_compat._binding.errors import last_error
from leadtools_compat._binding.text import Address, StrPath, address_to_c, path_to_c
from leadtools_compat.dicom._arguments import INT_MAX, flags, integer, port
from leadtools_compat.dicom._net_association import NetAssociation
from leadtools_compat.dicom._net_calls import NetCalls
from leadtools_compat.dicom._net_helpers import (
    describe,
    install,
    leave_parent,
    needs_an_argument,
    release_children,
    security_mode,
    with_default,
)
from leadtools_compat.dicom._net_iscl import NetIscl
from leadtools_compat.dicom._net_library import NetLibrary
from leadtools_compat.dicom._net_limits import NetTuning
from leadtools_compat.dicom._net_listening import NetListening
from leadtools_compat.dicom._net_messages import NetMessages
from leadtools_compat.dicom._net_messages_n import NetMessagesN
from leadtools_compat.dicom._net_misspelt import NetMisspelt
from leadtools_compat.dicom._net_overridables import NetOverridables
from leadtools_compat.dicom._net_queries import NetQueries
from leadtools_compat.dicom._net_receive import NetReceive
from leadtools_compat.dicom._net_receiving import NetReceiving
from leadtools_compat.dicom._net_state import (
    NetState,
    Snapshot,
    call,
    last_association,
    live,
    read_failure,
    state_of,
)
from leadtools_compat.dicom._net_tls import NetTls
from leadtools_compat.dicom._net_tls_keys import NetTlsKeys
from leadtools_compat.dicom._net_tls_names import NetTlsNames
from leadtools_compat.dicom._net_tls_policies import NetTlsPolicies
from leadtools_compat.dicom._net_tls_reload import NetReload
from leadtools_compat.dicom._net_tls_revocation import NetRevocation
from leadtools_compat.dicom._net_tls_trust import NetTlsTrust
from leadtools_compat.dicom.dicom_exception import DicomException
from leadtools_compat.dicom.dicom_open_ssl_context_creation_settings import (
    DicomOpenSslContextCreationSettings,
)
from leadtools_compat.dicom.enums_codes import DicomExceptionCode
from leadtools_compat.dicom.enums_dimse import DicomNetIpTypeFlags
from leadtools_compat.dicom.enums_tls import DicomNetSecurityMode

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DicomNet"]

_LISTENER = frozenset({"OnAccept", "OnClose"})


class DicomNet(
    NetMisspelt,
    NetLibrary,
    NetTls,
    NetTlsKeys,
    NetRevocation,
    NetReload,
    NetTlsNames,
    NetTlsTrust,
    NetTlsPolicies,
    NetQueries,
    NetTuning,
    NetListening,
    NetAssociation,
    NetMessages,
    NetMessagesN,
    NetCalls,
    NetOverridables,
    NetReceive,
    NetReceiving,
    NetIscl,
):
    """A DICOM network connection, or a listener for them; plain or with TLS.

    Derive from it, override the ``On...`` methods that matter, and `Connect` or `Listen`. Calls
    return at once; results come in the overrides, which run on a worker thread of the library, one
    at a time for each net, or in pumped mode inside `Breathe`. Every method may be called from any
    thread and inside any override.

    Parameters
    ----------
    path
        Folder for temporary files; None or "": the system's.
    mode
        ``Tls`` or ``None_``.
    reserved
        Ignored. Programs that give it call `Initialize` next; without that the TLS defaults hold.

    Raises
    ------
    DicomException
        ``FeatureNotSupported`` for ``Iscl``; ``Parameter`` for a mode that is not known.

    Notes
    -----
    Mirrors ``Leadtools.Dicom.DicomNet``. End a net with `Dispose` or a ``with`` statement. After
    that, states are False, addresses and `failure` stay readable, and all else raises
    ``ObjectDisposed``.
    """

    __state: NetState

    def __init__(
        self,
        path: StrPath | None,
        mode: DicomNetSecurityMode | int,
        reserved: bool | None = None,
    ) -> None:
        if lifetime.STATE in self.__dict__:
            raise DicomException(
                DicomExceptionCode.InvalidState,
                "The constructor of DicomNet ran for this object before: use Initialize to change it",
            )
        folder = path_to_c(path, "path")
        handle = lib.L_DicomCreateNet(folder, security_mode(mode))
        if handle == ffi.NULL:
            raise last_error()
        life = lifetime.begin(self, handle)
        # Past any __setattr__ of a subclass, which is not ready for calls yet.
        object.__setattr__(self, lifetime.STATE, NetState(life))
        install(self, self.__state)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        override = cls.__dict__.get("Dispose")
        if isinstance(override, FunctionType) and needs_an_argument(override):
            cls.Dispose = with_default(override)  # type: ignore[method-assign]

    # ---- creating and disposing ----

    def Initialize(
        self,
        path: StrPath | None,
        mode: DicomNetSecurityMode | int,
        settings: DicomOpenSslContextCreationSettings | None = None,
    ) -> None:
        """Replace path, mode and TLS settings; the cipher list and a loaded certificate stay.

        Parameters
        ----------
        path, mode
            As in the constructor.
        settings
            Copied. None: the defaults.

        Raises
        ------
        DicomException
            ``InvalidState`` while connecting, connected or listening; ``TlsCAFile``,
            ``FileNotFound`` or ``FileAccess`` for the CA file.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Initialize``; legal more than once.
        """
        state = live(self)
        folder = path_to_c(path, "path")
        number = security_mode(mode)
        if settings is None:
            call(state, lib.L_DicomInitializeNet(state.handle, folder, number, ffi.NULL))
            return
        if not isinstance(settings, DicomOpenSslContextCreationSettings):
            raise TypeError(
                "settings must be DicomOpenSslContextCreationSettings or None, not "
                f"{type(settings).__name__}"
            )
        ca = settings.CertificationAuthoritiesFileName
        structure, keep = reads.fill_settings(
            reads.TlsSettings(
                method=int(settings.SslMethodType),
                ca_file=(
                    ffi.NULL
                    if isinstance(ca, bytes)
                    else path_to_c(ca, "certificationAuthoritiesFileName")
                ),
                flags=int(settings.VerificationFlags),
                depth=settings.MaximumVerificationDepth,
                options=int(settings.Options),
            )
        )
        call(state, lib.L_DicomInitializeNet(state.handle, folder, number, structure))
        del structure, keep
        if isinstance(ca, bytes) and number == DicomNetSecurityMode.Tls:
            call(state, lib.L_DicomSetCABytesTLS(state.handle, ca, len(ca)))

    def Dispose(self, disposing: bool = True) -> None:
        """Close by force and silently, and free all that the net holds. A second call is harmless.

        Parameters
        ----------
        disposing
            Ignored; .NET's ``Dispose(bool)`` and ``Dispose()`` are one method here. An override may
            demand the argument, and is given True when a caller has none.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Dispose``. Legal in every override of the net itself: it
        is dead at once, and its memory goes when the override has returned. A listener closes its
        children by force; they are not disposed.
        """
        state = state_of(self)
        with state.lock:
            if lifetime.ended(state.life):
                return
            state.snapshot = Snapshot(
                host_address=reads.address(lib.L_DicomGetHostAddress, state.handle),
                host_port=int(lib.L_DicomGetHostPort(state.handle)),
                peer_address=reads.address(lib.L_DicomGetPeerAddress, state.handle),
                peer_port=int(lib.L_DicomGetPeerPort(state.handle)),
                proxy_address=reads.address(lib.L_DicomGetProxyAddress, state.handle),
                proxy_port=int(lib.L_DicomGetProxyPort(state.handle)),
                failure=read_failure(state),
                association=last_association(state),
            )
            lifetime.end(state.life)
        state.life.listening = False
        release_children(state)  # afterwards: this listener is not told
        leave_parent(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.Dispose()

    # ---- connecting and closing ----

    def Connect(
        self,
        hostAddress: Address,
        hostPort: int,
        peerAddress: Address,
        peerPort: int,
        ipType: DicomNetIpTypeFlags | int = DicomNetIpTypeFlags.Ipv4,
    ) -> None:
        """Connect to a peer; returns at once, the result comes in `OnConnect`.

        Parameters
        ----------
        hostAddress, hostPort
            Own end. None or "", and 0: the system chooses.
        peerAddress
            A name or an address, as text or ``ipaddress`` object.
        peerPort
            Its port.
        ipType
            Which family to take of a name's addresses; address literals always work.

        Raises
        ------
        DicomException
            ``NetAddressInUse``, ``NetAccessDenied``, ``NetAddressNotAvailable``: the own end cannot
            be had. ``NetAlreadyConnected``. ``TlsNoCipherSuite`` and others: TLS cannot work so.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Connect``. A closed net may connect again.
        """
        state = live(self)
        arguments = (
            address_to_c(hostAddress, "hostAddress"),
            port(hostPort, "hostPort"),
            address_to_c(peerAddress, "peerAddress"),
            port(peerPort, "peerPort"),
            flags(ipType, "ipType", DicomNetIpTypeFlags),
        )
        install(self, state)
        before, state.exception = state.exception, None
        state.close_told = False
        code = lib.L_DicomConnectExt(state.handle, *arguments)
        if code == DicomExceptionCode.NetAlreadyConnected:
            state.exception = before
        call(state, code)

    def Listen(
        self,
        hostAddress: Address,
        hostPort: int,
        maxNumberOfPeers: int,
        ipType: DicomNetIpTypeFlags | int = DicomNetIpTypeFlags.Ipv4,
    ) -> None:
        """Listen for connections; `OnAccept` is called for each.

        Parameters
        ----------
        hostAddress
            Own address. None or "": the local computer's address. ``"*"``: all.
        hostPort
            0 takes a free port: `HostPort` tells which.
        maxNumberOfPeers
            The system's backlog, not a limit on clients.
        ipType
            Address family for a name, for None and for ``"*"``.

        Raises
        ------
        DicomException
            ``NetAddressInUse``, ``NetAccessDenied``, ``NetAddressNotAvailable``,
            ``NetAlreadyConnected``.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Listen``.
        """
        state = live(self)
        arguments = (
            address_to_c(hostAddress, "hostAddress"),
            port(hostPort, "hostPort"),
            integer(maxNumberOfPeers, "maxNumberOfPeers", 0, INT_MAX),
            flags(ipType, "ipType", DicomNetIpTypeFlags),
        )
        callbacks.prepare_log()
        install(self, state, _LISTENER)
        call(state, lib.L_DicomListenExt(state.handle, *arguments))
        state.exception = None
        state.life.listening = True

    def Accept(self, child: DicomNet) -> None:
        """Give the oldest waiting connection to a child, whose own mode and settings count.

        The listener refers to the child until its close has been told in `OnClose`.

        Parameters
        ----------
        child
            A net that is not connected.

        Raises
        ------
        DicomException
            ``NetNoPendingConnection``; ``InvalidState`` for a plain child of a listener with TLS,
            unless `allow_plain_children`; what `Connect` raises about TLS settings.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Accept``; for use in `OnAccept`, or later up to the
        handshake limit.
        """
        state = live(self)
        if not isinstance(child, DicomNet):
            raise TypeError(f"child must be a DicomNet, not {type(child).__name__}")
        young = live(child)
        install(child, young)
        key = lifetime.number_of(young.handle)
        before = (young.exception, young.parent)
        fresh = key not in state.children
        # Before the call: the connection may be over, and that told, before the call has returned.
        state.children[key] = child
        if not fresh:
            state.closes_owed[key] = state.closes_owed.get(key, 0) + 1
        young.exception, young.parent, young.close_told = None, state.life, False
        code = lib.L_DicomAccept(state.handle, young.handle)
        if code != 0:
            error = last_error(code)
            young.exception, young.parent = before
            if fresh:
                state.children.pop(key, None)
            else:
                state.closes_owed[key] -= 1
            raise error
        if lifetime.ended(state.life):  # disposed meanwhile, before there was anything to close
            release_children(state)

    def Close(self) -> None:
        """Close in good order; returns at once. Not connected: nothing happens.

        What is queued is sent first. On a listener: no more is accepted, the children live on.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.Close``.
        """
        state = live(self)
        call(state, lib.L_DicomClose(state.handle))
        state.life.listening = False

    def CloseForced(self, notify: bool) -> None:
        """Close now; what is queued is dropped. On a listener: the children are closed too.

        Parameters
        ----------
        notify
            True: `OnClose` follows. False: nothing does.

        Notes
        -----
        Mirrors ``Leadtools.Dicom.DicomNet.CloseForced``.
        """
        state = live(self)
        call(state, lib.L_DicomCloseForced(state.handle, bool(notify)))
        state.life.listening = False
        if not notify:
            state.children.clear()  # their close is not told either
            leave_parent(state)

    def __repr__(self) -> str:
        name = type(self).__name__
        try:
            return f"<{name} {describe(self)}>"
        except Exception:  # noqa: BLE001 - a repr must not hide what it was wanted for
            return f"<{name}>"
