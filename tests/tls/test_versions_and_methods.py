"""Which TLS versions a method and options allow, against the ``openssl`` program; nothing from the host."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from leadtools_compat.testing import TestPki
from tests.support import PATIENCE, Listener, refused
from tests.tls.conftest import Meet
from tests.tls.peers import (
    ALL_SUITES,
    BEST_GROUP,
    VERSION_OPTIONS,
    OpenSslServer,
    openssl_client,
    openssl_server,
    own,
)
from tests.tls.tls_tools import (
    CODES,
    FLAGS,
    METHODS,
    OPTIONS,
    PROTOCOL_VERSION,
    SUITES,
    LibraryLog,
    calls_of,
    other_side,
    rules_for,
    run_python,
)

OLD = ("TLSv1", "TLSv1.1")
NEW = ("TLSv1.2", "TLSv1.3")


class Setting(NamedTuple):
    """A method and options, the versions they allow, and whether a warning is due."""

    method: Any
    options: Any
    allowed: tuple[str, ...]
    warning: str = ""


LEVEL_ZERO = "level is 0"
SETTINGS = {
    "SslV23": Setting(METHODS.SslV23, OPTIONS.None_, NEW),
    "SslV23-bugs": Setting(METHODS.SslV23, OPTIONS.AllBugWorkarounds, NEW),
    "SslV23-NoSsl": Setting(METHODS.SslV23, OPTIONS.NoSslV2 | OPTIONS.NoSslV3, NEW),
    "SslV2": Setting(METHODS.SslV2, OPTIONS.None_, NEW, "SSL 2"),
    "SslV3": Setting(METHODS.SslV3, OPTIONS.None_, NEW, "SSL 3"),
    "TlsV1": Setting(METHODS.TlsV1, OPTIONS.None_, (*OLD, *NEW), LEVEL_ZERO),
    "TlsV1_2": Setting(METHODS.TlsV1_2, OPTIONS.None_, ("TLSv1.2",)),
    "TlsV1_3": Setting(METHODS.TlsV1_3, OPTIONS.None_, ("TLSv1.3",)),
    "SslV23-NoTlsV1_2": Setting(METHODS.SslV23, OPTIONS.NoTlsV1_2, ("TLSv1.3",)),
    "SslV23-NoTlsV1_3": Setting(METHODS.SslV23, OPTIONS.NoTlsV1_3, ("TLSv1.2",)),
    "SslV23-NoTlsV1": Setting(METHODS.SslV23, OPTIONS.NoTlsV1 | OPTIONS.NoTlsV1_1, NEW),
    "TlsV1-NoTlsV1": Setting(
        METHODS.TlsV1, OPTIONS.NoTlsV1, ("TLSv1.1", "TLSv1.2", "TLSv1.3"), LEVEL_ZERO
    ),
    "TlsV1-NoTlsV1-NoTlsV1_1": Setting(METHODS.TlsV1, OPTIONS.NoTlsV1 | OPTIONS.NoTlsV1_1, NEW),
    "TlsV1-NoTlsV1_3": Setting(
        METHODS.TlsV1, OPTIONS.NoTlsV1_3, ("TLSv1", "TLSv1.1", "TLSv1.2"), LEVEL_ZERO
    ),
    "AllowTlsV1_1": Setting(
        METHODS.SslV23, OPTIONS.AllowTlsV1_1, ("TLSv1.1", "TLSv1.2", "TLSv1.3"), LEVEL_ZERO
    ),
    "AllowTlsV1": Setting(
        METHODS.SslV23,
        OPTIONS.AllowTlsV1 | OPTIONS.AllowTlsV1_1,
        ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
        LEVEL_ZERO,
    ),
    "AllowTlsV1_1-NoTlsV1_1": Setting(
        METHODS.SslV23, OPTIONS.AllowTlsV1_1 | OPTIONS.NoTlsV1_1, NEW
    ),
}

# Suites for all versions: those of the default list do not go with TLS 1.0 and 1.1.
LIST = [
    *(SUITES.Aes256GcmSha384, SUITES.EcdheEcdsaWithAes256GcmSha384),
    *(SUITES.EcdheEcdsaWithAes128CbcSha, SUITES.EcdheRsaWithAes128CbcSha),
]

with_each_setting = pytest.mark.parametrize("name", SETTINGS)
with_each_version = pytest.mark.parametrize("version", VERSION_OPTIONS)


@pytest.fixture(scope="module")
def servers(pki: TestPki) -> Iterator[Callable[[str], OpenSslServer]]:
    """One ``openssl s_server`` for each version, started when it is needed."""
    running: dict[str, OpenSslServer] = {}
    with ExitStack() as stack:

        def of(version: str) -> OpenSslServer:
            if version not in running:
                options = (*own(pki.server), VERSION_OPTIONS[version], *ALL_SUITES)
                running[version] = stack.enter_context(openssl_server(*options))
            return running[version]

        yield of


# ---- against the openssl program


@with_each_version
@with_each_setting
def test_client_talks_the_versions_that_its_settings_allow(
    nets: Callable[[Any], Any],
    pki: TestPki,
    servers: Callable[[str], OpenSslServer],
    library_log: LibraryLog,
    name: str,
    version: str,
) -> None:
    setting = SETTINGS[name]
    rules = rules_for(pki, "client", method=setting.method, options=setting.options, suites=LIST)
    client = nets(rules.net())
    client.Connect(None, 0, "127.0.0.1", servers(version).port)
    code = client.log.wait("OnSecureLinkReady").code
    if version in setting.allowed:
        assert code == CODES.Success, client.failure
        assert client.tls_version == version
        assert client.tls_verified
    else:
        check_no_shared_version(client)
    check_warning(setting, library_log)


@with_each_version
@with_each_setting
def test_server_talks_the_versions_that_its_settings_allow(
    nets: Callable[[Any], Any],
    pki: TestPki,
    library_log: LibraryLog,
    name: str,
    version: str,
) -> None:
    setting = SETTINGS[name]
    rules = rules_for(
        pki,
        "server",
        method=setting.method,
        options=setting.options,
        suites=LIST,
        flags=FLAGS.None_,
    )
    seen: list[str] = []
    child = rules.but(
        hooks={"OnSecureLinkReady": lambda net, error: seen.append(net.tls_version)}
    ).net
    listener = nets(Listener(lambda: nets(child())))
    listener.Listen("127.0.0.1", 0, 16)
    printed = openssl_client(listener.HostPort, VERSION_OPTIONS[version], *ALL_SUITES)
    net = listener.child()
    code = net.log.wait("OnSecureLinkReady").code
    if version in setting.allowed:
        assert code == CODES.Success, (net.failure, printed)
        assert seen == [version]
    else:
        check_no_shared_version(net)
        assert net.failure.side == "local"
        assert net.failure.alert_sent == PROTOCOL_VERSION
        assert "alert protocol version" in printed
    check_warning(setting, library_log)


def check_no_shared_version(net: Any) -> None:
    assert net.log.wait("OnSecureLinkReady").code == CODES.TlsNoSharedVersion
    net.log.wait("OnClose")
    failure = net.failure
    assert failure.code == CODES.TlsNoSharedVersion, failure
    assert failure.stage == "tls"
    assert failure.remedy
    assert calls_of(net) == []
    assert net.log.all("OnClose")[0].code == CODES.TlsNoSharedVersion
    assert net.GetTlsCipherSuite() == SUITES.None_
    assert not net.IsConnected()


def check_warning(setting: Setting, library_log: LibraryLog) -> None:
    said = [*library_log.about_settings(LEVEL_ZERO), *library_log.about_settings("SSL ")]
    if setting.warning:
        assert len(said) == 1
        assert setting.warning in said[0]
    else:
        assert said == []


# ---- both sides ours


@pytest.mark.parametrize("newer", ["server", "client"])
def test_no_version_in_common_is_said_on_both_sides_and_nobody_is_asked(
    meet: Meet, pki: TestPki, newer: Any
) -> None:
    rules = {
        newer: rules_for(pki, newer, method=METHODS.TlsV1_3),
        other_side(newer): rules_for(pki, other_side(newer), method=METHODS.TlsV1_2),
    }
    meeting = meet(rules["server"], rules["client"])
    for net in (meeting.client, meeting.child):
        check_no_shared_version(net)
        assert net.log.all("OnSecureLinkReady")[0].code == CODES.TlsNoSharedVersion
    assert meeting.child.failure.side == "local"
    assert meeting.child.failure.alert_sent == PROTOCOL_VERSION
    assert meeting.client.failure.side == "peer"
    assert meeting.client.failure.alert_received == PROTOCOL_VERSION
    assert meeting.order == ["child", "listener"]


@pytest.mark.parametrize("old", OLD)
@pytest.mark.parametrize("side", ["server", "client"])
def test_old_peer_is_refused_with_no_version_in_common(
    meet: Meet, pki: TestPki, side: Any, old: str
) -> None:
    off = OPTIONS.NoTlsV1_2 | OPTIONS.NoTlsV1_3
    if old == "TLSv1":
        off |= OPTIONS.NoTlsV1_1
    rules = {
        side: rules_for(pki, side, suites=LIST),
        other_side(side): rules_for(
            pki, other_side(side), method=METHODS.TlsV1, options=off, suites=LIST
        ),
    }
    meeting = meet(rules["server"], rules["client"])
    for net in (meeting.client, meeting.child):
        check_no_shared_version(net)


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        (METHODS.SslV23, OPTIONS.NoTlsV1_3),
        (METHODS.SslV23, OPTIONS.NoTlsV1_2),
        (METHODS.TlsV1_2, OPTIONS.None_),
        (METHODS.TlsV1_3, OPTIONS.None_),
    ],
)
def test_suites_of_a_version_that_is_switched_off_are_not_called_weak(
    meet: Meet,
    pki: TestPki,
    library_log: LibraryLog,
    side: Any,
    method: Any,
    options: Any,
) -> None:
    rules = {
        side: rules_for(pki, side, method=method, options=options),
        other_side(side): rules_for(pki, other_side(side)),
    }
    assert meet(rules["server"], rules["client"]).linked
    assert library_log.about_settings() == []


@pytest.mark.parametrize("side", ["server", "client"])
def test_option_that_allows_tls_1_0_and_one_that_forbids_it_do_not_allow_tls_1_1(
    meet: Meet, pki: TestPki, side: Any
) -> None:
    """No... wins over Allow..., and nobody has asked for TLS 1.1."""
    off = OPTIONS.NoTlsV1_2 | OPTIONS.NoTlsV1_3
    both = OPTIONS.AllowTlsV1 | OPTIONS.NoTlsV1
    rules = {
        side: rules_for(pki, side, options=both, suites=LIST),
        other_side(side): rules_for(
            pki, other_side(side), method=METHODS.TlsV1, options=off, suites=LIST
        ),
    }
    meeting = meet(rules["server"], rules["client"])
    for net in (meeting.client, meeting.child):
        check_no_shared_version(net)


@pytest.mark.parametrize("version", VERSION_OPTIONS)
def test_best_version_of_both_sides_is_taken(meet: Meet, pki: TestPki, version: str) -> None:
    options = OPTIONS.None_
    later = {
        "TLSv1": OPTIONS.NoTlsV1_1,
        "TLSv1.1": OPTIONS.NoTlsV1_2,
        "TLSv1.2": OPTIONS.NoTlsV1_3,
        "TLSv1.3": OPTIONS.None_,
    }
    for one in list(VERSION_OPTIONS)[list(VERSION_OPTIONS).index(version) :]:
        options |= later[one]
    meeting = meet(
        rules_for(pki, "server", method=METHODS.TlsV1, suites=LIST),
        rules_for(pki, "client", method=METHODS.TlsV1, options=options, suites=LIST),
    )
    assert meeting.linked
    assert meeting.client.tls_version == meeting.child.tls_version == version


# ---- settings that allow nothing


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (METHODS.SslV23, OPTIONS.NoTlsV1_2 | OPTIONS.NoTlsV1_3),
        (METHODS.TlsV1_2, OPTIONS.NoTlsV1_2),
        (METHODS.TlsV1_3, OPTIONS.NoTlsV1_3),
        (
            METHODS.TlsV1,
            OPTIONS.NoTlsV1 | OPTIONS.NoTlsV1_1 | OPTIONS.NoTlsV1_2 | OPTIONS.NoTlsV1_3,
        ),
    ],
)
def test_settings_that_switch_all_versions_off_are_raised_by_connect(
    nets: Callable[[Any], Any],
    pki: TestPki,
    listen: Callable[..., Listener],
    method: Any,
    options: Any,
) -> None:
    client = nets(rules_for(pki, "client", method=method, options=options).net())
    with refused(CODES.TlsNoSharedVersion, "NoTlsV1_2"):
        client.Connect(None, 0, "127.0.0.1", listen().HostPort)
    assert client.log.names() == []


def test_list_and_method_that_contradict_each_other_are_raised_by_connect(
    nets: Callable[[Any], Any], pki: TestPki, listen: Callable[..., Listener]
) -> None:
    port = listen().HostPort
    for method, suite in (
        (METHODS.TlsV1_2, SUITES.Aes256GcmSha384),
        (METHODS.TlsV1_3, SUITES.EcdheEcdsaWithAes256GcmSha384),
    ):
        client = nets(rules_for(pki, "client", method=method, suites=[suite]).net())
        with refused(CODES.TlsNoCipherSuite):
            client.Connect(None, 0, "127.0.0.1", port)


# ---- nothing from the host

HOSTILE = """
openssl_conf = everything
config_diagnostics = 1
[everything]
ssl_conf = ssl_section
providers = provider_section
alg_section = algorithms
[provider_section]
legacy = legacy_section
default = default_section
[legacy_section]
activate = 1
[default_section]
activate = 1
[algorithms]
default_properties = fips=yes
[ssl_section]
system_default = system
server = system
client = system
[system]
MinProtocol = TLSv1
MaxProtocol = TLSv1.1
CipherString = ALL:COMPLEMENTOFALL:@SECLEVEL=0
Ciphersuites = TLS_AES_128_CCM_SHA256
Options = UnsafeLegacyRenegotiation,ServerPreference,UnsafeLegacyServerConnect,-SessionTicket
Groups = P-521
SignatureAlgorithms = RSA+SHA1
VerifyMode = Request
"""

HOST_SCRIPT = """
    import json, sys
    given = json.loads(sys.argv[1])
    from leadtools_compat.dicom import DicomNet
    from tests.support import Listener
    from tests.tls.tls_tools import *

    class File:
        def __init__(self, combined_file):
            self.combined_file = combined_file

    def rules(side, name=None, **changes):
        one = Rules(identity=File(given[name or side]), ca=given["ca"])
        return one.but(**changes)

    def meet(server, client):
        kept = []
        meeting = Meeting(server, client, lambda net: kept.append(net) or net).settle()
        told = {}
        for side in SIDES:
            net = meeting.of(side)
            failure = net.failure
            told[side] = [
                str(net.log.all("OnSecureLinkReady")[0].code),
                net.tls_version,
                str(net.GetTlsCipherSuite()),
                net.tls_group.lower(),
                str(net.tls_verify_code),
                [(call.ok, call.code) for call in calls_of(net)],
                failure and failure.alert_sent,
            ]
        for net in reversed(kept):
            net.Dispose()
        return told

    TLS11 = OPTIONS.NoTlsV1_2 | OPTIONS.NoTlsV1_3
    CBC = [SUITES.EcdheEcdsaWithAes128CbcSha, SUITES.EcdheEcdsaWithAes256GcmSha384]
    old = {"method": METHODS.TlsV1, "suites": CBC}
    results = {
        "good": meet(rules("server"), rules("client")),
        "good 1.2": meet(rules("server"), rules("client", method=METHODS.TlsV1_2)),
        "weak client": meet(rules("server"), rules("client", "weak_client", method=METHODS.TlsV1)),
        "weak server": meet(rules("server", "weak_server", method=METHODS.TlsV1), rules("client")),
        "md5 client": meet(rules("server"), rules("client", "md5_client", method=METHODS.TlsV1)),
        "no CA": meet(rules("server"), rules("client", ca=None)),
        "expired": meet(rules("server"), rules("client", "expired_client")),
        "old client": meet(rules("server", suites=CBC), rules("client", options=TLS11, **old)),
        "old server": meet(rules("server", options=TLS11, **old), rules("client", suites=CBC)),
        "order": meet(
            rules("server", suites=[0x1302, 0x1301]), rules("client", suites=[0x1301, 0x1302])
        ),
        "weak own": "",
    }
    client = rules("client", "weak_client").net()
    try:
        client.Connect(None, 0, "127.0.0.1", 1)
    except Exception as error:
        results["weak own"] = str(error.Code)
    client.Dispose()
    print(json.dumps(results))
"""


def run_with_host(pki: TestPki, **environment: str) -> dict[str, Any]:
    """Run the script in a process with this environment; give what it found."""
    given = {
        "ca": pki.ca_file,
        "server": pki.server.combined_file,
        "client": pki.client.combined_file,
        "weak_client": pki.make("weak_key_rsa1024", "client").combined_file,
        "weak_server": pki.make("weak_key_rsa1024", "server").combined_file,
        "md5_client": pki.make("weak_hash_md5_intermediate", "client").combined_file,
        "expired_client": pki.make("expired", "client").combined_file,
    }
    # The trust of this one is a root of its own, if the PKI has EC keys.
    both = pki.directory / "host-ca.pem"
    md5_ca = Path(pki.make("weak_hash_md5_intermediate", "client").ca_file)
    both.write_bytes(Path(pki.ca_file).read_bytes() + md5_ca.read_bytes())
    given["ca"] = str(both)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENSSL", "SSL", "LEADTOOLS_COMPAT_PUMPED"))
    }
    found: dict[str, Any] = run_python(
        HOST_SCRIPT,
        json.dumps(given),
        folder=pki.directory,
        environment={**clean, **environment},
    )
    return found


@pytest.fixture(scope="module")
def untouched(pki: TestPki, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is found on a host without any configuration."""
    empty = tmp_path_factory.mktemp("host") / "openssl.cnf"
    empty.write_text("")
    return run_with_host(pki, OPENSSL_CONF=str(empty))


GOOD = [[1, "Success"]] * 3
LINK = ["Success", "TLSv1.3", "Aes256GcmSha384", BEST_GROUP, "Success", GOOD, None]


def test_host_without_configuration_has_the_defaults_of_the_library(
    untouched: dict[str, Any],
) -> None:
    assert untouched["good"] == {"server": LINK, "client": LINK}
    version, suite = untouched["good 1.2"]["client"][1:3]
    assert (version, suite) == ("TLSv1.2", "EcdheEcdsaWithAes256GcmSha384")
    for name, code in (
        ("weak client", "EeKeyTooSmall"),
        ("md5 client", "CaMdTooWeak"),
        ("expired", "CertHasExpired"),
    ):
        server, client = untouched[name]["server"], untouched[name]["client"]
        assert (server[0], server[4]) == ("TlsCertificateRejected", code)
        assert client[0] == "TlsPeerRejectedCertificate"
    for name, code in (
        ("weak server", "EeKeyTooSmall"),
        ("no CA", "UnableToGetIssuerCertLocally"),
    ):
        server, client = untouched[name]["server"], untouched[name]["client"]
        assert (client[0], client[4]) == ("TlsCertificateRejected", code)
        assert server[0] == "TlsPeerRejectedCertificate"
    for name in ("old client", "old server"):
        for side in ("server", "client"):
            assert untouched[name][side][0] == "TlsNoSharedVersion"
    assert untouched["order"]["server"][2] == "Aes128GcmSha256"
    assert untouched["weak own"] == "TlsWeakKey"


@pytest.mark.parametrize(
    "host",
    ["hostile", "unreadable", "missing", "debian"],
)
def test_configuration_of_the_host_changes_nothing(
    pki: TestPki, untouched: dict[str, Any], tmp_path: Path, host: str
) -> None:
    config = tmp_path / "openssl.cnf"
    config.write_text(HOSTILE if host == "hostile" else "openssl_conf = [[[\n")
    environments = {
        "hostile": {
            "OPENSSL_CONF": str(config),
            "OPENSSL_CONF_INCLUDE": str(tmp_path),
            "OPENSSL_MODULES": str(tmp_path),
            "SSL_CERT_FILE": pki.ca_file,  # a trust that the library must not take
            "SSL_CERT_DIR": str(pki.directory),
        },
        "unreadable": {"OPENSSL_CONF": str(config)},
        "missing": {"OPENSSL_CONF": str(tmp_path / "nothing.cnf")},
        "debian": {},  # whatever /usr/lib/ssl/openssl.cnf says
    }
    assert run_with_host(pki, **environments[host]) == untouched


def test_hostile_configuration_is_one_that_openssl_obeys(pki: TestPki, tmp_path: Path) -> None:
    config = tmp_path / "openssl.cnf"
    config.write_text(HOSTILE.replace("alg_section = algorithms\n", ""))
    said = subprocess.run(
        ["openssl", "ciphers", "-s", "-v"],
        env={**os.environ, "OPENSSL_CONF": str(config)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    ).stdout
    assert [line.split()[0] for line in said.splitlines() if " TLSv1.3 " in line] == [
        "TLS_AES_128_CCM_SHA256"
    ]
    assert "ADH-AES128-SHA" in said
