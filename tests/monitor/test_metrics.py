"""Numbers for Prometheus, read as Prometheus reads them."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as parse

from leadtools_compat.monitor import ExpiryWatch
from leadtools_compat.monitor.metrics import Metrics
from leadtools_compat.testing import NodeError, SecureScp, SecureScu, TestPki
from tests.support import PATIENCE


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def test_counts_have_labels_that_say_the_cause(
    pki: TestPki, make_secure_scp: Callable[..., SecureScp], secure_scu: SecureScu
) -> None:
    scp = make_secure_scp(pki.server, ca_file=pki.ca_file)
    try:
        SecureScu(pki.make("expired"), pki.ca_file).echo(scp.port)
    except NodeError:
        pass
    numbers = Metrics()
    numbers.failed(scp.wait_failure())
    numbers.associated()
    numbers.stored(1000)
    numbers.stored(24)
    numbers.refused()
    port, server = numbers.serve(0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
            text = answer.read().decode()
    finally:
        server.close()
    found = samples(text)
    labels = {
        *(("stage", "certificate"), ("side", "local"), ("code", "TlsCertificateRejected")),
        ("finding", "CertHasExpired"),
    }
    assert found["leadtools_compat_failures_total", tuple(sorted(labels))] == 1
    assert found["leadtools_compat_associations_total", ()] == 1
    assert found["leadtools_compat_objects_total", (("result", "stored"),)] == 2
    assert found["leadtools_compat_objects_total", (("result", "refused"),)] == 1
    assert found["leadtools_compat_object_bytes_total", ()] == 1024
    assert found["leadtools_compat_link_failures_total", ()] >= 1
    assert found["leadtools_compat_threads", ()] >= 1


def test_file_has_the_days_that_certificates_have_left(pki: TestPki, tmp_path: Path) -> None:
    watch = ExpiryWatch([pki.server.certificate_file])
    file = tmp_path / "node.prom"
    Metrics(watch).write(file)
    days = {
        dict(labels)["subject"]: value
        for (name, labels), value in samples(file.read_text()).items()
        if name == "leadtools_compat_certificate_days_left"
    }
    assert 300 < days["CN = Test Server, O = Test Server Organization"] < 400
    assert len(days) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["node.prom"]
