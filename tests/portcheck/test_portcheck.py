"""portcheck: what it finds in C# and Visual Basic, and what it says of it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from leadtools_compat.portcheck import Report, Status, check, main
from leadtools_compat.portcheck.notes import ABSENT, CONSTRUCTS, DIFFERS
from leadtools_compat.portcheck.report import as_text

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "porting.md"

# A program of ours with every member that the sample of the OnVerify help page uses.
SECURE_ECHO = """
using System;
using System.Threading;
using Leadtools;
using Leadtools.Dicom;

static class Tls
{
   public static void Secure(DicomNet net, string file)
   {
      DicomOpenSslContextCreationSettings settings = new DicomOpenSslContextCreationSettings(
         DicomSslMethodType.SslV23, "ca.pem",
         DicomOpenSslVerificationFlags.Peer | DicomOpenSslVerificationFlags.FailIfNoPeerCertificate,
         3, DicomOpenSslOptionsFlags.NoSslV2 | DicomOpenSslOptionsFlags.AllBugWorkarounds);
      net.Initialize(null, DicomNetSecurityMode.Tls, settings);
      net.SetTlsClientCertificate(file, DicomTlsCertificateType.Pem, null);
   }
}

class Caller : DicomNet
{
   readonly AutoResetEvent done = new AutoResetEvent(false);
   public Caller() : base(null, DicomNetSecurityMode.Tls)
   {
      SetTlsCipherSuiteByIndex(0, DicomTlsCipherSuiteType.DheRsaWithDesCbcSha);
      Tls.Secure(this, "mine.pem");
   }
   public bool Wait() { return done.WaitOne(5000); }
   protected override void OnConnect(DicomExceptionCode error) { done.Set(); }
   protected override void OnSecureLinkReady(DicomExceptionCode error) { done.Set(); }
   protected override string OnPrivateKeyPassword(bool encryption) { return "secret"; }
}

class Callee : DicomNet
{
   public Callee() : base(null, DicomNetSecurityMode.Tls)
   {
      SetTlsCipherSuiteByIndex(0, DicomTlsCipherSuiteType.DheRsaWith3DesEdeCbcSha);
   }
   protected override int OnVerify(int ok, string certificate, DicomSecurityCertificateException why)
   {
      if (why.Code != DicomSecurityCertificateExceptionCode.Success)
         Console.WriteLine(why.Message);
      return ok;
   }
}

class Listener : DicomNet
{
   Callee child;
   public Listener() : base(null, DicomNetSecurityMode.Tls) { }
   protected override void OnAccept(DicomExceptionCode error)
   {
      child = new Callee();
      Accept(child);
   }
   protected override void Dispose(bool all) { child.Dispose(); base.Dispose(all); }
}

static class Program
{
   static void Main()
   {
      DicomEngine.Startup();
      DicomNet.Startup();
      using (Listener listener = new Listener())
      using (Caller caller = new Caller())
      {
         listener.Listen("127.0.0.1", 104, 1);
         caller.Connect(null, 1000, "127.0.0.1", 104);
         if (caller.Wait() && caller.IsConnected())
         {
            DicomTlsCipherSuiteType suite = caller.GetTlsCipherSuite();
            Console.WriteLine(caller.GetTlsCipherSuiteByIndex(0));
            Console.WriteLine(caller.GetTlsEncryptionAlgorithm(suite));
            Console.WriteLine(caller.GetTlsAuthenticationAlgorithm(suite));
            Console.WriteLine(caller.GetTlsIntegrityAlgorithm(suite));
            Console.WriteLine(caller.GetTlsKeyExchangeAlgorithm(suite));
            Console.WriteLine(caller.GetTlsEncryptionKeyLength(suite));
            Console.WriteLine(caller.GetTlsMutualAuthenticationKeyLength(suite));
            caller.CloseForced(true);
         }
         listener.CloseForced(true);
      }
      DicomEngine.Shutdown();
      DicomNet.Shutdown();
   }
}
"""

CLIENT = """
using Leadtools;
using Leadtools.Dicom;
using Leadtools.Dicom.Scu;

class Client : QueryRetrieveScu
{
   DicomDataSet kept;
   List<DicomScp> nodes = new List<DicomScp>();
   public string Own { get; set; }
   void Go(object sender)
   {
      Own = "x"; Helper(); this.Helper();
      foreach (var node in nodes) { node.Port = 104; node.Nothing = 1; }
      var tag = kept.FindFirstElement(null, DicomTag.PatientID, true).Tag;
      kept.InsertImage(null);
      kept?.Reset();
      string name = kept.GetValue<string>(DicomTag.PatientName, "");
      DicomNet net = (DicomNet)sender;
      net.SendCEchoRequest(1, 1, DicomUidType.VerificationClass);
      unknown.SetTlsClientCertificate("a", DicomTlsCertificateType.Pem, null);
      other.Count.ToString();
      MatchStudy += new MatchDelegate<Study>(OnMatch);
      RasterImage image = null;
      Console.WriteLine(DicomDataSetLoadFlags.None);
   }
   void Helper() { Application.DoEvents(); }
   void OnMatch(object sender, MatchEventArgs<Study> e) { Use(e.Info.AccessionNumber); }
   protected override void OnNothing() { base.OnConnect(DicomExceptionCode.Success); }
   public override string ToString() { return "client"; }
}
"""

BASIC = """
Imports Leadtools.Dicom
Imports Leadtools.Dicom.Scu

Public Class Client
    Inherits DicomNet
    Private WithEvents scu As New QueryRetrieveScu()
    Private nodes As List(Of DicomScp)

    Protected Overrides Sub OnConnect(ByVal [error] As DicomExceptionCode)
        Dim ds As New DicomDataSet()
        Dim element As DicomElement = ds.findfirstelement(Nothing, DicomTag.PatientID, True)
        Dim node = New DicomScp()
        node.aetitle = "A"
        node.Nothing2 = 1
        For Each one As DicomScp In nodes
            one.Port = 1
        Next
        Using other As New DicomDataSet()
            other.Load("x", DicomDataSetLoadFlags.None)
        End Using
        With ds
            .Reset()
        End With
        Dim name = ds.GetValue(Of String)(DicomTag.PatientName, "")
        Dim address = CType(sender, DicomNet).PeerAddress
        AddHandler scu.AfterCMove, AddressOf OnMoved
        Try
            Me.SendReleaseRequest()
            MyBase.OnConnect([error])
            CloseForced(True)
        Catch failed As DicomException
            Console.WriteLine(failed.Code)
        End Try
    End Sub

    Private Sub Matched(sender As Object, e As MatchEventArgs(Of Study)) Handles scu.MatchStudy
        Use(e.Info.InstanceUID)
    End Sub
End Class
"""


def checked(tmp_path: Path, name: str, source: str) -> Report:
    (tmp_path / name).write_text(source)
    return check([tmp_path / name])


def lines(report: Report, name: str) -> list[int]:
    return sorted({one.line for one in report.findings if one.name == name})


def line_of(source: str, words: str) -> int:
    return 1 + source[: source.index(words)].count("\n")


def test_a_program_with_every_member_of_the_sample_is_at_100_percent(tmp_path: Path) -> None:
    report = checked(tmp_path, "Echo.cs", SECURE_ECHO)
    assert report.percentage() == 100
    members = report.members()
    assert Status.ABSENT not in members.values()
    for name in (
        "DicomNet.Initialize",
        "DicomNet.SetTlsClientCertificate",
        "DicomNet.OnSecureLinkReady",
        "DicomNet.OnVerify",
        "DicomNet.Accept",
        "DicomNet.Listen",
        "DicomNet.GetTlsMutualAuthenticationKeyLength",
        "DicomNet.Dispose",
        "DicomEngine.Startup",
        "DicomSecurityCertificateException.Code",
        "DicomTlsCipherSuiteType.DheRsaWithDesCbcSha",
        "DicomOpenSslOptionsFlags.AllBugWorkarounds",
    ):
        assert name in members
    assert as_text(report).splitlines()[-1] == "100 %"


def test_a_member_that_is_not_here_is_named_with_its_line(tmp_path: Path) -> None:
    source = SECURE_ECHO.replace("caller.CloseForced(true);", "caller.MakeCoffee();")
    report = checked(tmp_path, "Echo.cs", source)
    assert 90 < report.percentage() < 100
    assert lines(report, "DicomNet.MakeCoffee") == [line_of(source, "MakeCoffee")]
    said = as_text(report)
    assert f"Echo.cs:{line_of(source, 'MakeCoffee')}: DicomNet.MakeCoffee  absent" in said
    assert "Absent: DicomNet.MakeCoffee" in said


def test_c_sharp(tmp_path: Path) -> None:
    report = checked(tmp_path, "Client.cs", CLIENT)
    members = report.members()
    assert {name for name, status in members.items() if status == Status.ABSENT} == {
        "DicomScp.Nothing",
        "DicomDataSet.InsertImage",
        "RasterImage",
        "QueryRetrieveScu.OnNothing",
    }
    assert members["DicomDataSet.GetValue"] == Status.DIFFERS
    for name in (
        "DicomScp.Port",
        "DicomElement.Tag",
        "DicomDataSet.Reset",
        "DicomNet.SendCEchoRequest",
        "DicomNet.SetTlsClientCertificate",  # of an object of unknown type
        "QueryRetrieveScu.MatchStudy",
        "MatchEventArgs.Info",
        "Study.AccessionNumber",
        "DicomNet.OnConnect",
        "DicomDataSetLoadFlags.None",
    ):
        assert members[name] == Status.DONE, name
    assert not any(name.endswith((".Own", ".Helper", ".Count", ".ToString")) for name in members)
    assert [hint.anchor for hint in report.hints] == ["threads-and-the-message-pump"]


def test_visual_basic(tmp_path: Path) -> None:
    report = checked(tmp_path, "Client.vb", BASIC)
    members = report.members()
    absent = {name for name, status in members.items() if status == Status.ABSENT}
    assert absent == {"DicomScp.Nothing2"}
    assert lines(report, "DicomScp.Nothing2") == [line_of(BASIC, "Nothing2")]
    for name in (
        "DicomNet",
        "DicomNet.OnConnect",
        "DicomDataSet.FindFirstElement",
        "DicomScp.AETitle",
        "DicomScp.Port",
        "DicomDataSet.Load",
        "DicomDataSet.Reset",
        "DicomNet.PeerAddress",
        "QueryRetrieveScu.AfterCMove",
        "QueryRetrieveScu.MatchStudy",
        "DicomNet.SendReleaseRequest",
        "DicomNet.CloseForced",
        "DicomException.Code",
        "Study.InstanceUID",
    ):
        assert members[name] in (Status.DONE, Status.DIFFERS), name
    assert members["DicomDataSet.GetValue"] == Status.DIFFERS


def test_classes_of_other_files_count(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "Base.cs").write_text(
        "using Leadtools.Dicom;\nclass Base : DicomNet { protected void Mine() {} }"
    )
    (tmp_path / "sub" / "Scu.cs").write_text(
        "using Leadtools.Dicom;\nclass Scu : Base { void Go() { Mine(); this.Mine(); this.Close(); this.Gone(); } }"
    )
    report = check([tmp_path])
    assert report.files == 2
    members = report.members()
    assert members["DicomNet.Close"] == Status.DONE
    assert members["DicomNet.Gone"] == Status.ABSENT
    assert "DicomNet.Mine" not in members


def test_sources_without_leadtools_say_nothing(tmp_path: Path) -> None:
    report = checked(
        tmp_path, "Other.cs", "class A { void B() { Study s = Series.C; x.FindFirstElement(1); } }"
    )
    assert report.findings == []
    assert report.percentage() == 100


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_visual_studio(tmp_path: Path, encoding: str) -> None:
    source = "using Leadtools.Dicom;\n// Müller\nclass A : DicomNet { void B() { Close(); } }"
    (tmp_path / "A.cs").write_bytes(source.encode(encoding))
    assert lines(check([tmp_path]), "DicomNet.Close") == [3]


def test_what_cannot_be_read_is_named_and_passed_over(tmp_path: Path) -> None:
    (tmp_path / "good.cs").write_text(SECURE_ECHO)
    (tmp_path / "binary.cs").write_bytes(b"\x7fELF\0\0\0\1")
    (tmp_path / "huge.cs").write_bytes(b"")
    with (tmp_path / "huge.cs").open("r+b") as file:
        file.truncate(20 * 1024 * 1024)
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "deep.cs").write_text(
        "using Leadtools.Dicom; class A { int b = " + "(" * 6000 + "1" + ")" * 6000 + "; }"
    )
    named = ("binary.cs", "deep.cs", "huge.cs", "missing.cs", "notes.txt")
    report = check([tmp_path / "good.cs", *(tmp_path / name for name in named)])
    assert report.files == 1
    assert {Path(one.file).name for one in report.unread} == set(named)
    said = as_text(report)
    for name in named:
        assert re.search(rf"{name}: passed over, .+", said)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "class",
        'using Leadtools.Dicom; class A : DicomNet { void B( { ]]] " ',
        "\ufeff}{",
        "#if X\n",
    ],
)
@pytest.mark.parametrize("name", ["A.cs", "A.vb"])
def test_broken_sources_do_no_harm(tmp_path: Path, source: str, name: str) -> None:
    assert checked(tmp_path, name, source).files == 1


def test_long_concatenations_are_followed(tmp_path: Path) -> None:
    long = " + ".join(['"a"'] * 600)
    source = f"using Leadtools.Dicom; class A : DicomNet {{ void B() {{ var s = {long} + PeerAddress; }} }}"
    assert "DicomNet.PeerAddress" in checked(tmp_path, "A.cs", source).members()


# ---- the command --------------------------------------------------------------------------------


def test_the_command_in_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Client.cs").write_text(CLIENT)
    assert main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "[docs/porting.md#generics]" in said
    assert re.search(r"^\d+ %$", said.splitlines()[-1])
    assert main(["--brief", str(tmp_path)]) == 0
    brief = capsys.readouterr().out
    assert " done\n" not in brief
    assert "DicomScp.Nothing  absent" in brief
    assert main(["--json", str(tmp_path)]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert data["members"]["DicomScp.Nothing"] == "absent"
    one = next(one for one in data["findings"] if one["member"] == "GetValue")
    assert (one["status"], one["guide"]) == ("differs", "docs/porting.md#generics")
    assert one["line"] == line_of(CLIENT, "GetValue")
    assert data["counts"]["absent"] == 4


def test_exit_statuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Client.cs").write_text(CLIENT)
    assert main(["--fail-under", "100", str(tmp_path)]) == 1
    assert main(["--fail-under", "50", str(tmp_path)]) == 0
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == 2
    assert "no C# or Visual Basic source" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_c_sharp", None)
    assert main([str(tmp_path)]) == 2
    assert "pip install 'leadtools_compat[port]'" in capsys.readouterr().err


# ---- notes --------------------------------------------------------------------------------------


def headings() -> set[str]:
    """List the anchors of the guide, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", GUIDE.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def test_every_note_leads_to_a_heading_of_the_guide() -> None:
    anchors = {anchor for _, anchor in (*DIFFERS.values(), *ABSENT.values(), *CONSTRUCTS.values())}
    assert anchors - headings() == set()


def test_notes_are_about_members_that_exist() -> None:
    from leadtools_compat.portcheck.api import Api

    api = Api()
    for name in DIFFERS:
        type_name, _, member = name.partition(".")
        if type_name == "EventHandler":
            continue
        assert type_name in api.types, name
        assert member in ("", "*") or api.member_name(type_name, member) == member, name
