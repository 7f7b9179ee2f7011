"""What DicomNet takes, what it refuses, and how it says so."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomExceptionCode,
    DicomNet,
    DicomNetFlags,
    DicomNetIpTypeFlags,
    DicomNetSecurityMode,
    DicomOpenSslContextCreationSettings,
    DicomOpenSslOptionsFlags,
    DicomOpenSslVerificationFlags,
    DicomSocketOptions,
    DicomSslMethodType,
    DicomTlsCertificateType,
    DicomTlsCipherSuiteType,
)
from tests.support import (
    Listener,
    RecordingNet,
    refused,
)

Keep = Callable[[Any], Any]
PEM, DER = DicomTlsCertificateType.Pem, DicomTlsCertificateType.Asn1
PLAIN, TLS = DicomNetSecurityMode.None_, DicomNetSecurityMode.Tls


@pytest.fixture
def net(nets: Keep) -> RecordingNet:
    made: RecordingNet = nets(RecordingNet(TLS))
    return made


WRONG_TYPES: list[tuple[str, tuple[Any, ...], str]] = [
    ("Connect", (None, "0", "127.0.0.1", 104), "hostPort"),
    ("Connect", (None, 0, "127.0.0.1", None), "peerPort"),
    ("Connect", (None, 0, 127, 104), "peerAddress"),
    ("Connect", (b"127.0.0.1", 0, "127.0.0.1", 104), "hostAddress"),
    ("Connect", (None, 0, "127.0.0.1", 104, "Ipv4"), "ipType"),
    ("Listen", (None, 0.5, 1), "hostPort"),
    ("Listen", (None, 0, "5"), "maxNumberOfPeers"),
    ("Accept", (object(),), "child"),
    ("Initialize", (None, "Tls", None), "mode"),
    ("Initialize", (7, TLS, None), "path"),
    ("Initialize", (None, TLS, "ca.pem"), "settings"),
    ("SetTlsCipherSuiteByIndex", ("0", 0), "index"),
    ("SetTlsCipherSuiteByIndex", (0, "TLS_AES_256_GCM_SHA384"), "cipherSuite"),
    ("SetTlsCipherSuiteByIndex", (0, None), "cipherSuite"),
    ("GetTlsCipherSuiteByIndex", (None,), "index"),
    ("GetTlsEncryptionAlgorithm", ("x",), "cipherSuite"),
    ("SetTlsClientCertificate", (None, PEM, b"key"), "keyFile"),
    ("SetTlsClientCertificate", (b"cert", PEM, "key.pem"), "keyFile"),
    ("SetTlsClientCertificate", (5, PEM, None), "certFile"),
    ("SetTlsClientCertificate", ("a.pem", "Pem", None), "type"),
    ("GetClient", (None,), "index"),
]


@pytest.mark.parametrize(("method", "arguments", "name"), WRONG_TYPES)
def test_wrong_type_is_a_type_error_that_names_the_argument(
    net: RecordingNet, method: str, arguments: tuple[Any, ...], name: str
) -> None:
    with pytest.raises(TypeError, match=name):
        getattr(net, method)(*arguments)


OUT_OF_RANGE: list[tuple[str, tuple[Any, ...], tuple[str, ...]]] = [
    ("Connect", (None, 65536, "127.0.0.1", 104), ("hostPort", "65536", "0..65535")),
    ("Connect", (None, 0, "127.0.0.1", -1), ("peerPort", "-1", "0..65535")),
    ("Connect", (None, 0, "127.0.0.1", 104, 8), ("ipType", "0x8", "Ipv4 (1)")),
    ("Connect", (None, 0, "127.0.0.1\0.example", 104), ("peerAddress", "NUL")),
    ("Connect", (None, 0, "\ud800", 104), ("peerAddress", "UTF-8")),
    ("Listen", (None, 70000, 1), ("hostPort", "70000", "0..65535")),
    ("Listen", (None, 0, -5), ("maxNumberOfPeers", "-5", "0..2147483647")),
    ("Initialize", (None, 17, None), ("mode", "17", "Tls (1)")),
    ("Initialize", ("a\0b", TLS, None), ("path", "NUL")),
    ("SetTlsCipherSuiteByIndex", (64, 0), ("index", "64", "0..63")),
    ("SetTlsCipherSuiteByIndex", (-1, 0), ("index", "-1", "0..63")),
    ("SetTlsCipherSuiteByIndex", (0, 2**32), ("cipherSuite", str(2**32))),
    ("GetTlsCipherSuiteByIndex", (64,), ("index", "64", "0..63")),
    ("SetTlsClientCertificate", ("a.pem", 99, None), ("type", "99", "Pem (1)", "Asn1 (2)")),
    ("GetClient", (0,), ("index", "0", "0 clients")),
    ("GetClient", (-1,), ("index", "-1")),
]


@pytest.mark.parametrize(("method", "arguments", "words"), OUT_OF_RANGE)
def test_value_out_of_range_names_argument_value_and_range(
    net: RecordingNet, method: str, arguments: tuple[Any, ...], words: tuple[str, ...]
) -> None:
    with refused(DicomExceptionCode.Parameter, *words):
        getattr(net, method)(*arguments)
    assert net.log.all() == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("handshake_timeout", -1, ("handshake_timeout", "-1", "seconds")),
        ("handshake_timeout", float("nan"), ("handshake_timeout", "nan")),
        ("late_refusal_wait", 1e9, ("late_refusal_wait", "0..3600 seconds")),
        ("handshake_timeout", 0, ("handshake_timeout", "0.001..86400 seconds")),
        ("Flags", 64, ("Flags", "0x40")),
        ("expected_host", "a\0b", ("expected_host", "NUL")),
        ("socket_options", DicomSocketOptions(so_sndbuf=-7), ("so_sndbuf", "-7")),
    ],
)
def test_property_out_of_range_is_refused_and_unchanged(
    net: RecordingNet, name: str, value: Any, words: tuple[str, ...]
) -> None:
    before = getattr(net, name)
    with refused(DicomExceptionCode.Parameter, *words):
        setattr(net, name, value)
    assert getattr(net, name) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("handshake_timeout", "5"), ("expected_host", 5), ("crl_file", 5), ("socket_options", 1)],
)
def test_property_of_wrong_type_is_a_type_error(net: RecordingNet, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        setattr(net, name, value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"verificationFlags": 8}, ("verificationFlags", "0x8", "Peer (1)")),
        ({"sslMethodType": 12}, ("sslMethodType", "12", "SslV23 (0)")),
        ({"maximumVerificationDepth": -1}, ("maximumVerificationDepth", "-1")),
        ({"options": -1}, ("options", "-1")),
    ],
)
def test_settings_refuse_numbers_without_a_meaning(
    arguments: dict[str, Any], words: tuple[str, ...]
) -> None:
    with refused(DicomExceptionCode.Parameter, *words):
        DicomOpenSslContextCreationSettings(**arguments)


def test_settings_have_the_documented_defaults_and_order() -> None:
    made = DicomOpenSslContextCreationSettings()
    assert made.SslMethodType == DicomSslMethodType.SslV23
    assert made.CertificationAuthoritiesFileName is None
    assert made.VerificationFlags == DicomOpenSslVerificationFlags.None_
    assert made.MaximumVerificationDepth == 9
    assert made.Options == DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.NoSslV3
    made = DicomOpenSslContextCreationSettings(0x0303, Path("ca.pem"), 7, 2, 0x0FFF)
    assert made.SslMethodType == DicomSslMethodType.TlsV1_2
    assert made.CertificationAuthoritiesFileName == Path("ca.pem")
    assert made.VerificationFlags == DicomOpenSslVerificationFlags.All
    assert made.Options == DicomOpenSslOptionsFlags.AllBugWorkarounds
    assert "ca.pem" in repr(made)
    with pytest.raises(TypeError, match="certificationAuthoritiesFileName"):
        made.CertificationAuthoritiesFileName = 5  # type: ignore[assignment]


# ---- what is taken ----


def test_constructor_takes_every_overload_and_bare_numbers(nets: Keep, tmp_path: Path) -> None:
    assert nets(DicomNet(None, 0)).SecurityMode == PLAIN
    assert nets(DicomNet("", TLS)).SecurityMode == TLS
    assert nets(DicomNet(str(tmp_path), TLS, False)).SecurityMode == TLS
    made = nets(DicomNet(path=tmp_path, mode=1, reserved=False))
    assert made.SecurityMode == TLS
    made.Initialize(path=None, mode=0, settings=None)
    assert made.SecurityMode == PLAIN


@pytest.mark.parametrize(("mode", "words"), [(9, ("mode", "9")), (-1, ("mode", "-1"))])
def test_constructor_refuses_an_unknown_mode(mode: int, words: tuple[str, ...]) -> None:
    with refused(DicomExceptionCode.Parameter, *words):
        DicomNet(None, mode)


def test_iscl_is_not_supported_and_the_text_names_tls(net: RecordingNet) -> None:
    with refused(DicomExceptionCode.FeatureNotSupported, "ISCL", "TLS"):
        DicomNet(None, DicomNetSecurityMode.Iscl)
    with refused(DicomExceptionCode.FeatureNotSupported, "ISCL"):
        net.Initialize(None, DicomNetSecurityMode.Iscl, None)
    members = [name for name in dir(DicomNet) if "Iscl" in name and name[0] in "SG"]
    members.remove("GetLastIsclOrTlsError")
    assert len(members) == 12
    for name in members:
        with refused(DicomExceptionCode.FeatureNotSupported, name):
            getattr(net, name)(1, 2, 3)
    net.OnNonSecureSendIscl()
    net.OnNonSecureReceivedIscl()


def test_addresses_are_text_ipaddress_objects_or_nothing(listen: Callable[..., Listener]) -> None:
    listener = listen()
    with RecordingNet() as net:
        loopback = ipaddress.ip_address("127.0.0.1")
        net.Connect(loopback, 0, loopback, listener.HostPort)
        assert net.log.wait("OnConnect").code == DicomExceptionCode.Success
        assert (net.PeerAddress, net.PeerPort) == ("127.0.0.1", listener.HostPort)
        assert net.HostAddress == "127.0.0.1"
        assert net.HostPort != 0
        child = listener.child()
        assert (child.PeerAddress, child.PeerPort) == (net.HostAddress, net.HostPort)
    with RecordingNet() as net:
        net.Connect("", 0, "localhost", listener.HostPort, DicomNetIpTypeFlags.Ipv4)
        assert net.log.wait("OnConnect").code == DicomExceptionCode.Success


def test_keywords_are_the_dotnet_names(nets: Keep) -> None:
    listener = nets(Listener())
    listener.Listen(hostAddress="127.0.0.1", hostPort=0, maxNumberOfPeers=1, ipType=1)
    net = nets(RecordingNet())
    net.Connect(
        hostAddress=None,
        hostPort=0,
        peerAddress="127.0.0.1",
        peerPort=listener.HostPort,
        ipType=DicomNetIpTypeFlags.Ipv4OrIpv6,
    )
    assert net.log.wait("OnConnect").code == DicomExceptionCode.Success
    net.CloseForced(notify=True)


def test_cipher_list_is_a_list_of_64_entries(net: RecordingNet) -> None:
    suites = DicomTlsCipherSuiteType
    assert net.GetTlsCipherSuiteByIndex(0) == suites.Aes256GcmSha384
    assert net.GetTlsCipherSuiteByIndex(10) == suites.DheRsaWithAes128GcmSha256
    assert net.GetTlsCipherSuiteByIndex(11) == suites.None_
    net.SetTlsCipherSuiteByIndex(index=0, cipherSuite=suites.DheRsaWithDesCbcSha)
    assert net.GetTlsCipherSuiteByIndex(0) == suites.DheRsaWithDesCbcSha
    assert net.GetTlsCipherSuiteByIndex(1) == suites.Aes128GcmSha256
    net.SetTlsCipherSuiteByIndex(0, 0)
    assert {net.GetTlsCipherSuiteByIndex(index) for index in range(64)} == {suites.None_}
    net.SetTlsCipherSuiteByIndex(63, 0xFEDC)
    unknown = net.GetTlsCipherSuiteByIndex(63)
    assert (int(unknown), str(unknown)) == (0xFEDC, "Value_0xFEDC")


def test_lookups_are_by_suite_and_unknown_ones_are_none(net: RecordingNet) -> None:
    suite = DicomTlsCipherSuiteType.EcdheRsaWithAes256GcmSha384
    assert str(net.GetTlsEncryptionAlgorithm(suite)) == "AesGcm"
    assert str(net.GetTlsAuthenticationAlgorithm(suite)) == "Rsa"
    assert str(net.GetTlsIntegrityAlgorithm(suite)) == "Aead"
    assert str(net.GetTlsKeyExchangeAlgorithm(suite)) == "Ecdhe"
    assert net.GetTlsEncryptionKeyLength(suite) == 256
    assert net.GetTlsMutualAuthenticationKeyLength(suite) == 0  # no link
    for unknown in (0, 0xFFFF, 2**32 - 1):
        assert str(net.GetTlsEncryptionAlgorithm(unknown)) == "None"
        assert str(net.GetTlsAuthenticationAlgorithm(unknown)) == "None"
        assert str(net.GetTlsIntegrityAlgorithm(unknown)) == "None"
        assert str(net.GetTlsKeyExchangeAlgorithm(unknown)) == "None"
        assert net.GetTlsEncryptionKeyLength(unknown) == 0
    assert net.GetTlsCipherSuite() == DicomTlsCipherSuiteType.None_
    assert net.GetLastIsclOrTlsError() == 0


def test_times_limits_and_options_can_be_read_back(net: RecordingNet) -> None:
    assert net.handshake_timeout == 10.0
    assert net.late_refusal_wait == 2.0
    assert net.linger_timeout == 5.0
    assert net.connect_timeout > 0
    assert (net.artim_timeout, net.association_timeout, net.send_timeout) == (30.0, 60.0, 60.0)
    for name in (
        "handshake_timeout",
        "late_refusal_wait",
        "connect_timeout",
        "linger_timeout",
        "artim_timeout",
        "association_timeout",
        "idle_timeout",
        "send_timeout",
    ):
        setattr(net, name, 0.75)
        assert getattr(net, name) == 0.75
    assert net.limits["handshakes_per_address"] == 128
    assert dict(net.limits) == {
        "connections": 10000,
        "handshakes_per_address": 128,
        "handshakes_total": 4096,
        "data_set_memory": 16 << 20,
        "data_set_total": 16 << 30,
        "send_queue": 4 << 20,
        "spill_quota": 16 << 30,
    }
    net.limits["connections"] = 5
    assert net.limits["connections"] == 5
    with pytest.raises(KeyError, match="clients"):
        net.limits["clients"] = 1
    with pytest.raises(TypeError, match="cannot be deleted"):
        del net.limits["connections"]
    assert not net.allow_plain_children
    net.allow_plain_children = True
    assert net.allow_plain_children
    assert net.Flags == DicomNetFlags.None_
    net.Flags = DicomNetFlags.SendDataWithGroupLengthStandardDataElements
    assert net.Flags == 1
    assert net.socket_options.tcp_nodelay is True
    net.socket_options = DicomSocketOptions(tcp_nodelay=False, so_rcvbuf=65536)
    assert net.socket_options == DicomSocketOptions(False, None, None, 65536)
    assert net.send_ca_names is True
    net.send_ca_names = False
    assert net.send_ca_names is False
    assert net.expected_host is None
    net.expected_host = "pacs.example"
    assert net.expected_host == "pacs.example"
    net.expected_host = None
    assert net.expected_host is None
