"""``pki``, ``ciphers`` and ``profiles``."""

from __future__ import annotations

from pathlib import Path

from leadtools_compat.dicom import DicomTlsCipherSuiteType, DicomTlsProfile
from tests.cli.conftest import Run


def test_pki_makes_files_that_a_seed_makes_again(run: Run, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        options = ("--seed", "x", "--key", "ec", "--kind", "expired", "--json")
        told = run("pki", tmp_path / name, *options)
        assert told.code == 0
        made.append(Path(told.document["ca_file"]).read_bytes())
        kinds = {(one["kind"], one["role"]) for one in told.document["identities"]}
        assert ("expired", "server") in kinds
        assert all(Path(one["combined"]).exists() for one in told.document["identities"])
    assert made[0] == made[1]


def test_pki_issues_for_other_hosts(run: Run, tmp_path: Path) -> None:
    hosts = ("--host", "pacs.test", "--host", "10.0.0.7")
    told = run("pki", tmp_path, "--key", "ec", *hosts, "--json")
    file = told.document["identities"][-1]["certificate"]
    checked = run("cert", file, "--json").document["files"][0]["certificates"][0]
    assert checked["names"] == ["pacs.test", "10.0.0.7"]


def test_pki_lists_its_kinds_with_their_verdicts(run: Run) -> None:
    told = run("pki", "--list", "--json")
    kinds = {one["name"]: one for one in told.document["kinds"]}
    assert len(kinds) >= 30
    assert kinds["expired"]["expected"] == [{"code": "CertHasExpired", "depth": 0}]


def test_ciphers_have_all_their_names_and_the_default_list_first(run: Run) -> None:
    shown = run("ciphers", "--all", "--json").document["suites"]
    assert len(shown) == len({int(one) for one in DicomTlsCipherSuiteType if int(one)})
    assert [one["place"] for one in shown[:11]] == list(range(11))
    usable = run("ciphers", "--json").document["suites"]
    assert all(one["available"] for one in usable)
    assert len(usable) < len(shown)


def test_profiles_are_those_of_the_library_with_what_they_set(run: Run) -> None:
    shown = {one["name"]: one for one in run("profiles", "--json").document["profiles"]}
    assert list(shown) == [one.name for one in DicomTlsProfile.all()]
    assert shown["B.12"]["versions"] == ["TLSv1.2", "TLSv1.3"]
    assert shown["B.12"]["suites"][0] == "TLS_AES_256_GCM_SHA384"
    assert shown["B.12"]["usable"]
    assert not shown["B.12"]["missing"]
    assert shown["bcp195_extended"]["retired"]
    for one in DicomTlsProfile.all():
        assert shown[one.name]["usable"] == one.is_possible
        assert shown[one.name]["missing"] == one.missing


def test_profiles_are_a_table_for_people(run: Run) -> None:
    told = run("profiles", "--suites")
    assert told.code == 0
    for word in ("B.13", "ihe_stx12", "retired", "TLS_AES_128_GCM_SHA256", "RSA 2048"):
        assert word in told.out
