"""The members of `DicomNet` about certificate policies (ours)."""

from __future__ import annotations

from collections.abc import Iterable

from leadtools_compat._binding import lib
from leadtools_compat._binding.text import text_to_c
from leadtools_compat.dicom._net_state import call, live

__all__ = ["NetTlsPolicies"]


class NetTlsPolicies:
    """The part of `DicomNet` that says which certificate policies a path must have."""

    def set_tls_policies(
        self,
        policies: str | Iterable[str] | None,
        explicit: bool | None = None,
        inhibit_any: bool = False,
        inhibit_mapping: bool = False,
    ) -> None:
        """Have the certificate policies of the peer's chain looked at (ours).

        Without this call nobody looks at them, as in most programs with OpenSSL; constraints that a
        CA certificate puts on policies are not heeded then.

        Parameters
        ----------
        policies
            Object identifiers in dotted numbers, at most 64, of the policies that will do. None of
            them (an empty tuple): any policy. None: policies are not looked at.
        explicit
            True: at the end of the path one of the policies must be left, else ``NoExplicitPolicy``;
            a server then insists on a certificate. False: only if a certificate of the path
            demands it. None: True if there are `policies`.
        inhibit_any
            True: anyPolicy in a certificate stands for nothing.
        inhibit_mapping
            True: a CA may not map a policy to another one.

        Raises
        ------
        DicomException
            ``Parameter``: a text that is no object identifier, or more than 64. ``InvalidState``:
            connecting, connected or listening. Later, `Connect` and `Accept` raise ``Parameter``
            where a policy is demanded and the verification flags are without ``Peer``.

        Notes
        -----
        Source: RFC 5280, 6.1.1 (c) to (f). What is wrong goes through `OnVerify` after the
        successes: ``NoExplicitPolicy``, ``InvalidPolicyExtension``.
        """
        state = live(self)
        if policies is None:
            wanted, flags = None, 0
        else:
            wanted = (policies,) if isinstance(policies, str) else tuple(policies)
            flags = lib.DICOM_TLS_POLICY_CHECK
            flags |= lib.DICOM_TLS_POLICY_INHIBIT_ANY if inhibit_any else 0
            flags |= lib.DICOM_TLS_POLICY_INHIBIT_MAPPING if inhibit_mapping else 0
            if explicit or (explicit is None and wanted):
                flags |= lib.DICOM_TLS_POLICY_EXPLICIT
        text = text_to_c(" ".join(wanted or ()), "policies")
        call(state, lib.L_DicomSetPoliciesTLS(state.handle, flags, text))
        state.rules.policies = wanted

    @property
    def tls_policies(self) -> tuple[str, ...] | None:
        """The policies that will do, () = any; None: policies are not looked at (ours)."""
        return live(self).rules.policies
