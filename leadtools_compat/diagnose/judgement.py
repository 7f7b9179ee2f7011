"""What the facts of a report mean: findings with remedies, and one sentence on top.

The one rule: an error is what keeps this connection from working or makes it unsafe today; a warning
is what will, or what an auditor would stop at; notes only inform.
"""

from __future__ import annotations

from leadtools_compat._nodes.words import OPTIONS
from leadtools_compat.diagnose.certificates import (
    expiry_finding,
    order_findings,
    strength_findings,
)
from leadtools_compat.diagnose.model import Level, Report
from leadtools_compat.diagnose.profiles import judge_profiles
from leadtools_compat.dicom import DicomExceptionCode

__all__ = ["judge"]

_ORDER = (Level.good, Level.note, Level.warning, Level.error)
_OLD = ("SSLv3", "TLSv1", "TLSv1.1")
_BROKEN = ("_NULL_", "_EXPORT_", "_RC4_", "_anon_", "_DES_CBC_", "_DES40_")
_PROFILE = "PS3.15 B.12 (RFC 9325)"


def judge(report: Report) -> None:
    """Fill findings, level and verdict."""
    _connection(report)
    if report.with_tls and report.connection.connected:
        _failure(report)
        _versions(report)
        _suites(report)
        _profiles(report)
        _groups(report)
        _chain(report)
        _client(report)
        _session(report)
    elif report.failure is not None:
        _failure(report)
    _dicom(report)
    report.level = max((one.level for one in report.findings), key=_ORDER.index, default=Level.note)
    report.findings.sort(key=lambda one: -_ORDER.index(one.level))
    report.verdict = _verdict(report)


def _connection(report: Report) -> None:
    connection = report.connection
    if connection.connected:
        if connection.failed:
            others = ", ".join(connection.failed)
            text = f"{report.host} has addresses that do not answer: {others}."
            report.add(Level.warning, "connection", text, "Take them out of the name service.")
        return
    why = "; ".join(connection.failed)
    if not connection.addresses:
        why = why.removeprefix(f"{report.host}: ")
        text = f"The name {report.host} has no address ({why})."
        report.add(Level.error, "connection", text, "Check the spelling, or use the address.")
        return
    remedy = "Check address and port, that the peer is running, and firewalls in between."
    report.add(Level.error, "connection", f"No TCP connection: {why}.", remedy)


def _failure(report: Report) -> None:
    if report.failure is None:
        return
    record = report.failure
    area = {"certificate": "certificate", "association": "dicom", "dimse": "dicom"}.get(
        record["stage"], "connection"
    )
    who = "we" if record["side"] == "local" else "the peer"
    subject = record["certificate_subject"]
    about = f" (certificate {subject})" if subject else ""
    text = f"{record['message'].rstrip('.')}{about}; {who} ended it."
    here = OPTIONS.get(DicomExceptionCode[record["code"]])
    remedy = record["remedy"] if here is None else f"{record['remedy']} Here: {here}."
    report.add(Level.error, area, text, remedy)


def _versions(report: Report) -> None:
    versions = report.tls.versions
    if not versions:
        return
    old = [name for name in _OLD if name in versions and versions[name].accepted]
    if old:
        text = f"The peer still talks {', '.join(old)}, which RFC 8996 has withdrawn."
        report.add(Level.warning, "versions", text, "Switch all but TLS 1.2 and 1.3 off there.")
    new = versions.get("TLSv1.3")
    middle = versions.get("TLSv1.2")
    if new is not None and new.accepted is False:
        text = "The peer does not talk TLS 1.3."
        report.add(Level.note, "versions", text, "Update the peer's TLS library when you can.")
    if middle is not None and middle.accepted is False:
        text = f"The peer does not talk TLS 1.2, which {_PROFILE} demands."
        report.add(Level.warning, "versions", text, "Allow TLS 1.2 there beside TLS 1.3.")


def _suites(report: Report) -> None:
    every = {suite for offer in report.tls.versions.values() for suite in offer.suites}
    broken = sorted(suite for suite in every if any(word in suite for word in _BROKEN))
    if broken:
        text = f"The peer takes suites that do not protect: {', '.join(broken)}."
        report.add(Level.error, "suites", text, "Take them out of the peer's cipher list.")
    triple = sorted(suite for suite in every if "_3DES_" in suite)
    if triple:
        text = f"The peer takes 3DES: {', '.join(triple)}."
        report.add(Level.warning, "suites", text, "Take them out of the peer's cipher list.")
    static = sorted(s for s in every if s.startswith("TLS_RSA_WITH_") and s not in broken + triple)
    if static:
        text = f"The peer takes {_count(static)} without forward secrecy (TLS_RSA_WITH_...)."
        report.add(Level.warning, "suites", text, "Allow only ECDHE and DHE suites there.")
    cbc = [suite for suite in every if "_CBC_" in suite and suite not in broken + triple + static]
    if cbc:
        text = f"The peer takes {_count(cbc)} in CBC mode, which {_PROFILE} advises against."
        report.add(Level.note, "suites", text, "Prefer AES-GCM and ChaCha20-Poly1305.")


def _profiles(report: Report) -> None:
    report.tls.profiles = judge_profiles(report.tls)
    if not report.tls.profiles:
        return
    met = [
        one.name + (" (retired)" if one.retired else "") for one in report.tls.profiles if one.met
    ]
    text = f"Profiles that a link to the peer can meet: {', '.join(met) or 'none'}."
    report.add(Level.note, "profiles", text)
    in_force = [one for one in report.tls.profiles if not one.retired]
    level = Level.note if any(one.met for one in in_force) else Level.warning
    for one in in_force:
        if not one.met:
            text = f"No link to the peer can meet {one.name}: {'; '.join(one.reasons)}."
            report.add(level, "profiles", text, "Allow there what the profile asks for.")


def _count(suites: list[str]) -> str:
    return f"{len(suites)} suite" if len(suites) == 1 else f"{len(suites)} suites"


def _groups(report: Report) -> None:
    bits = report.tls.dh_bits
    if bits is not None and bits < 2048:
        text = f"The peer's Diffie-Hellman prime has only {bits} bits."
        report.add(Level.error, "groups", text, "Use ffdhe2048 (RFC 7919) or larger there.")
    if any("MLKEM" in group for group in report.tls.groups):
        report.add(Level.note, "groups", "The peer has post-quantum groups.")


def _chain(report: Report) -> None:
    tls = report.tls
    if not tls.authorities_given:
        text = "No authorities were given, so whether the peer is genuine is not known."
        report.add(Level.warning, "chain", text, "Give those you trust with --ca FILE.")
    for verdict in tls.verdicts:
        if verdict.code in tls.complaints and verdict.remedy:
            where = "" if verdict.depth is None else f", depth {verdict.depth}"
            text = f"{verdict.code}: {verdict.message} ({verdict.subject}{where})."
            first = report.failure
            told = first is not None and first["certificate_code"] == verdict.code
            if not told:
                report.add(Level.error, "certificate", text, verdict.remedy)
    report.findings += order_findings(tls.chain)
    for depth, one in enumerate(tls.chain):
        whose = "The peer's certificate" if depth == 0 else f"Certificate {depth} of the chain"
        ending = expiry_finding(one, whose)
        expired = any(v.code == "CertHasExpired" and v.depth == depth for v in tls.verdicts)
        if ending is not None and not expired:
            report.findings.append(ending)
        report.findings += strength_findings(one, whose)
        for fault in one.faults:
            report.add(Level.warning, "certificate", f"{whose} has a fault: {fault}.", "")
    if not tls.chain:
        return
    leaf = tls.chain[0]
    if leaf.purposes and "SSL client" not in leaf.purposes:
        text = "The peer's certificate is for servers only."
        remedy = "If this node also sends or calls others, have clientAuth added."
        report.add(Level.note, "certificate", text, remedy)
    if not leaf.names:
        text = "The peer's certificate has no subject alternative names."
        remedy = "Have it issued with its DNS names and addresses: names in CN are not looked at."
        report.add(Level.warning, "names", text, remedy)
    if leaf.must_staple and tls.stapling == "none":
        text = "The certificate says that a revocation status must be stapled, and none is."
        report.add(Level.error, "certificate", text, "Switch OCSP stapling on at the peer.")
    if tls.verified:
        report.add(Level.good, "certificate", "The peer's chain is trusted, and fit for a server.")


def _client(report: Report) -> None:
    tls = report.tls
    if tls.client_certificate == "not requested":
        text = "The peer asks for no client certificate: anybody may connect to it."
        report.add(Level.warning, "client certificate", text, "Have it verify clients, if it can.")
    elif tls.client_certificate == "optional":
        text = "The peer asks for a client certificate, and also takes clients without one."
        report.add(Level.warning, "client certificate", text, "Have it insist on one.")
    elif tls.client_certificate == "required":
        text = "The peer insists on a client certificate."
        report.add(Level.good, "client certificate", text)


def _session(report: Report) -> None:
    tls = report.tls
    if tls.resumption == "ticket not taken":
        text = "The peer hands out session tickets and then does not take them."
        remedy = (
            "Resumption is off there, or several servers behind one address have different ticket "
            "keys: give them the same."
        )
        report.add(Level.note, "session", text, remedy)


def _dicom(report: Report) -> None:
    dicom = report.dicom
    if dicom.echo == "Success":
        report.add(Level.good, "dicom", "The node accepts the association and answers C-ECHO.")
    elif dicom.echo:
        text = f"The node answers C-ECHO with {dicom.echo}."
        report.add(Level.error, "dicom", text, "The peer's log says why.")


def _verdict(report: Report) -> str:
    errors = [one for one in report.findings if one.level is Level.error]
    warnings = sum(one.level is Level.warning for one in report.findings)
    more = f" {warnings} warning{'s' if warnings > 1 else ''}." if warnings else ""
    if errors:
        rest = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        first = errors[0].text.rstrip(".")
        if errors[0].area == "dicom" and report.tls.verified:
            return f"TLS works, the certificate is trusted, but DICOM fails: {first}{rest}.{more}"
        return f"{first}{rest}.{more}"
    if not report.with_tls:
        return f"The plain connection works; nothing is encrypted.{more}"
    if report.dicom.echo == "Success":
        return f"TLS works, the certificate is trusted, the node answers C-ECHO.{more}"
    if not report.tls.authorities_given:
        return f"TLS works; without --ca FILE it is not known whether the peer is genuine.{more}"
    trusted = "the certificate is trusted" if report.tls.verified else "nothing more was tried"
    return f"TLS works, {trusted}.{more}"
