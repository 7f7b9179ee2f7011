"""What the programs here have in common: the options for a node and for TLS."""

from __future__ import annotations

import argparse
from typing import TypeVar

from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import *

__all__ = ["add_options", "connection", "node"]

S = TypeVar("S", bound=DicomConnection)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for a node and for TLS."""
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--called", default="ANY-SCP", help="AE title of the node")
    parser.add_argument("--calling", default="OURS", help="own AE title")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for each step")
    parser.add_argument("--ca", help="PEM file of trusted CAs; turns TLS on")
    parser.add_argument("--certificate", help="PEM file of the own certificate, and its chain")
    parser.add_argument("--key", help="PEM file of its key, if that is not in the same file")
    parser.add_argument("--debug-log", help="file that PDUs, messages and TLS are written to")


def node(options: argparse.Namespace) -> DicomScp:
    """Make the node of the options."""
    scp = DicomScp(options.host, options.called, options.port)
    scp.Timeout = options.timeout
    scp.Secure = options.ca is not None
    return scp


def connection(cls: type[S], options: argparse.Namespace) -> S:
    """Make a Scu object as the options say: with TLS, the node has to prove who it is."""
    if options.ca is None:
        scu = cls()
    else:
        settings = DicomOpenSslContextCreationSettings(
            DicomSslMethodType.SslV23,
            options.ca,
            DicomOpenSslVerificationFlags.Peer,
            9,
            DicomOpenSslOptionsFlags.NoSslV2,
        )
        scu = cls(None, DicomNetSecurityMode.Tls, settings)
        if options.certificate is not None:
            scu.SetTlsClientCertificate(
                options.certificate, DicomTlsCertificateType.Pem, options.key
            )
    scu.AETitle = options.calling
    if options.debug_log is not None:
        scu.DebugLogFilename, scu.EnableDebugLog = options.debug_log, True
    return scu
