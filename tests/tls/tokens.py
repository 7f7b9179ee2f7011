"""A PKCS #11 token of SoftHSM with an identity in it; the provider is OpenSSL's pkcs11-provider."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from leadtools_compat.testing import Identity
from tests.support import PATIENCE

__all__ = ["PIN", "Token", "make_token"]

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "273941"
PROGRAM = """
    from leadtools_compat.dicom import DicomNet

    def load():
        DicomNet.load_tls_provider("pkcs11", parameters={"pkcs11-module-path": %r})
"""


@dataclass(frozen=True)
class Token:
    """A token: its URIs, and the environment in which SoftHSM finds it."""

    folder: Path
    name: str

    @property
    def key(self) -> str:
        """URI of the private key."""
        return f"pkcs11:token={self.name};object=node;type=private"

    @property
    def certificate(self) -> str:
        """URI of the leaf certificate."""
        return f"pkcs11:token={self.name};object=node;type=cert"

    @property
    def environment(self) -> dict[str, str]:
        """SoftHSM reads its settings from a file that this names."""
        return {**os.environ, "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}


def _run(token: Token, *words: str) -> None:
    done = subprocess.run(
        words, env=token.environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr


def make_token(folder: Path, identity: Identity, name: str = "site") -> Token:
    """Make a token that has key and certificate of `identity` under the label ``node``, id 01."""
    token = Token(folder, name)
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
        "log.level = ERROR\n"
    )
    label = ("--label", name)
    _run(token, "softhsm2-util", "--init-token", "--free", *label, "--pin", PIN, "--so-pin", PIN)
    tool = ("pkcs11-tool", "--module", MODULE, "--token-label", name, "--login", "--pin", PIN)
    node = ("--label", "node", "--id", "01")
    write = (*tool, *node, "--write-object")
    _run(token, *write, identity.key_der_file, "--type", "privkey", "--usage-sign")
    _run(token, *write, identity.der_file, "--type", "cert")
    return token
