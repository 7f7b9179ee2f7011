"""Every callback in four ways: it raises, answers nonsense, outlives its net, and re-enters."""

from __future__ import annotations

import gc
import logging
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat._binding import callbacks, ffi, lib, lifetime
from leadtools_compat.dicom import (
    DicomException,
    DicomExceptionCode,
    DicomNet,
    DicomNetSecurityMode,
    DicomSecurityCertificateException,
    DicomTlsCertificateType,
)
from leadtools_compat.testing import TestPki
from tests.support import (
    MUTUAL,
    NO_CHECK,
    PATIENCE,
    Listener,
    RecordingNet,
    connect,
    settings,
    tls_child,
    tls_net,
)

Listen = Callable[..., Listener]
Keep = Callable[[Any], Any]
CODES = DicomExceptionCode
PEM = DicomTlsCertificateType.Pem


class Oops(Exception):
    """What user code raises here."""


def raises(error: BaseException) -> Callable[..., Any]:
    def hook(net: Any, *arguments: Any) -> Any:
        raise error

    return hook


# ---- OnVerify: only 1 accepts ----


class Index:
    """Counts as a number, as numpy's do."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.mark.parametrize("answer", [1, True, Index(1), DicomNetSecurityMode.Tls])
def test_exactly_one_accepts(listen: Listen, pki: TestPki, nets: Keep, answer: Any) -> None:
    bad = pki.make("no_purpose", role="client")
    listener = listen(tls_child(pki, OnVerify=lambda *arguments: answer))
    client = nets(tls_net(pki, bad))
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    assert listener.child().log.wait("OnSecureLinkReady").code == CODES.Success


@pytest.mark.parametrize("answer", [0, False, 2, -1, -2, 2**40, -(2**70), Index(0)])
def test_any_other_number_stops(listen: Listen, pki: TestPki, nets: Keep, answer: Any) -> None:
    listener = listen(tls_child(pki, OnVerify=lambda *arguments: answer))
    client = nets(tls_net(pki))
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsPeerRejectedCertificate
    child = listener.child()
    assert child.log.wait("OnSecureLinkReady").code == CODES.TlsCertificateRejected
    assert child.failure.exception is None
    assert str(child.failure.certificate_code) == "CertRejected"
    assert len(child.log.all("OnVerify")) == 1


@pytest.mark.parametrize("answer", [None, "1", 1.0, b"\x01", [1], object()])
def test_wrong_type_refuses_in_every_mode_and_says_what_came(
    listen: Listen, pki: TestPki, nets: Keep, unraisable: Any, answer: Any
) -> None:
    client = nets(tls_net(pki, flags=NO_CHECK, OnVerify=lambda *arguments: answer))
    connect(client, listen(tls_child(pki)))
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsVerifyCallback
    error = unraisable.expect(TypeError, "RecordingNet.OnVerify")
    assert repr(answer) in str(error)
    assert client.failure.exception is error


@pytest.mark.parametrize("error", [Oops("x"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
@pytest.mark.parametrize("flags", [MUTUAL, NO_CHECK])
def test_exception_in_onverify_refuses_and_arrives(
    listen: Listen,
    pki: TestPki,
    nets: Keep,
    unraisable: Any,
    error: BaseException,
    flags: Any,
) -> None:
    client = nets(tls_net(pki, flags=flags, OnVerify=raises(error)))
    listener = listen(tls_child(pki))
    connect(client, listener)
    assert client.log.wait("OnSecureLinkReady").code == CODES.TlsVerifyCallback
    assert client.log.wait("OnClose").code == CODES.TlsVerifyCallback
    assert unraisable.expect(type(error), "RecordingNet.OnVerify") is error
    assert client.failure.exception is error
    assert not client.IsConnected()
    assert listener.child().log.wait("OnSecureLinkReady").code != CODES.Success
    error.__traceback__ = None


def test_override_that_is_not_callable_or_takes_no_arguments_refuses(
    listen: Listen, pki: TestPki, nets: Keep, unraisable: Any
) -> None:
    listener = listen(tls_child(pki))
    for wrong in (None, lambda: 1):
        client = nets(tls_net(pki))
        client.OnVerify = wrong
        connect(client, listener)
        assert client.log.wait("OnSecureLinkReady").code == CODES.TlsVerifyCallback
        unraisable.expect(TypeError, "OnVerify")


def test_base_onverify_gives_ok_back(listen: Listen, pki: TestPki, nets: Keep) -> None:
    log = RecordingNet()
    nets(log)

    class Port(DicomNet):
        def OnSecureLinkReady(self, error: DicomExceptionCode) -> None:
            log.log.add("ready", error)

    listener = listen(tls_child(pki))
    other = pki.make("self_signed", role="server")
    for turn, (ca_file, result) in enumerate(
        [(pki.ca_file, CODES.Success), (other.certificate_file, CODES.TlsCertificateRejected)], 1
    ):
        with Port(None, 1) as net:
            assert net.OnVerify(0, "", DicomSecurityCertificateException(1)) == 0
            assert net.OnVerify(1, "", DicomSecurityCertificateException(0)) == 1
            net.Initialize(None, 1, settings(ca_file))
            net.SetTlsClientCertificate(pki.client.combined_file, PEM, None)
            connect(net, listener)
            assert log.log.wait("ready", turn).code == result


def test_arguments_of_onverify_are_copies_of_documented_types(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    client = nets(tls_net(pki))
    connect(client, listen(tls_child(pki)))
    client.log.wait("OnSecureLinkReady")
    calls = client.log.all("OnVerify")
    assert len(calls) == 3  # root, intermediate, leaf
    client.Dispose()
    for event in calls:
        ok, text, error = event.arguments
        assert type(ok) is int
        assert ok == 1
        assert type(text) is str
        assert text.startswith("Subject Name: ")
        assert type(error) is DicomSecurityCertificateException
        assert (int(error.Code), error.Message) == (0, "ok")


# ---- OnPrivateKeyPassword: inside the call that loads the key ----


def load(pki: TestPki, hook: Callable[..., Any]) -> None:
    with RecordingNet(DicomNetSecurityMode.Tls, OnPrivateKeyPassword=hook) as net:
        net.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)


@pytest.mark.parametrize("error", [Oops("x"), KeyboardInterrupt(), SystemExit(3)])
def test_exception_in_onprivatekeypassword_comes_out_of_the_call_as_itself(
    pki: TestPki, error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        load(pki, raises(error))
    assert caught.value is error
    error.__traceback__ = None


@pytest.mark.parametrize("answer", [5, b"test", ["test"], 1.0])
def test_password_of_a_wrong_type_is_a_type_error(pki: TestPki, answer: Any) -> None:
    with pytest.raises(TypeError, match=r"RecordingNet\.OnPrivateKeyPassword"):
        load(pki, lambda *arguments: answer)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (None, "no password"),
        ("", "no password"),
        ("wrong", "password"),
        ("x" * 5000, "longer"),
        ("\u00e4" * 600, "longer"),
    ],
)
def test_bad_password_names_the_file_and_the_remedy(
    pki: TestPki, answer: str | None, word: str
) -> None:
    with pytest.raises(DicomException) as caught:
        load(pki, lambda *arguments: answer)
    assert caught.value.Code == CODES.TlsPrivateKeyPassword
    assert pki.client.encrypted_file in caught.value.Message
    assert word in caught.value.Message


def test_password_that_utf8_cannot_hold_is_the_users_error(pki: TestPki) -> None:
    with pytest.raises(UnicodeEncodeError):
        load(pki, lambda *arguments: "\ud800")


def test_password_is_utf8(pki: TestPki, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(Path(pki.client.key_file).read_bytes(), None)
    file = tmp_path / "k\u00fcche.pem"
    file.write_bytes(
        Path(pki.client.certificate_file).read_bytes()
        + key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption("schl\u00fcssel".encode())
        )
    )
    with RecordingNet(1, OnPrivateKeyPassword=lambda *arguments: "schl\u00fcssel") as net:
        net.SetTlsClientCertificate(file, PEM, None)


def test_password_may_be_asked_for_in_a_base_constructor(pki: TestPki) -> None:
    class Base(DicomNet):
        def __init__(self) -> None:
            super().__init__(None, 1)
            self.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)

    class Port(Base):
        def __init__(self) -> None:
            super().__init__()
            self.ready = True

        def OnPrivateKeyPassword(self, encryption: bool) -> str:
            assert not hasattr(self, "ready")
            return "test"

    Port().Dispose()


@pytest.mark.parametrize("name", ["Close", "CloseForced", "Dispose", "SetTlsClientCertificate"])
def test_onprivatekeypassword_may_call_the_net(pki: TestPki, name: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "CloseForced": (True,),
        "SetTlsClientCertificate": (pki.client.combined_file, PEM, None),
    }

    def hook(net: Any, encryption: bool) -> str:
        getattr(net, name)(*arguments.get(name, ()))
        return "test"

    net = RecordingNet(DicomNetSecurityMode.Tls, OnPrivateKeyPassword=hook)
    if name == "Dispose":
        with pytest.raises(DicomException) as caught:
            net.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)
        assert caught.value.Code == CODES.ObjectDisposed
    else:
        net.SetTlsClientCertificate(pki.client.encrypted_file, PEM, None)
    net.Dispose()


# ---- OnConnect, OnAccept, OnSecureLinkReady, OnClose: there is nothing to refuse ----


def pair(listen: Listen, pki: TestPki, nets: Keep, name: str, hook: Callable[..., Any]) -> Any:
    """Connect; `hook` is for `name`, on the listener for OnAccept, else on the client."""
    if name == "OnAccept":

        def accept(net: Any, error: DicomExceptionCode) -> None:
            child = tls_child(pki)()
            net.children.append(child)
            net.Accept(child)
            hook(net, error)

        listener = listen(OnAccept=accept)
        client = nets(tls_net(pki))
        net: Any = listener
    else:
        listener = listen(tls_child(pki))
        net = client = nets(tls_net(pki))
        client.hooks[name] = hook
    connect(client, listener)
    return net, client, listener


NEWS = ["OnConnect", "OnAccept", "OnSecureLinkReady", "OnClose"]


@pytest.mark.parametrize("name", NEWS)
@pytest.mark.parametrize("error", [Oops("it broke"), KeyboardInterrupt(), SystemExit(3)])
def test_exception_goes_to_the_hook_and_into_the_record(
    listen: Listen,
    pki: TestPki,
    nets: Keep,
    unraisable: Any,
    name: str,
    error: BaseException,
) -> None:
    net, client, _ = pair(listen, pki, nets, name, raises(error))
    assert client.log.wait("OnSecureLinkReady").code == CODES.Success  # life goes on
    if name == "OnClose":
        client.CloseForced(True)
    assert unraisable.expect(type(error), f".{name}") is error
    failure = net.failure
    assert failure.code == CODES.Callback
    assert f"{name} raised {type(error).__name__}" in failure.message
    assert str(error) in failure.message
    assert failure.exception is error
    error.__traceback__ = None


def test_exception_whose_text_raises_is_reported_too(
    listen: Listen, pki: TestPki, nets: Keep, unraisable: Any
) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise Oops("no text")

    net, _, _ = pair(listen, pki, nets, "OnConnect", raises(Mute()))
    unraisable.expect(Mute, "OnConnect")
    net.log.wait("OnSecureLinkReady")
    assert "OnConnect raised Mute" in net.failure.message


@pytest.mark.parametrize("name", [*NEWS, "OnVerify"])
@pytest.mark.parametrize("call", ["Close", "CloseForced", "CloseForced silent", "Dispose"])
def test_every_callback_may_end_its_own_net(
    listen: Listen, pki: TestPki, nets: Keep, name: str, call: str
) -> None:
    done = threading.Event()

    def hook(net: Any, *arguments: Any) -> Any:
        if call == "Close":
            net.Close()
        elif call == "Dispose":
            net.Dispose()
        else:
            net.CloseForced(call == "CloseForced")
        done.set()
        return 1

    net, client, listener = pair(listen, pki, nets, name, hook)
    if name == "OnClose":
        client.log.wait("OnSecureLinkReady")
        client.CloseForced(True)
    assert done.wait(PATIENCE)
    if name == "OnAccept":
        client.log.wait("OnSecureLinkReady" if call == "Close" else "OnClose")
        return
    listener.log.wait("OnClose")  # the peer sees the end of the connection
    assert not net.IsConnected()
    expected = {"Close": 1, "CloseForced": 1}.get(call, 0)
    if expected or name == "OnClose":
        net.log.wait("OnClose")
    if name == "OnVerify" and call == "Dispose":
        assert listener.child().log.wait("OnSecureLinkReady").code != CODES.Success


@pytest.mark.parametrize("name", [*NEWS, "OnVerify"])
def test_every_callback_may_end_the_other_net_too(
    listen: Listen, pki: TestPki, nets: Keep, name: str
) -> None:
    done = threading.Event()
    both: list[Any] = []

    def hook(net: Any, *arguments: Any) -> Any:
        done.wait(PATIENCE)
        for one in both:
            one.Dispose()
        return 1

    net, client, listener = pair(listen, pki, nets, name, hook)
    if name == "OnClose":
        client.log.wait("OnSecureLinkReady")
        client.CloseForced(True)
    both += [listener, client]
    done.set()
    net.log.wait(name)
    assert repr(listener).endswith("disposed>")
    assert repr(client).endswith("disposed>")


def test_connect_again_in_onclose(listen: Listen, nets: Keep) -> None:
    listener = listen()

    def again(net: Any, *arguments: Any) -> None:
        if len(net.log.all("OnClose")) == 0:
            connect(net, listener)

    client = nets(RecordingNet(OnClose=again))
    connect(client, listener)
    client.log.wait("OnConnect")
    client.Close()
    client.log.wait("OnConnect", 2)
    client.Close()
    client.log.wait("OnClose", 2)


# ---- lifetime: nobody is there to answer ----


def test_number_that_is_gone_is_refused_and_never_crashes() -> None:
    gone = ffi.cast("void *", 2**40)
    stale = ffi.cast("HDICOMNET", 12345)
    text = ffi.new("char[]", b"text")
    assert lib.ldc_py_verify(stale, 1, text, 0, text) == lib.DICOM_VERIFY_NO_ANSWER
    assert lib.ldc_py_key_password(stale, text, 4, 0) == 0
    lib.ldc_py_connect(stale, 0, gone)
    lib.ldc_py_accept(stale, 0, gone)
    lib.ldc_py_secure_link_ready(stale, 0, gone)
    lib.ldc_py_close(stale, 0, stale, gone)
    lib.ldc_py_close(stale, 0, stale, ffi.NULL)


def test_net_collected_during_the_handshake_refuses(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    came, go_on = threading.Event(), threading.Event()

    def accept(net: Any, error: DicomExceptionCode) -> None:
        came.set()
        go_on.wait(PATIENCE)
        child = tls_child(pki)()
        net.children.append(child)
        net.Accept(child)

    listener = listen(OnAccept=accept)
    client = DicomNet(None, 1)
    client.Initialize(None, 1, settings(pki.ca_file, NO_CHECK))
    connect(client, listener)
    assert came.wait(PATIENCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it depends on how far it has got
        del client
        gc.collect()
    go_on.set()
    listener.log.wait("OnClose")
    assert listener.child().log.wait("OnSecureLinkReady").code != CODES.Success


def test_callbacks_of_a_disposed_net_do_not_reach_it(
    listen: Listen, pki: TestPki, nets: Keep
) -> None:
    listener = listen(tls_child(pki))
    client = tls_net(pki)
    life = client.__dict__[lifetime.STATE].life
    connect(client, listener)
    client.log.wait("OnSecureLinkReady")
    count = len(client.log.all())
    client.Dispose()
    assert lifetime.ended(life)
    lib.ldc_py_connect(life.handle, 0, lifetime.user_pointer(life))
    assert len(client.log.all()) == count


def test_interruption_between_the_lines_is_delivered(unraisable: Any) -> None:
    callbacks.escaped(KeyboardInterrupt, KeyboardInterrupt(), None)
    unraisable.expect(KeyboardInterrupt, "a callback of leadtools_compat")
    callbacks.escaped(ValueError, None, None)
    unraisable.expect(ValueError)


# ---- messages ----

logger = logging.getLogger("leadtools_compat")


def test_warnings_of_the_library_go_to_logging(
    listen: Listen, pki: TestPki, nets: Keep, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "leadtools_compat")
    client = nets(RecordingNet(DicomNetSecurityMode.Tls))
    client.SetTlsClientCertificate(pki.client.combined_file, PEM, None)
    connect(client, listen(tls_child(pki)))
    client.log.wait("OnSecureLinkReady")
    seen = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert any("verif" in one.getMessage() for one in seen)
    assert all(one.name == "leadtools_compat" for one in seen)


def test_broken_log_handler_breaks_nothing(
    listen: Listen, pki: TestPki, nets: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise SystemExit("no disk")

    handler = Broken()
    logger.addHandler(handler)
    try:
        client = nets(RecordingNet(DicomNetSecurityMode.Tls))
        connect(client, listen(tls_child(pki, flags=NO_CHECK)))
        assert client.log.wait("OnSecureLinkReady").code == CODES.Success
    finally:
        logger.removeHandler(handler)


def test_ctrl_c_inside_a_message_is_not_lost() -> None:
    class Interrupted(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise KeyboardInterrupt

    handler = Interrupted()
    logger.addHandler(handler)
    text = ffi.new("char[]", b"message")
    record = ffi.new("DICOMLOGRECORD *", {"nLevel": lib.DICOM_LOG_WARNING, "pszText": text})
    try:
        with pytest.raises(KeyboardInterrupt):
            lib.ldc_py_log(record, ffi.NULL)
            threading.Event().wait(PATIENCE)
    finally:
        logger.removeHandler(handler)
