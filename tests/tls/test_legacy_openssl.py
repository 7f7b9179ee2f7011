"""Old devices: 3DES and TLS 1.0 with an OpenSSL that has them (docs/tls-legacy.md).

Runs where LTDIC_TEST_OPENSSL names such an OpenSSL, as tools/legacy_openssl.sh makes it; the
library is built against it in a folder of the test's own. The ordinary build has none of this,
which is tested everywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.dicom import DicomNet, DicomTlsCipherSuiteType
from leadtools_compat.testing import TestPki
from tests.support import PATIENCE
from tests.tls.tls_tools import run_python

ROOT = Path(__file__).resolve().parents[2]
OPENSSL = os.environ.get("LTDIC_TEST_OPENSSL", "")
pointed_at = pytest.mark.skipif(
    not OPENSSL, reason="LTDIC_TEST_OPENSSL names no OpenSSL with old suites (docs/tls-legacy.md)"
)
OLD = (
    DicomTlsCipherSuiteType.RsaWith3DesEdeCbcSha,
    DicomTlsCipherSuiteType.DheRsaWith3DesEdeCbcSha,
)

CODE = """
import json, sys
from leadtools_compat.dicom import DicomNet, DicomSslMethodType, DicomTlsCipherSuiteType
from tests.support import Listener, RecordingNet
from tests.tls import peers
from tests.tls.tls_tools import FLAGS, METHODS, PEM, TLS, Rules

own, key, combined, ca, program, suite, openssl_name, version = sys.argv[1:9]
peers.CLEAN["PATH"] = program + ":" + peers.CLEAN["PATH"]
suite = int(suite)
level = ("-cipher", openssl_name + ":@SECLEVEL=0", version)

def net(*suites, method=METHODS.TlsV1):
    made = Rules(ca=ca, flags=FLAGS.Peer, method=method, suites=suites or None).net()
    made.SetTlsClientCertificate(combined, PEM, None)
    return made

def by_profile():
    made = net(method=METHODS.SslV23)
    made.apply_tls_profile("basic")
    return made

def outcome(made, child=None):
    code = (child or made).log.wait("OnSecureLinkReady").code.name
    return [code, (child or made).tls_version, int((child or made).GetTlsCipherSuite())]

told = {"version": DicomNet.tls_library().version}
told["available"] = DicomTlsCipherSuiteType(suite).is_available
told["listed"] = suite in [RecordingNet(TLS).GetTlsCipherSuiteByIndex(i) for i in range(64)]
with peers.openssl_server("-cert", own, "-key", key, "-cert_chain", own, *level) as server:
    for name, made in (
        ("client", net(suite)),
        ("careful client", net(suite, method=METHODS.TlsV1_2)),
        ("default client", net(method=METHODS.SslV23)),
        ("client by profile", by_profile()),
    ):
        made.Connect(None, 0, "127.0.0.1", server.port)
        told[name] = outcome(made)
        made.CloseForced(True)
listener = Listener(lambda: net(suite))
listener.Listen("127.0.0.1", 0, 4)
told["peer"] = peers.cipher_of(peers.openssl_client(listener.HostPort, *level))
told["server"] = outcome(None, listener.child())
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def legacy_build(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build against that OpenSSL; give the environment of a process that runs with it."""
    folder = tmp_path_factory.mktemp("legacy")
    subprocess.run(
        [sys.executable, str(ROOT / "tools/mirror_tree.py"), str(folder)], check=True, cwd=ROOT
    )
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=folder,
        env={**os.environ, "LTDIC_OPENSSL": OPENSSL},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # A process has one libssl.so.3: Python's own ssl has to use it, too.
    return {**os.environ, "LD_LIBRARY_PATH": f"{OPENSSL}/lib", "LEGACY_TREE": str(folder)}


def meet(
    environment: dict[str, str], pki: TestPki, suite: DicomTlsCipherSuiteType, version: str
) -> Any:
    """Let our two roles meet that OpenSSL's programs."""
    me = pki.server
    tree = environment["LEGACY_TREE"]
    return run_python(
        f"import sys; sys.path.insert(0, {tree!r})\n" + CODE,
        *(me.certificate_file, me.key_file, me.combined_file, pki.ca_file, f"{OPENSSL}/bin"),
        *(str(int(suite)), suite.openssl_name, version),
        folder=Path(tree),
        environment=environment,
    )


@pytest.mark.timeout(900)
@pointed_at
@pytest.mark.parametrize("suite", OLD)
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_2"])
def test_old_suites_and_versions_work_both_ways_when_asked_for(
    legacy_build: dict[str, str], rsa_pki: TestPki, suite: DicomTlsCipherSuiteType, version: str
) -> None:
    told = meet(legacy_build, rsa_pki, suite, version)
    name = {"-tls1": "TLSv1", "-tls1_1": "TLSv1.1", "-tls1_2": "TLSv1.2"}[version]
    program = subprocess.run(
        [f"{OPENSSL}/bin/openssl", "version"],
        capture_output=True,
        text=True,
        env=legacy_build,
        timeout=PATIENCE,
        check=True,
    ).stdout
    assert " ".join(told["version"].split()[:2]) in program
    assert told["available"]
    assert told["client"] == ["Success", name, int(suite)]
    assert told["server"] == ["Success", name, int(suite)]
    assert told["peer"] == suite.openssl_name
    # PS3.15 B.1 has the suite without forward secrecy only.
    if suite == DicomTlsCipherSuiteType.RsaWith3DesEdeCbcSha:
        assert told["client by profile"] == told["client"]
    else:
        assert told["client by profile"][0] == "TlsNoSharedCipherSuite"
    # Being able to is not doing it: nothing of this without being asked for.
    assert not told["listed"]
    assert told["default client"][0] != "Success"
    assert (told["careful client"][0] == "Success") is (version == "-tls1_2")


@pytest.mark.skipif(bool(OPENSSL), reason="LTDIC_TEST_OPENSSL is set: its test is above")
@pytest.mark.parametrize("suite", OLD)
def test_ordinary_build_has_none_of_them_and_says_so(suite: DicomTlsCipherSuiteType) -> None:
    assert not suite.is_available
    with DicomNet(None, 1) as net:
        assert suite not in [net.GetTlsCipherSuiteByIndex(index) for index in range(64)]


def test_build_refuses_a_folder_that_is_no_openssl() -> None:
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext"],
        cwd=ROOT,
        env={**os.environ, "LTDIC_OPENSSL": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE * 2,
    )
    assert done.returncode != 0
    assert "LTDIC_OPENSSL is '/nowhere'" in done.stderr
