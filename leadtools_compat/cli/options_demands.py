"""Options of the TLS verbs about names, pins, more trust, and how strict to be.

The one rule: what contradicts itself on the command line is refused there, with the option's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from leadtools_compat._nodes.tls_demands import TlsDemands
from leadtools_compat.dicom._tls_rules import ALPN_MODES, PURPOSE_CHECKS

__all__ = ["collect_demands", "demand_options"]

F = TypeVar("F", bound=Callable[..., Any])

_file = click.Path(exists=True, dir_okay=False, readable=True)
_folder = click.Path(exists=True, file_okay=False)

_BOTH: tuple[Callable[[F], F], ...] = (
    click.option(
        "--ca-dir",
        "ca_folders",
        type=_folder,
        multiple=True,
        metavar="FOLDER",
        help="All authorities in a folder, PEM or DER; may be repeated.",
    ),
    click.option(
        "--system-trust", is_flag=True, help="Trust the authorities that this computer trusts, too."
    ),
    click.option(
        "--pin",
        "pins",
        multiple=True,
        metavar="PIN",
        help="The peer's certificate (cert:...) or key (key:...), as 'leadtools-compat cert' "
        "shows them; one of those given must fit.",
    ),
    click.option(
        "--pin-only", "pins_only", is_flag=True, help="The pins are the only trust, without --ca."
    ),
    click.option(
        "--expect-email", "email", metavar="ADDRESS", help="E-mail address in the certificate."
    ),
    click.option("--expect-uri", "uri", metavar="URI", help="URI in the certificate."),
    click.option(
        "--purpose",
        "purpose_check",
        type=click.Choice(PURPOSE_CHECKS),
        default="default",
        show_default=True,
        help="Extended key usage: wanted where it is there; must be there; no matter.",
    ),
    click.option(
        "--least-rsa", type=click.IntRange(0, 16384), default=0, help="Smallest RSA key, in bits."
    ),
    click.option(
        "--least-ec", type=click.IntRange(0, 521), default=0, help="Smallest EC key, in bits."
    ),
    click.option(
        "--least-hash",
        type=click.IntRange(0, 512),
        default=0,
        help="Smallest hash in signatures of certificates, in bits.",
    ),
    click.option(
        "--full-chain",
        is_flag=True,
        help="A chain must end at a self-signed root: no other certificate of --ca ends one.",
    ),
    click.option(
        "--policy",
        "policies",
        multiple=True,
        metavar="OID",
        help="Certificate policy that the peer's chain must have; of several, one of them.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Take sessions of earlier links up again, while their verdict holds. A client whose "
        "server has no OCSP staple needs --ocsp off, too.",
    ),
    click.option(
        "--alpn",
        type=click.Choice(ALPN_MODES),
        default="off",
        show_default=True,
        help="Application protocol 'dicom': never; if both have it; refuse others; insist.",
    ),
)
_CLIENT: tuple[Callable[[F], F], ...] = (
    click.option(
        "--server-name",
        metavar="NAME",
        help="Name to send (SNI), in place of HOST or --host-name; '': none.",
    ),
)
_SERVER: tuple[Callable[[F], F], ...] = (
    click.option(
        "--also-cert",
        "certificates",
        type=_file,
        multiple=True,
        metavar="FILE",
        help="Certificate, chain and key, PEM or PKCS #12, for clients that ask for one of its names "
        "(SNI); may be repeated.",
    ),
    click.option(
        "--also-staple",
        "staples",
        type=_file,
        multiple=True,
        metavar="FILE",
        help="OCSP response for an --also-cert, DER: the first for the first, and so on.",
    ),
    click.option(
        "--cert-optional",
        is_flag=True,
        help="A client may come without a certificate; one that it has must be good.",
    ),
    click.option(
        "--no-ca-names",
        is_flag=True,
        help="Do not tell clients the names of the trusted authorities.",
    ),
    click.option(
        "--refuse-unknown-names",
        is_flag=True,
        help="Refuse clients that ask for a name that is in none of the certificates.",
    ),
)


def demand_options(server: bool) -> Callable[[F], F]:
    """Add the options; `collect_demands` takes them out again."""

    def decorate(function: F) -> F:
        for option in reversed(_BOTH + (_SERVER if server else _CLIENT)):
            function = option(function)
        return function

    return decorate


def collect_demands(named: dict[str, Any], server: bool) -> TlsDemands:
    """Take the options out of the arguments of a verb; of several ``--ca`` the first is left there.

    Raises
    ------
    click.UsageError
        For contradictions.
    """
    files: tuple[str, ...] = named["ca"]
    named["ca"] = files[0] if files else None
    pins: tuple[str, ...] = named.pop("pins")
    pins_only: bool = named.pop("pins_only")
    optional: bool = named.pop("cert_optional", False)
    demands = TlsDemands(
        ca_files=files[1:],
        ca_folders=named.pop("ca_folders"),
        system_trust=named.pop("system_trust"),
        pins=pins,
        pins_only=pins_only,
        email=named.pop("email"),
        uri=named.pop("uri"),
        purpose_check=named.pop("purpose_check"),
        least_rsa=named.pop("least_rsa"),
        least_ec=named.pop("least_ec"),
        least_hash=named.pop("least_hash"),
        alpn=named.pop("alpn"),
        server_name=named.pop("server_name", None),
        whole_chain=named.pop("full_chain"),
        policies=named.pop("policies"),
        resume=named.pop("resume"),
        certificates=named.pop("certificates", ()),
        staples=named.pop("staples", ()),
        certificate_optional=optional,
        send_ca_names=not named.pop("no_ca_names", False),
        refuse_unknown_names=named.pop("refuse_unknown_names", False),
    )
    if pins_only and not pins:
        raise click.UsageError("--pin-only needs --pin: without one nobody is trusted")
    if pins_only and (files or demands.ca_folders or demands.system_trust):
        raise click.UsageError("--pin-only contradicts --ca, --ca-dir and --system-trust")
    if named["no_verify"] and demands.demands:
        raise click.UsageError(
            "--no-verify contradicts --pin, --expect-email, --expect-uri and --policy: nobody would "
            "be refused"
        )
    if optional and (named["no_verify"] or demands.demands):
        raise click.UsageError(
            "--cert-optional contradicts --no-verify, which asks for no certificate, and --pin, "
            "--expect-email, --expect-uri and --policy, which need one"
        )
    if len(demands.staples) > len(demands.certificates):
        raise click.UsageError("each --also-staple needs its --also-cert")
    return demands
