"""The page: whole in itself, hostile names harmless, and laid out well in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.diagnose import Level, Report
from leadtools_compat.diagnose.html import page
from leadtools_compat.diagnose.judgement import judge
from leadtools_compat.diagnose.model import Certificate, Event, Offer, Profile, Verdict
from tests.support import PATIENCE

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e" + "long" * 60
VOID = {"meta", "br", "hr", "img", "link", "input"}
MEASURE = """
const wide = [...document.querySelectorAll('body *')].filter(e =>
  !e.closest('.wide') && !e.closest('pre') && !e.closest('.sr') &&
  e.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
const style = e => getComputedStyle(document.querySelector(e));
const result = {
  width: document.documentElement.clientWidth, scroll: document.documentElement.scrollWidth,
  wide: wide.map(e => e.tagName + '.' + e.className), ground: style('body').backgroundColor,
  ink: style('body').color, findings: document.querySelectorAll('.findings li').length,
  arrow: document.querySelector('.arrow').getBoundingClientRect().width,
  heading: document.querySelector('h1').getBoundingClientRect().top};
const out = document.createElement('pre'); out.id = 'measured';
out.textContent = JSON.stringify(result); document.body.append(out);
"""


def certificate(subject: str, days: int) -> Certificate:
    now = datetime.now(timezone.utc)
    return Certificate(
        subject=subject,
        issuer="CN = Root",
        serial="01:02",
        not_before=now - timedelta(days=1),
        not_after=now + timedelta(days=days),
        days_left=days,
        key="RSA 2048",
        key_bits=2048,
        signature="sha256WithRSAEncryption (SHA256)",
        names=["localhost", HOSTILE],
        purposes=["SSL client", "SSL server"],
        sha256=":".join(["ab"] * 32),
        text=f"Subject Name: {subject}\nIssuer Name: CN = Root",
    )


@pytest.fixture
def report() -> Report:
    """One with everything in it, and hostile words wherever a peer can put them."""
    made = Report("pacs.example.org", 2762, "PACS", "ME", library="leadtools_compat")
    made.connection.connected, made.connection.seconds = "192.0.2.1", 0.01
    tls = made.tls
    tls.versions = {
        "TLSv1": Offer(False, "alert protocol_version"),
        "TLSv1.2": Offer(
            True, "", ["TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_NULL_SHA"], True
        ),
        "TLSv1.3": Offer(True, "", ["TLS_AES_256_GCM_SHA384"], False),
    }
    tls.groups = ["x25519", "secp256r1"]
    tls.profiles = [Profile("B.12", "PS3.15 B.12", False, [HOSTILE]), Profile("aes", "", True)]
    tls.version, tls.suite, tls.group = "TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519"
    tls.chain = [certificate(f"CN = {HOSTILE}", 3), certificate("CN = Intermediate", 300)]
    tls.verdicts = [
        Verdict(None, "CN = Root", "Success", "ok"),
        Verdict(1, "CN = Intermediate", "Success", "ok"),
        Verdict(0, f"CN = {HOSTILE}", "CertHasExpired", "certificate has expired", "Renew it."),
    ]
    tls.ca_names = [HOSTILE]
    made.dicom.tried, made.dicom.associated, made.dicom.echo = True, True, "Success"
    made.dicom.implementation = HOSTILE
    steps = (("us", "TCP connect"), ("peer", HOSTILE), ("self", HOSTILE), ("both", "closed"))
    made.events = [Event(n / 100, who, text, n != 2) for n, (who, text) in enumerate(steps)]
    made.untested = [f"ALPN: {HOSTILE}"]
    judge(made)
    return made


class Balance(HTMLParser):
    """Finds tags that are not closed, what is loaded from elsewhere, and scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.outside: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID and (self.get_starttag_text() or "")[-2:] != "/>":
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in ("src", "href", "data", "action"):
                self.outside.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag


def test_text_of_a_certificate_keeps_its_tabs(report: Report) -> None:
    report.tls.chain[0].text = "Basic Constraints:\n\tNot a CA"
    assert "Basic Constraints:\n\tNot a CA" in page(report)


def test_certificate_with_a_fault_that_was_overruled_is_not_called_a_success(
    report: Report,
) -> None:
    def successes() -> int:
        return page(report).count("✓ Success")

    before = successes()
    report.tls.verdicts.append(Verdict(0, f"CN = {HOSTILE}", "Success", "ok"))
    assert successes() == before == 2


def test_head_says_whom_and_when(report: Report) -> None:
    head = page(report).partition("</header>")[0]
    assert f"pacs.example.org:2762, {report.made:%Y-%m-%d %H:%M} UTC" in head


def test_verdict_is_good_when_there_are_only_notes(report: Report) -> None:
    report.level = Level.note
    assert '<header class="good">' in page(report)


def test_page_is_whole_in_itself_and_has_no_script(report: Report) -> None:
    made = page(report)
    read = Balance()
    read.feed(made)
    assert read.open == []
    assert read.outside == []
    assert "script" not in read.tags
    assert not re.search(r"url\(|@import", made)
    assert "default-src 'none'" in made
    assert "\x1b" not in made
    assert "\u202e" not in made


def test_verdict_stands_before_all_else_and_each_finding_has_its_remedy(report: Report) -> None:
    made = page(report)
    assert made.index("<h1>") < made.index("Findings") < made.index("Conversation")
    remedies = [one.remedy for one in report.findings if one.remedy]
    assert remedies
    from leadtools_compat.diagnose.html import text

    assert all(text(one) in made for one in remedies)
    assert report.level is Level.error


@pytest.mark.parametrize("empty", [True, False])
def test_page_of_a_peer_that_is_not_there_is_still_a_page(empty: bool) -> None:
    made = Report("nowhere", 104, with_tls=not empty)
    judge(made)
    read = Balance()
    read.feed(page(made))
    assert read.open == []


# ---- in a browser


def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.fail("chromium is missing: tools/deps.sh test installs it")


def chromium(folder: Path, *options: str) -> str:
    """Run the browser without a window, in a profile of its own; give what it prints."""
    profile = folder / f"profile{len(list(folder.iterdir()))}"
    fixed = [
        "--headless",
        "--hide-scrollbars",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-extensions",
    ]
    fixed += [
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
    ]
    done = subprocess.run(
        [browser(), *fixed, *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 4,
        check=False,
        env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": "/dev/null"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def measured(report: Report, folder: Path, width: int, *options: str) -> dict[str, Any]:
    """Let a copy of the page measure itself: that one alone may run a script."""
    made = page(report)
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    made = policy.sub("", made).replace("</body>", f"<script>{MEASURE}</script></body>")
    frame = (
        f'<iframe id="f" src="page.html" width="{width}" height="3000" frameborder="0"></iframe>'
    )
    (folder / "page.html").write_text(made, "utf-8")
    # A window has a least width; a frame has none.
    (folder / "frame.html").write_text(
        f"<!DOCTYPE html><body style='margin:0'>{frame}<script>onload=()=>{{document.body.append("
        "document.getElementById('f').contentDocument.getElementById('measured'))}</script>",
        "utf-8",
    )
    url = (folder / "frame.html").as_uri()
    printed = chromium(
        folder,
        "--window-size=1400,900",
        "--allow-file-access-from-files",
        "--dump-dom",
        *options,
        url,
    )
    found = re.search(r'<pre id="measured">(.*?)</pre>', printed, re.DOTALL)
    assert found, printed[-2000:]
    from html import unescape

    result: dict[str, Any] = json.loads(unescape(found[1]))
    return result


@pytest.mark.parametrize("width", [320, 1200])
def test_page_fits_small_and_large_screens(report: Report, tmp_path: Path, width: int) -> None:
    found = measured(report, tmp_path, width)
    assert found["width"] == width
    assert found["scroll"] <= width
    assert found["wide"] == []
    assert found["findings"] == len(report.findings)
    assert found["arrow"] > 100
    assert 0 <= found["heading"] < 200


def test_page_is_dark_in_the_dark_and_light_else(report: Report, tmp_path: Path) -> None:
    def brightness(colour: str) -> float:
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    light = measured(report, tmp_path, 800, "--blink-settings=preferredColorScheme=1")
    dark = measured(report, tmp_path, 800, "--blink-settings=preferredColorScheme=0")
    assert brightness(light["ground"]) > 200 > 100 > brightness(light["ink"])
    assert brightness(dark["ground"]) < 60 < 180 < brightness(dark["ink"])


def test_page_prints_and_is_drawn(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(report), "utf-8")
    pdf, png = tmp_path / "page.pdf", tmp_path / "page.png"
    chromium(tmp_path, f"--print-to-pdf={pdf}", "--no-pdf-header-footer", file.as_uri())
    assert pdf.read_bytes()[:5] == b"%PDF-"
    pages = len(re.findall(rb"/Type\s*/Page[^s]", pdf.read_bytes()))
    assert 1 <= pages <= 6
    chromium(tmp_path, f"--screenshot={png}", "--window-size=1000,2000", file.as_uri())
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert png.stat().st_size > 50_000  # an empty one has 10 000
