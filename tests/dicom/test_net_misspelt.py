"""Settings with a misspelt name are refused with the right one; a program's own attributes are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leadtools_compat.dicom import DicomNet, DicomNetSecurityMode


class Node(DicomNet):
    """A program's class, with attributes of its own."""

    expected_hosts: list[str]
    crl_fil = ""

    def __init__(self) -> None:
        self.title = "ARCHIVE"  # before the net is there
        super().__init__(None, DicomNetSecurityMode.Tls)
        self.received = 0
        self.host = "pacs"


@pytest.fixture
def net() -> Iterator[Node]:
    with Node() as made:
        yield made


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("expected_hst", "expected_host"),
        ("expectedHost", "expected_host"),
        ("ExpectedHost", "expected_host"),
        ("crlFile", "crl_file"),
        ("crl_pathes", "crl_paths"),
        ("send_timout", "send_timeout"),
        ("tls_keylogfile", "tls_keylog_file"),
    ],
)
def test_misspelt_setting_is_refused_with_the_nearest_right_name(
    net: Node, wrong: str, right: str
) -> None:
    with pytest.raises(AttributeError, match=f"no setting '{wrong}'; did you mean {right}"):
        setattr(net, wrong, "x")
    assert wrong not in net.__dict__


def test_attributes_of_a_program_are_its_own(net: Node) -> None:
    net.received += 1
    net.expected_hosts = ["declared"]
    net.crl_fil = "declared too"
    for name in (
        "log",
        "counts",
        "tls",
        "timeout",
        "hosts",
        "ca",
        "port",
        "parent",
        "_expected_hst",
        "serverName",
        "SendTimeout",
        "connectTimeout",
        "servername",
    ):
        setattr(net, name, 1)
    net.__dict__["crl_pathes"] = 1
    setattr(net, "crl_pathes", 2)  # noqa: B010 - mypy knows better
    assert net.crl_fil == "declared too"


def test_settings_are_set_as_before(net: Node) -> None:
    net.expected_host = "pacs.example.org"
    assert net.expected_host == "pacs.example.org"
