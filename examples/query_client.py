"""Queries a node and fetches from it, plain or with TLS.

    python -m examples.query_client localhost 2762 --ca ca.pem --certificate client.pem \\
        find --name 'DOE*' --since 20240101
    python -m examples.query_client ... series 1.2.3
    python -m examples.query_client ... get 1.2.3 --folder received
    python -m examples.query_client ... move 1.2.3 --host-port 11112 --folder received

`get` fetches over the same association, `move` through an own listener, for which the node has to
know this computer's address by the own AE title. To be run in the folder above `examples`.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from pathlib import Path

from examples.tls_options import add_options, connection, node
from leadtools_compat.dicom import *
from leadtools_compat.dicom.scu import *

UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")  # PS3.5 9.1


def day(text: str) -> datetime.date:
    return datetime.datetime.strptime(text, "%Y%m%d").date()


class Client:
    """What the commands do."""

    def __init__(self, scu: QueryRetrieveScu, scp: DicomScp, options: argparse.Namespace) -> None:
        self.scu, self.scp, self.options = scu, scp, options
        self.kept = 0
        scu.MatchStudy += self.study
        scu.MatchSeries += self.series
        scu.Moved += lambda sender, e: self.keep(e.Dataset)
        scu.ReceivedStoreRequest += lambda sender, e: self.keep(e.DataSet)

    def study(self, sender: object, e: MatchEventArgs[Study]) -> None:
        found = e.Info
        when = "" if found.Date is None else found.Date.date().isoformat()
        print(
            f"{found.InstanceUID}  {when}  {found.Patient.Id}  {found.Patient.Name}  "
            f"{','.join(found.ModalitiesInStudy)}  {found.Description}"
        )

    def series(self, sender: object, e: MatchEventArgs[Series]) -> None:
        found = e.Info
        print(
            f"{found.InstanceUID}  {found.Modality}  {found.NumberOfRelatedInstances}  {found.Description}"
        )

    def find(self) -> None:
        query = FindQuery()
        query.PatientName, query.PatientId = self.options.name, self.options.id
        query.AccessionNumber = self.options.accession
        query.Modalities = self.options.modality or []
        query.StudyDate.StartDate, query.StudyDate.EndDate = self.options.since, self.options.until
        self.scu.Find(self.scp, query)

    def series_of(self) -> None:
        query = FindQuery()
        query.QueryLevel = QueryLevel.Series
        query.StudyInstanceUID = self.options.study
        self.scu.Find(self.scp, query)

    def get(self) -> None:
        self.scu.Get(self.scp, self.options.study, self.options.series)

    def move(self) -> None:
        self.scu.HostPort = self.options.host_port
        self.scu.UseSecureHost = self.options.secure_host
        self.scu.Move(self.scp, self.scu.AETitle, self.options.study, self.options.series)

    def keep(self, data: DicomDataSet) -> None:
        """Write an instance; its name comes from the wire, so it has to be a UID."""
        uid = str(data.to_pydicom().get("SOPInstanceUID", ""))
        if len(uid) > 64 or UID.fullmatch(uid) is None:
            raise DicomException(DicomExceptionCode.ValueInvalid, f"{uid!r} is no UID")
        self.options.folder.mkdir(parents=True, exist_ok=True)
        data.Save(self.options.folder / f"{uid}.dcm", DicomDataSetSaveFlags.None_)
        self.kept += 1


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_options(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    find = commands.add_parser("find", help="list studies")
    find.add_argument("--name", help="patient's name; * and ? stand for characters")
    find.add_argument("--id", help="patient's id")
    find.add_argument("--accession", help="accession number")
    find.add_argument("--modality", action="append")
    find.add_argument("--since", type=day, help="YYYYMMDD")
    find.add_argument("--until", type=day, help="YYYYMMDD")
    series = commands.add_parser("series", help="list the series of a study")
    series.add_argument("study")
    for name in ("get", "move"):
        fetch = commands.add_parser(name, help="fetch a study or one of its series")
        fetch.add_argument("study")
        fetch.add_argument("series", nargs="?", default="")
        fetch.add_argument("--folder", type=Path, default=Path("received"))
        if name == "move":
            fetch.add_argument("--host-port", type=int, required=True, help="of the own listener")
            fetch.add_argument("--secure-host", action="store_true", help="it speaks TLS")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse()
    with connection(QueryRetrieveScu, options) as scu:
        client = Client(scu, node(options), options)
        commands = {
            "find": client.find,
            "series": client.series_of,
            "get": client.get,
            "move": client.move,
        }
        try:
            commands[options.command]()
        except (
            ClientConnectionException,
            ClientAssociationException,
            ClientCommunicationException,
            DicomException,
            OSError,
        ) as error:
            print(error, file=sys.stderr)
            return 1
        if options.command in ("get", "move"):
            print(f"{client.kept} instances received: {scu.Status}")
        return 0 if scu.Status == DicomCommandStatusType.Success else 1


if __name__ == "__main__":
    sys.exit(main())
