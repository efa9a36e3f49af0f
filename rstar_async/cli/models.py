"""`rstar models`: the model versions of a run, their lineage, and rollback to an older one.

rstar models runs/demo                          all of them
rstar models runs/demo show VERSION             one, with its ancestors and its files checked
rstar models runs/demo rollback VERSION         the next round starts from it
rstar models runs/demo push VERSION --hub OWNER/NAME    a copy on a model hub
"""

import argparse
from typing import TYPE_CHECKING

from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.table import Table

    from storage.database import Database
    from storage.records import Evaluation, ModelVersion


ACTIONS = ("list", "show", "rollback", "push")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", help="database URL, SQLite file, or folder of a run")
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list")
    parser.add_argument("version", nargs="?", help="the version to show, roll back to, or push")
    parser.add_argument("--run", help="which run, if the database holds several")
    parser.add_argument("--hub", help="where to push: NAME-policy and NAME-ppm are made if need be")
    parser.add_argument("--reason", default="rolled back by hand", help="kept with the rows")


def run(arguments: argparse.Namespace) -> int:
    """List, show, roll back or push; 1 if a shown version's files are not what was published."""
    from rstar_async.cli.locate import choose_run, home_of, open_existing
    from storage import queries

    if arguments.action != "list" and not arguments.version:
        raise BadInput(f"which version? rstar models {arguments.database} {arguments.action} ID")
    if arguments.action == "push" and not arguments.hub:
        raise BadInput("push where? --hub OWNER/NAME")
    with open_existing(arguments.database) as database:
        name = choose_run(database, arguments.run)
        versions = database.read(queries.model_versions_of, name)
        if arguments.action == "list":
            return _list(versions, database.read(queries.evaluations_of, name))
        version = _version(versions, arguments.version)
        home = home_of(arguments.database, database, name)
        if arguments.action == "show":
            return _show(database, version, home)
        if arguments.action == "rollback":
            return _roll_back(database, versions, version, home, arguments.reason)
        return _push(version, home, arguments.hub)


def _list(versions: "Sequence[ModelVersion]", evaluations: "Sequence[Evaluation]") -> int:
    from rstar_async.cli.output import print_table

    print_table(_table(versions, evaluations))
    return 0


def _table(versions: "Sequence[ModelVersion]", evaluations: "Sequence[Evaluation]") -> "Table":
    from rich.table import Table

    from rstar_async.models.registry import newest

    in_use = {v.id for kind in ("policy", "ppm") if (v := newest(versions, kind))}
    table = Table("", "version", "round", "trained from", "pass@1", "pair acc.", "standing")
    for version in versions:
        table.add_row(
            "*" if version.id in in_use else "",
            version.id,
            str(version.round),
            version.parent_id or "",
            _share(_pass_at_1(version, evaluations)),
            _share(version.metrics.get("pair_accuracy")),
            f"{version.status}: {version.reason}" if version.reason else version.status,
        )
    return table


def _pass_at_1(version: "ModelVersion", evaluations: "Sequence[Evaluation]") -> float | None:
    found = [e for e in evaluations if (e.method, e.policy_id) == ("policy", version.id)]
    return found[-1].pass_at_1 if found else None


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _show(database: "Database", version: "ModelVersion", home: "Path") -> int:
    import msgspec

    from storage import queries

    line = database.read(queries.lineage, version.id)
    print(msgspec.json.format(msgspec.json.encode(version)).decode())
    print("\nlineage    " + "\n           ".join(each.id for each in line))
    integrity_errors = _problems(version, home)
    print(f"files      {'; '.join(integrity_errors) or 'as they were published'}")
    return 1 if integrity_errors else 0


def _roll_back(
    database: "Database",
    versions: "Sequence[ModelVersion]",
    wanted: "ModelVersion",
    home: "Path",
    reason: str,
) -> int:
    from rstar_async.models.registry import rollback

    standings = rollback(versions, wanted.id, reason)
    if integrity_errors := _problems(wanted, home):
        raise BadInput(f"{wanted.id} cannot be used again: {'; '.join(integrity_errors)}")
    database.commit(*standings)
    for standing in standings:
        print(f"{standing.status:10} {standing.model_id}")
    print(f"the next round starts from {wanted.id}; a round under way keeps its models")
    return 0


def _push(version: "ModelVersion", home: "Path", hub: str) -> int:
    from rstar_async.models.registry import weights_folder
    from rstar_async.trainer.hub import check_name, push

    check_name(hub)
    integrity_errors = ["it was refused and has no weights"]
    if version.path:
        integrity_errors = _problems(version, home)
    if version.status == "pruned" or integrity_errors:
        raise BadInput(
            f"{version.id} cannot be pushed: {'; '.join(integrity_errors) or 'it was pruned'}"
        )
    try:
        print(push(version, weights_folder(version, home), hub))
    except Exception as error:  # whatever libraries and networks raise
        raise BadInput(f"{version.id} was not pushed: {error}") from None
    return 0


def _version(versions: "Sequence[ModelVersion]", wanted: str) -> "ModelVersion":
    found = next((version for version in versions if version.id == wanted), None)
    if found is None:
        have = ", ".join(version.id for version in versions) or "none"
        raise BadInput(f"there is no model version {wanted}; there are {have}")
    return found


def _problems(version: "ModelVersion", home: "Path") -> list[str]:
    """The differences from its manifest; none for a version without weights of its own."""
    from rstar_async.models.registry import integrity_errors

    return integrity_errors(version, home) if version.path and version.status != "pruned" else []
