"""Options that several verbs share: the node, TLS, output; and what they become.

The one rule: an option means the same wherever it is.
"""

from __future__ import annotations

import difflib
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from leadtools_compat._nodes.client import Node
from leadtools_compat._nodes.tls import TlsOptions, TlsVersion, is_uri
from leadtools_compat._nodes.tls_demands import TlsDemands
from leadtools_compat.cli import log
from leadtools_compat.cli.options_demands import collect_demands, demand_options
from leadtools_compat.cli.output import Output
from leadtools_compat.dicom import DicomTlsCipherSuiteType, DicomTlsProfile

__all__ = [
    "existing",
    "json_option",
    "node_options",
    "password_of",
    "profile_of",
    "suite_of",
    "tls_options",
]

F = TypeVar("F", bound=Callable[..., Any])
PASSWORD = "LEADTOOLS_COMPAT_KEY_PASSWORD"

existing = click.Path(exists=True, dir_okay=False, readable=True)


class FileOrUri(click.Path):
    """A file that is there, or a URI of a token."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, readable=True)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Leave a URI as it is."""
        if isinstance(value, str) and is_uri(value):
            return value
        return super().convert(value, param, ctx)


def json_option(function: F) -> F:
    """Add ``--json``, ``--verbose`` and ``--log``; the verb gets an `Output`."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document in place of texts.")
    @click.option("-v", "--verbose", is_flag=True, help="All messages of the library, too.")
    @click.option(
        "--log",
        "log_file",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Append the library's messages, failures with their remedy, to a file.",
    )
    @functools.wraps(function)
    def wrapped(
        *arguments: Any, as_json: bool, verbose: bool, log_file: str | None, **named: Any
    ) -> Any:
        log.set_up(verbose, log_file)
        return function(*arguments, out=Output(as_json), **named)

    return wrapped  # type: ignore[return-value]


def node_options(function: F) -> F:
    """Add HOST, PORT, the AE titles and the timeout; the verb gets a `Node` and `timeout`."""

    @click.argument("host")
    @click.argument("port", type=click.IntRange(1, 65535))
    @click.option(
        *("--called", "-C"),
        *("called",),
        default="ANY-SCP",
        show_default=True,
        help="AE title of the peer.",
    )
    @click.option(
        *("--calling", "-c"),
        *("calling",),
        default="LT-COMPAT",
        show_default=True,
        help="Own AE title.",
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(0.1, 86400),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="For TCP, for TLS, and for each answer.",
    )
    @functools.wraps(function)
    def wrapped(
        *arguments: Any, host: str, port: int, called: str, calling: str, **named: Any
    ) -> Any:
        return function(*arguments, node=Node(host, port, called, calling), **named)

    return wrapped  # type: ignore[return-value]


_TLS: tuple[Callable[[F], F], ...] = (
    click.option("--tls", "use_tls", is_flag=True, help="Use TLS; any option below does so too."),
    click.option(
        "--ca",
        type=existing,
        multiple=True,
        metavar="FILE",
        help="Trusted authorities, PEM; may be repeated.",
    ),
    click.option(
        *("--cert", "--p12", "cert"),
        type=FileOrUri(),
        metavar="FILE",
        help="Own certificate and its chain, PEM or DER, or PKCS #12 with the key; or a pkcs11: URI.",
    ),
    click.option(
        "--key",
        type=FileOrUri(),
        metavar="FILE",
        help="Its key, if that is in another file, or a pkcs11: URI.",
    ),
    click.option(
        "--p12-legacy",
        is_flag=True,
        help="Take PKCS #12 that is encrypted with RC2, as old ones are.",
    ),
    click.option(
        "--pkcs11-module",
        type=existing,
        metavar="FILE",
        help="Library of the token that pkcs11: URIs are about.",
    ),
    click.option(
        "--password-file",
        type=existing,
        metavar="FILE",
        help=f"Password of the key: the first line. Else ${PASSWORD}, else you are asked.",
    ),
    click.option(
        "--crl",
        "crls",
        type=existing,
        multiple=True,
        metavar="FILE",
        help="Revocation lists, PEM or DER; each certificate needs one. May be repeated.",
    ),
    click.option(
        "--crl-dir",
        "crl_dirs",
        type=click.Path(exists=True, file_okay=False),
        multiple=True,
        metavar="FOLDER",
        help="All revocation lists of a folder; may be repeated.",
    ),
    click.option("--crl-leaf", is_flag=True, help="Only the peer's own certificate needs a list."),
    click.option("--crl-soft", is_flag=True, help="A list that is missing or out of date will do."),
    click.option(
        "--tls-version", type=click.Choice(["1.2", "1.3"]), help="This version of TLS only."
    ),
    click.option(
        "--profile",
        metavar="NAME",
        help="A named TLS profile, as B.12 or ihe_stx12 ('leadtools-compat profiles' lists them).",
    ),
    click.option(
        "--suite",
        "suites",
        multiple=True,
        metavar="NAME",
        help="A cipher suite in place of the default list; may be repeated.",
    ),
    click.option("--no-verify", is_flag=True, help="Take any certificate of the peer. Not safe."),
    click.option(
        "--keylog",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Append the secrets of the links, for tshark. Who reads them can decrypt the links.",
    ),
    click.option(
        "--audit",
        metavar="URL",
        help="Report TLS failures to an audit repository: udp://HOST, tcp://HOST or tls://HOST.",
    ),
)
_TLS_SERVER: tuple[Callable[[F], F], ...] = (
    click.option(
        "--staple",
        type=existing,
        metavar="FILE",
        help="OCSP response for the own certificate, DER; a new file is taken when it comes.",
    ),
)
_TLS_CLIENT: tuple[Callable[[F], F], ...] = (
    click.option(
        "--ocsp",
        type=click.Choice(["off", "check", "require"]),
        default="check",
        show_default=True,
        help="OCSP staples of the server: not asked for; judged if they come; demanded.",
    ),
    click.option(
        "--host-name", metavar="NAME", help="Name in the peer's certificate, if it is not HOST."
    ),
    click.option(
        "--no-host-check", is_flag=True, help="Any name in the peer's certificate will do."
    ),
)


def tls_options(server: bool = False, always: bool = False) -> Callable[[F], F]:
    """Add the TLS options; the verb gets ``tls``: `TlsOptions`, or None for a plain connection.

    Parameters
    ----------
    server
        The verb listens: a certificate is needed, no name is checked.
    always
        The verb makes no sense without TLS; ``--ca`` may be missing.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            audit: str | None = named.pop("audit")
            demands = collect_demands(named, server)
            tls = _collect(named, server, always, demands)
            if audit is not None:
                _open_audit(audit, tls)
            return function(*arguments, tls=tls, **named)

        for option in reversed(_TLS + (_TLS_SERVER if server else _TLS_CLIENT)):
            wrapped = option(wrapped)
        return demand_options(server)(wrapped)  # type: ignore[return-value]

    return decorate


def _open_audit(target: str, tls: TlsOptions | None) -> None:
    """Report every failure for the time of the verb."""
    from leadtools_compat.monitor.audit import AuditTrail

    own = TlsOptions() if tls is None else tls
    ca = own.ca if isinstance(own.ca, str) else None
    try:
        certificate, key = (own.certificate, own.key) if own.pem_files else (None, None)
        trail = AuditTrail(target, ca_file=ca, certificate=certificate, key=key)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--audit") from error
    click.get_current_context().call_on_close(trail.watch().close)


def _collect(
    named: dict[str, Any], server: bool, always: bool, demands: TlsDemands
) -> TlsOptions | None:
    wanted = named.pop("use_tls") or demands.given
    ca: str | None = named.pop("ca")
    certificate: str | None = named.pop("cert")
    key: str | None = named.pop("key")
    password_file: str | None = named.pop("password_file")
    crls = (*named.pop("crls"), *named.pop("crl_dirs"))
    crl_leaf: bool = named.pop("crl_leaf")
    crl_soft: bool = named.pop("crl_soft")
    ocsp = named.pop("ocsp", "off")
    staple: str | None = named.pop("staple", None)
    version: TlsVersion | None = named.pop("tls_version")
    given: str | None = named.pop("profile")
    profile = None if given is None else profile_of(given)
    suites = tuple(suite_of(name) for name in named.pop("suites"))
    no_verify: bool = named.pop("no_verify")
    p12_legacy: bool = named.pop("p12_legacy")
    module: str | None = named.pop("pkcs11_module")
    keylog: str | None = named.pop("keylog")
    host_name: str | None = named.pop("host_name", None)
    no_host_check: bool = named.pop("no_host_check", False)
    asked = (ca, certificate, key, crls, version, profile, suites, no_verify)
    others = (*asked, p12_legacy, module, keylog, staple, ocsp == "require")
    if not (wanted or always or any(others) or host_name or no_host_check):
        return None
    if key is not None and certificate is None:
        raise click.UsageError("--key needs --cert FILE: the certificate of that key")
    if module is None and any(is_uri(name or "") for name in (certificate, key)):
        raise click.UsageError(
            "a pkcs11: URI needs --pkcs11-module FILE: the library of the token, "
            "for example /usr/lib/softhsm/libsofthsm2.so"
        )
    if server and certificate is None:
        raise click.UsageError("with TLS a server needs --cert FILE: its own certificate")
    if ca is None and not (no_verify or always or demands.trusts):
        who = "clients" if server else "the peer"
        raise click.UsageError(
            f"with TLS, --ca FILE is needed: the authorities that {who} must come from "
            "(or --ca-dir, --system-trust, --pin-only; --no-verify takes anybody)"
        )
    if (crl_leaf or crl_soft) and not crls:
        raise click.UsageError("--crl-leaf and --crl-soft need --crl FILE or --crl-dir FOLDER")
    if no_verify and ocsp == "require":
        raise click.UsageError("--ocsp require contradicts --no-verify")
    if host_name is not None and (no_host_check or no_verify):
        raise click.UsageError("--host-name contradicts --no-host-check and --no-verify")
    return TlsOptions(
        ca=ca,
        certificate=certificate,
        key=key,
        password=functools.partial(password_of, password_file, key or certificate),
        crls=crls,
        crl_leaf_only=crl_leaf,
        soft_fail=crl_soft,
        ocsp="off" if no_verify else ocsp,
        staple=staple,
        verify=not no_verify,
        check_host=not no_host_check,
        host_name=host_name,
        version=version,
        suites=suites,
        profile=profile,
        demands=demands,
        pkcs12_legacy=p12_legacy,
        pkcs11_module=module,
        keylog=keylog,
    )


def password_of(file: str | None, key: str | None) -> str | None:
    """Find the password of a key: in a file, the environment, or by asking; None: not to be had."""
    if file is not None:
        return Path(file).read_text("utf-8").partition("\n")[0].rstrip("\r")
    if PASSWORD in os.environ:
        return os.environ[PASSWORD]
    if sys.stdin.isatty():
        answer: str = click.prompt(f"password of {key}", hide_input=True, err=True)
        return answer
    return None


def suite_of(name: str) -> int:
    """Find a suite by any of its names, or its number.

    Raises
    ------
    click.BadParameter
        For an unknown one, with the nearest name.
    """
    names: dict[str, int] = {}
    for suite in DicomTlsCipherSuiteType:
        for known in (suite.name, suite.iana_name, suite.openssl_name):
            if known and int(suite):
                names[known.lower()] = int(suite)
    if name.lower() in names:
        return names[name.lower()]
    if name.lower().startswith("0x"):
        try:
            return int(name, 16)
        except ValueError:
            pass
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    hint = ""
    if near:
        hint = f"; did you mean {DicomTlsCipherSuiteType(names[near[0]]).iana_name}?"
    raise click.BadParameter(
        f"there is no cipher suite {name!r}{hint} ('leadtools-compat ciphers' lists them)",
        param_hint="--suite",
    )


def profile_of(name: str) -> str:
    """Find a TLS profile by any of its names; neither case nor punctuation count.

    Raises
    ------
    click.BadParameter
        For an unknown one, with the nearest name.
    """
    names = {
        _letters(known): one.name
        for one in DicomTlsProfile.all()
        for known in (one.name, *one.aliases)
    }
    if _letters(name) in names:
        return names[_letters(name)]
    near = difflib.get_close_matches(_letters(name), names, n=1, cutoff=0.5)
    every = ", ".join(dict.fromkeys(names.values()))
    hint = f"; did you mean {names[near[0]]}?" if near else f"; there are {every}"
    raise click.BadParameter(
        f"there is no TLS profile {name!r}{hint} ('leadtools-compat profiles' lists them)",
        param_hint="--profile",
    )


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
