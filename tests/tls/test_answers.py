"""What each answer of OnVerify does: exactly 1 goes on, everything else stops, and no answer is no link.

The chain has three certificates, asked about from depth 2 (the root) to depth 0. An answer is given
at one depth; at the others it is `ok`, the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from leadtools_compat.testing import TestPki
from tests.conftest import Unraisable
from tests.support import PATIENCE
from tests.tls.conftest import Present
from tests.tls.tls_tools import (
    BAD_CERTIFICATE,
    CODES,
    FINDINGS,
    FLAGS,
    LINK_WARNING,
    SIDES,
    VERSIONS,
    LibraryLog,
    Meeting,
    Side,
    calls_of,
    finding,
    other_side,
    rules_for,
    run_python,
)


class Index:
    """A number by ``__index__`` only."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __index__(self) -> int:
        return self._number


class BadIndex:
    """Raises when asked for its number."""

    def __index__(self) -> int:
        raise LookupError("no number")


class Number(int):
    """Not a plain int."""


class Raises:
    """Not an answer: raises `kind` instead."""

    def __init__(self, kind: type[BaseException]) -> None:
        self.kind = kind


class Row(NamedTuple):
    """An answer; `raised` is what arrives at the hook if nobody has answered."""

    answer: Any
    goes_on: bool
    raised: type[BaseException] | None = None


ANSWERS: dict[str, Row] = {
    "1": Row(1, True),
    "True": Row(True, True),
    "int-subclass": Row(Number(1), True),
    "index-1": Row(Index(1), True),
    "0": Row(0, False),
    "False": Row(False, False),
    "2": Row(2, False),
    "-1": Row(-1, False),
    "index-0": Row(Index(0), False),
    "2**32+1": Row(2**32 + 1, False),
    "1-2**32": Row(1 - 2**32, False),
    "2**64+1": Row(2**64 + 1, False),
    "None": Row(None, False, TypeError),
    "text": Row("1", False, TypeError),
    "bytes": Row(b"\x01", False, TypeError),
    "1.0": Row(1.0, False, TypeError),
    "list": Row([1], False, TypeError),
    "NotImplemented": Row(NotImplemented, False, TypeError),
    "bad-index": Row(BadIndex(), False, LookupError),
    "ValueError": Row(Raises(ValueError), False, ValueError),
    "KeyboardInterrupt": Row(Raises(KeyboardInterrupt), False, KeyboardInterrupt),
    "SystemExit": Row(Raises(SystemExit), False, SystemExit),
}
GOES_ON = [name for name, row in ANSWERS.items() if row.goes_on]
STOPS = [name for name, row in ANSWERS.items() if not row.goes_on and row.raised is None]
NO_ANSWER = [name for name, row in ANSWERS.items() if row.raised is not None]

DEPTHS = (2, 1, 0)

at_either_side = pytest.mark.parametrize("judge", SIDES)
in_both_versions = pytest.mark.parametrize("version", VERSIONS)


def answering(name: str, call: int) -> dict[str, Callable[..., Any]]:
    """Make the hook that gives the answer in call number `call`, counted from 0, and `ok` else."""
    answer = ANSWERS[name].answer
    seen: list[int] = []

    def hook(net: Any, ok: int, text: str, error: Any) -> Any:
        seen.append(ok)
        if len(seen) != call + 1:
            return ok
        if isinstance(answer, Raises):
            raise answer.kind("from OnVerify")
        return answer

    return {"OnVerify": hook}


# ---- a good chain


@in_both_versions
@at_either_side
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", GOES_ON)
def test_answer_that_is_one_goes_on(
    present: Present, pki: TestPki, name: str, depth: int, judge: Side, version: str
) -> None:
    identity = pki.make("good_ec", other_side(judge))
    meeting = present(identity, judge, version, hooks=answering(name, 2 - depth))
    net = meeting.of(judge)
    assert meeting.linked
    assert [call.ok for call in calls_of(net)] == [1, 1, 1]
    assert net.tls_verified
    assert net.tls_verify_code == FINDINGS.Success


@in_both_versions
@at_either_side
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", STOPS)
def test_any_other_number_stops_a_good_chain_as_rejected(
    present: Present, pki: TestPki, name: str, depth: int, judge: Side, version: str
) -> None:
    identity = pki.make("good_ec", other_side(judge))
    meeting = present(identity, judge, version, hooks=answering(name, 2 - depth))
    net, other = meeting.of(judge), meeting.of(other_side(judge))
    calls = calls_of(net)
    assert [call.ok for call in calls] == [1] * (3 - depth)  # nobody is asked after the stop
    failure = net.failure
    assert failure.code == CODES.TlsCertificateRejected
    assert failure.certificate_code == FINDINGS.CertRejected
    assert failure.certificate_depth == depth
    assert failure.certificate_subject == calls[-1].subject
    assert failure.alert_sent == BAD_CERTIFICATE
    assert failure.exception is None
    assert not net.tls_verified
    assert net.tls_verify_code == FINDINGS.CertRejected
    assert other.failure.code == CODES.TlsPeerRejectedCertificate
    assert other.failure.alert_received == BAD_CERTIFICATE


@in_both_versions
@at_either_side
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", NO_ANSWER)
def test_no_answer_ends_the_handshake_of_a_good_chain(
    present: Present,
    pki: TestPki,
    unraisable: Unraisable,
    name: str,
    depth: int,
    judge: Side,
    version: str,
) -> None:
    identity = pki.make("good_ec", other_side(judge))
    meeting = present(identity, judge, version, hooks=answering(name, 2 - depth))
    check_nobody_answered(meeting, judge, unraisable, ANSWERS[name].raised)
    assert [call.ok for call in calls_of(meeting.of(judge))] == [1] * (3 - depth)


def check_nobody_answered(
    meeting: Any, judge: Side, unraisable: Unraisable, kind: type[BaseException] | None
) -> None:
    assert kind is not None
    net, other = meeting.of(judge), meeting.of(other_side(judge))
    error = unraisable.expect(kind, "RecordingNet.OnVerify")
    failure = net.failure
    assert failure.code == CODES.TlsVerifyCallback
    assert (failure.stage, failure.side) == ("certificate", "local")
    assert failure.exception is error
    assert type(error).__name__ in str(failure)
    assert failure.alert_sent == BAD_CERTIFICATE
    assert failure.remedy
    assert net.log.all("OnSecureLinkReady")[0].code == CODES.TlsVerifyCallback
    assert net.log.all("OnClose")[0].code == CODES.TlsVerifyCallback
    assert not net.tls_verified
    assert not net.IsConnected()
    assert other.failure.code == CODES.TlsPeerRejectedCertificate
    assert other.failure.alert_received == BAD_CERTIFICATE
    assert other.failure.exception is None
    assert meeting.order == ["child", "listener"]


# ---- a bad chain: the call with the complaint is answered

# Kind, number of its complaining call, what is asked after it was overruled.
BAD = {
    "no_purpose": (0, [1, 1, 1]),
    "unknown_ca": (0, [1, 1]),
    "revoked_intermediate": (0, [1, 1, 1]),
    "expired_intermediate": (1, [1, 1]),
    "expired": (2, [1]),
    "name_constraints_excluded": (3, []),
}


@in_both_versions
@at_either_side
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", GOES_ON)
def test_overruled_complaint_makes_a_link_that_is_not_verified(
    present: Present,
    pki: TestPki,
    library_log: LibraryLog,
    name: str,
    kind: str,
    judge: Side,
    version: str,
) -> None:
    identity = pki.make(kind, other_side(judge))
    at, later = BAD[kind]
    meeting = present(identity, judge, version, hooks=answering(name, at))
    net = meeting.of(judge)
    assert meeting.linked, net.failure
    assert [call.ok for call in calls_of(net)] == [*[1] * at, 0, *later]
    assert net.failure is None
    assert not net.tls_verified
    assert net.tls_verify_code == finding(identity.code)
    subject = calls_of(net)[-1].subject  # the leaf comes last
    library_log.wait(LINK_WARNING, subject, f"code {int(finding(identity.code))} ")
    other = meeting.of(other_side(judge))
    assert other.tls_verified


@in_both_versions
@at_either_side
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", STOPS)
def test_stop_at_a_complaint_is_reported_as_that_complaint(
    present: Present, pki: TestPki, name: str, kind: str, judge: Side, version: str
) -> None:
    identity = pki.make(kind, other_side(judge))
    at, _ = BAD[kind]
    meeting = present(identity, judge, version, hooks=answering(name, at))
    net, other = meeting.of(judge), meeting.of(other_side(judge))
    assert [call.ok for call in calls_of(net)] == [*[1] * at, 0]
    assert net.failure.code == CODES.TlsCertificateRejected
    assert str(net.failure.certificate_code) == identity.code
    assert net.failure.certificate_depth == identity.expected[0].depth
    assert net.tls_verify_code == finding(identity.code)
    assert other.failure.code == CODES.TlsPeerRejectedCertificate
    assert other.failure.alert_received == net.failure.alert_sent


@in_both_versions
@at_either_side
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", ["None", "1.0", "ValueError", "KeyboardInterrupt"])
def test_no_answer_to_a_complaint_ends_the_handshake(
    present: Present,
    pki: TestPki,
    unraisable: Unraisable,
    name: str,
    kind: str,
    judge: Side,
    version: str,
) -> None:
    at, _ = BAD[kind]
    identity = pki.make(kind, other_side(judge))
    meeting = present(identity, judge, version, hooks=answering(name, at))
    check_nobody_answered(meeting, judge, unraisable, ANSWERS[name].raised)
    assert [call.ok for call in calls_of(meeting.of(judge))] == [*[1] * at, 0]


@in_both_versions
@at_either_side
def test_refusal_after_an_overruled_complaint_counts(
    present: Present, pki: TestPki, judge: Side, version: str
) -> None:
    identity = pki.make("no_purpose", other_side(judge))
    answers = iter([1, 1, 0])
    hooks = {"OnVerify": lambda *arguments: next(answers)}
    meeting = present(identity, judge, version, hooks=hooks)
    net = meeting.of(judge)
    assert [call.ok for call in calls_of(net)] == [0, 1, 1]
    assert net.failure.certificate_code == FINDINGS.CertRejected
    assert net.failure.certificate_depth == 1
    assert net.tls_verify_code == FINDINGS.CertRejected


@in_both_versions
@at_either_side
def test_each_further_complaint_needs_its_own_answer(
    present: Present, pki: TestPki, judge: Side, version: str
) -> None:
    identity = pki.make("key_usage_no_cert_sign", other_side(judge))
    assert len(identity.expected) == 3
    meeting = present(identity, judge, version, hooks=answering("1", 0))
    net = meeting.of(judge)
    assert [(call.ok, call.code) for call in calls_of(net)] == [
        (0, complaint.code) for complaint in identity.expected[:2]
    ]
    assert str(net.failure.certificate_code) == identity.expected[1].code


# ---- a client without Peer (None_): it asks, and a refusal does not end the link


@in_both_versions
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", STOPS)
def test_client_with_none_stops_asking_and_makes_an_unverified_link(
    present: Present,
    pki: TestPki,
    library_log: LibraryLog,
    name: str,
    depth: int,
    version: str,
) -> None:
    identity = pki.make("good_ec", "server")
    hooks = answering(name, 2 - depth)
    meeting = present(identity, "client", version, flags=FLAGS.None_, hooks=hooks)
    client = meeting.client
    assert meeting.linked
    assert [call.ok for call in calls_of(client)] == [1] * (3 - depth)
    assert client.failure is None
    assert not client.tls_verified
    assert client.tls_verify_code == FINDINGS.CertRejected
    assert client.IsConnected()
    library_log.wait(LINK_WARNING, "code 28 ")
    assert client.tls_peer_certificates == list(identity.chain_der)


@in_both_versions
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", ["0", "2", "-1", "False"])
def test_client_with_none_keeps_the_complaint_it_did_not_overrule(
    present: Present, pki: TestPki, name: str, kind: str, version: str
) -> None:
    identity = pki.make(kind, "server")
    at, _ = BAD[kind]
    hooks = answering(name, at)
    meeting = present(identity, "client", version, flags=FLAGS.None_, hooks=hooks)
    assert meeting.linked
    assert [call.ok for call in calls_of(meeting.client)] == [*[1] * at, 0]
    assert not meeting.client.tls_verified
    assert meeting.client.tls_verify_code == finding(identity.code)


@in_both_versions
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", NO_ANSWER)
def test_client_with_none_makes_no_link_when_nobody_answers(
    present: Present, pki: TestPki, unraisable: Unraisable, name: str, depth: int, version: str
) -> None:
    identity = pki.make("good_ec", "server")
    hooks = answering(name, 2 - depth)
    meeting = present(identity, "client", version, flags=FLAGS.None_, hooks=hooks)
    check_nobody_answered(meeting, "client", unraisable, ANSWERS[name].raised)


@in_both_versions
@pytest.mark.parametrize("name", GOES_ON)
def test_client_with_none_and_a_good_chain_is_verified(
    present: Present, pki: TestPki, name: str, version: str
) -> None:
    identity = pki.make("good_ec", "server")
    hooks = answering(name, 0)
    meeting = present(identity, "client", version, flags=FLAGS.None_, hooks=hooks)
    assert meeting.linked
    assert meeting.client.tls_verified


# ---- disposing in OnVerify


@in_both_versions
@at_either_side
@pytest.mark.parametrize("call", [0, 1, 2])
def test_net_disposed_in_onverify_makes_no_link_whatever_it_answers(
    meet: Callable[..., Any],
    nets: Callable[[Any], Any],
    pki: TestPki,
    judge: Side,
    version: str,
    call: int,
) -> None:
    def dispose(net: Any, ok: int, text: str, error: Any) -> int:
        if len(net.log.all("OnVerify")) == call:
            net.Dispose()
        return 1

    rules = {side: rules_for(pki, side, method=VERSIONS[version]) for side in SIDES}
    rules[judge] = rules[judge].but(hooks={"OnVerify": dispose})
    meeting = Meeting(rules["server"], rules["client"], nets)
    other = meeting.of(other_side(judge))
    assert other.log.wait("OnSecureLinkReady").code != CODES.Success
    other.log.wait("OnClose")
    net = meeting.of(judge)
    assert len(calls_of(net)) == call + 1
    assert net.log.all("OnSecureLinkReady") == net.log.all("OnClose") == []
    assert not net.IsConnected()


# ---- pumped delivery: a process of its own, as the mode is one of the process

PUMPED = """
    import json, sys, time
    from collections.abc import Callable
    sys.unraisablehook = lambda arguments: unraisable.append(type(arguments.exc_value).__name__)
    from leadtools_compat.dicom import DicomNet
    DicomNet.Startup(pumped=True)
    from leadtools_compat.testing import TestPki
    from tests.tls.test_answers import ANSWERS, BAD, answering
    from tests.tls.tls_tools import FLAGS, METHODS, VERSIONS, Meeting, judging, other_side, rules_for
    from tests.support import Listener, connect

    unraisable = []
    pki = TestPki(sys.argv[1], seed="tests", key="ec")

    def run(kind, judge, version, name, call, flags):
        identity = pki.make(kind, other_side(judge))
        rules = {
            judge: judging(rules_for(pki, judge, method=VERSIONS[version]), identity),
            other_side(judge): rules_for(
                pki, other_side(judge), identity=identity, method=METHODS.TlsV1
            ),
        }
        rules[judge] = rules[judge].but(hooks=answering(name, call), flags=flags)
        raised = []
        with Listener(rules["server"].net) as listener, rules["client"].net() as client:
            listener.Listen("127.0.0.1", 0, 4)
            connect(client, listener)
            end = time.monotonic() + float(sys.argv[2])
            def done():
                for net in (client, *listener.children[:1]):
                    ready = net.log.all("OnSecureLinkReady")
                    if not ready or (ready[0].code != 0 and not net.log.all("OnClose")):
                        return False
                return bool(listener.children)
            while not done():
                assert time.monotonic() < end, "nothing more happens"
                try:
                    DicomNet.Breathe(0.2)
                except BaseException as error:
                    raised.append(type(error).__name__)
            net, other = client, listener.children[0]
            if judge == "server":
                net, other = other, net
            failure = net.failure
            result = {
                "raised": raised,
                "ready": str(net.log.all("OnSecureLinkReady")[0].code),
                "other": str(other.log.all("OnSecureLinkReady")[0].code),
                "calls": [event.arguments[0] for event in net.log.all("OnVerify")],
                "verified": net.tls_verified,
                "verify_code": str(net.tls_verify_code),
                "exception": failure and failure.exception and type(failure.exception).__name__,
                "certificate_code": failure and str(failure.certificate_code),
            }
            other.Dispose()
            net.Dispose()
        return result

    results = {}
    for version in VERSIONS:
        for name in ANSWERS:
            for judge in ("server", "client"):
                good = run("good_ec", judge, version, name, 1, FLAGS.All)
                bad = run("no_purpose", judge, version, name, 0, FLAGS.All)
                results[f"{name} {judge} {version} good"] = good
                results[f"{name} {judge} {version} bad"] = bad
            loose = run("good_ec", "client", version, name, 1, FLAGS.None_)
            results[f"{name} client {version} None_"] = loose
    DicomNet.Shutdown()
    print(json.dumps({"results": results, "unraisable": unraisable}))
"""


@pytest.fixture(scope="module")
def pumped_results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run all answers in pumped delivery, in one process."""
    folder = tmp_path_factory.mktemp("pumped")
    found = run_python(PUMPED, str(folder), str(PATIENCE), folder=folder)
    assert found["unraisable"] == []  # in pumped delivery everything comes out of Breathe
    results: dict[str, Any] = found["results"]
    return results


@in_both_versions
@pytest.mark.parametrize("name", ANSWERS)
def test_answers_mean_the_same_in_pumped_delivery_and_exceptions_come_out_of_breathe(
    pumped_results: dict[str, Any], name: str, version: str
) -> None:
    row = ANSWERS[name]
    for judge in SIDES:
        good = pumped_results[f"{name} {judge} {version} good"]
        bad = pumped_results[f"{name} {judge} {version} bad"]
        for result in (good, bad):
            assert result["raised"] == ([] if row.raised is None else [row.raised.__name__])
            assert result["exception"] == (None if row.raised is None else row.raised.__name__)
            if row.goes_on:
                assert (result["ready"], result["other"]) == ("Success", "Success")
            elif row.raised is None:
                assert result["ready"] == "TlsCertificateRejected"
                assert result["other"] == "TlsPeerRejectedCertificate"
            else:
                assert result["ready"] == "TlsVerifyCallback"
                assert result["other"] == "TlsPeerRejectedCertificate"
        assert good["calls"] == ([1, 1, 1] if row.goes_on else [1, 1])
        assert bad["calls"] == ([0, 1, 1, 1] if row.goes_on else [0])
        assert good["verified"] == row.goes_on
        assert not bad["verified"]
        if row.raised is None:
            assert bad["verify_code"] == "InvalidPurpose"
            assert good["verify_code"] == ("Success" if row.goes_on else "CertRejected")
    loose = pumped_results[f"{name} client {version} None_"]
    assert loose["ready"] == ("Success" if row.raised is None else "TlsVerifyCallback")
    assert loose["verified"] == row.goes_on
