"""DicomException and DicomSecurityCertificateException, alone and out of failing calls."""

from __future__ import annotations

import copy
import pickle
import socket
from collections.abc import Callable
from typing import Any

import pytest

from leadtools_compat.dicom import (
    DicomException,
    DicomExceptionCode,
    DicomFailure,
    DicomNet,
    DicomSecurityCertificateException,
    DicomSecurityCertificateExceptionCode,
)
from tests.support import RecordingNet

CODES = DicomExceptionCode
REFUSED = "The attempt to connect was forcefully rejected"


def test_code_and_message_are_kept_and_str_has_both() -> None:
    error = DicomException(CODES.TlsCAFile, "ca.pem: no certificate in it")
    assert error.Code is CODES.TlsCAFile
    assert error.Message == "ca.pem: no certificate in it"
    assert str(error) == "TlsCAFile: ca.pem: no certificate in it"
    assert error.failure is None
    assert isinstance(error, Exception)


def test_without_a_message_the_text_of_the_code_is_used() -> None:
    error = DicomException(206)
    assert error.Code is CODES.NetAddressInUse
    assert error.Message == "The local address and port are in use"


def test_every_code_has_a_text_of_its_own() -> None:
    texts = [DicomException.GetCodeMessage(code) for code in CODES]
    assert len(set(texts)) == len(texts)
    assert DicomException.GetCodeMessage(CODES.Success) == "Success"
    assert DicomException.GetCodeMessage(3) == "Invalid parameter"


def test_unknown_code_does_not_raise() -> None:
    error = DicomException(4711)
    assert int(error.Code) == 4711
    assert str(error.Code) == "Value_0x1267"
    assert error.Message == DicomException.GetCodeMessage(4711) == "Unknown error"


def test_message_of_connection_refused_is_what_programs_compare() -> None:
    assert DicomException(CODES.NetConnectionRefused).Message == REFUSED
    assert DicomException(CODES.NetConnectionRefused, "something else").Message == REFUSED
    assert DicomException.GetCodeMessage(CODES.NetConnectionRefused) == REFUSED


def test_refused_connection_has_the_stable_text_and_the_rest_in_the_remedy(
    nets: Callable[[Any], Any],
) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers, nobody can take it
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        net = nets(RecordingNet())
        net.Connect(None, 0, "127.0.0.1", port)
        assert net.log.wait("OnConnect").code == CODES.NetConnectionRefused
        assert net.log.wait("OnClose").code == CODES.NetConnectionRefused
    failure = net.failure
    assert failure is not None
    assert failure.message == REFUSED
    assert failure.stage == "tcp"
    assert failure.remedy
    assert "127.0.0.1" not in failure.message


def test_str_tells_the_remedy_of_the_failure_record() -> None:
    error = DicomException(CODES.TlsPeerRejectedCertificate)
    error.failure = DicomFailure(
        "certificate", "peer", error.Code, error.Message, remedy="Do this."
    )
    assert str(error).endswith("(Do this.)")
    error = DicomException(CODES.Parameter, "port is 7. Do this.")
    error.failure = DicomFailure("tcp", "local", error.Code, error.Message, remedy="Do this.")
    assert str(error).count("Do this.") == 1


def test_exceptions_can_be_pickled_and_copied() -> None:
    error = DicomException(CODES.NetTimeout, "after 30 s")
    finding = DicomSecurityCertificateException(26)
    for same in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (same.Code, same.Message) == (error.Code, error.Message)
    for again in (pickle.loads(pickle.dumps(finding)), copy.copy(finding)):
        assert (again.Code, again.Message) == (finding.Code, finding.Message)


def test_certificate_exception_has_code_and_fixed_text() -> None:
    finding = DicomSecurityCertificateException(26)
    assert finding.Code is DicomSecurityCertificateExceptionCode.InvalidPurpose
    assert finding.Message == "unsuitable certificate purpose"
    assert str(finding) == "InvalidPurpose: unsuitable certificate purpose"
    assert DicomSecurityCertificateException(0).Message == "ok"
    assert DicomSecurityCertificateException(9999).Message == (
        "unknown certificate verification error"
    )
    assert DicomSecurityCertificateException(1, "mine").Message == "mine"


def test_call_that_fails_leaves_no_trace_in_the_next_one() -> None:
    with DicomNet(None, 0) as net:
        with pytest.raises(DicomException, match="index"):
            net.SetTlsCipherSuiteByIndex(99, 0)
        with pytest.raises(DicomException) as caught:
            net.Connect(None, 0, None, 104)
        assert "index" not in caught.value.Message
        assert caught.value.Code == CODES.Parameter
