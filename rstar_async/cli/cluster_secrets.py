"""`python -m rstar_async.cli.cluster_secrets fetch|publish FOLDER`: keys as Secrets of Kubernetes.

`fetch` writes the Secrets that exist into FOLDER, one folder for each identity; `make-secrets`
makes what is missing; `publish` writes it back. So a second run changes nothing, and a Secret that
was deleted is made again. The database's, once it exists, is never changed: the operator may have
made it.
"""

import argparse
import base64
import os
import ssl
import sys
from pathlib import Path

import httpx

from rstar_async.errors import BadInput

IDENTITIES = ("broker", "coordinator", "executor", "inference", "reward", "database")
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SLASH = "_"  # of a file's path in the name of its entry, where slashes are not allowed


class Secrets:
    """The Secrets `keys-IDENTITY` of one namespace, as the API server has them."""

    def __init__(self, client: httpx.Client, namespace: str) -> None:
        self._client = client
        self._all = f"/api/v1/namespaces/{namespace}/secrets"

    def read(self, identity: str) -> dict[str, bytes] | None:
        """Contents by path; None if there is no such Secret."""
        response = self._client.get(f"{self._all}/{_name(identity)}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        data = _checked(response).json().get("data") or {}
        return {k.replace(SLASH, "/"): base64.b64decode(v) for k, v in data.items()}

    def create(self, identity: str, files: dict[str, bytes]) -> None:
        content = {"metadata": {"name": _name(identity)}, "data": _encoded(files)}
        _checked(self._client.post(self._all, json=content))

    def change(self, identity: str, files: dict[str, bytes]) -> None:
        """Add these entries, or replace them; others stay."""
        _checked(
            self._client.patch(
                f"{self._all}/{_name(identity)}",
                json={"data": _encoded(files)},
                headers={"Content-Type": "application/merge-patch+json"},
            )
        )


def fetch(secrets: Secrets, folder: Path) -> None:
    """Write what exists, readable by this user only; every identity has a folder afterwards."""
    for identity in IDENTITIES:
        (folder / identity).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in (secrets.read(identity) or {}).items():
            file = folder / identity / name
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
            file.write_bytes(content)


def publish(secrets: Secrets, folder: Path, database_url: str) -> list[str]:
    """Write back what is new or has changed; return what was done, a line for each Secret.

    `database_url` is the address of the database whose password is in the folder, "" if there is
    none: then its Secret must exist.
    """
    done = []
    for identity in IDENTITIES:
        files = _files(folder / identity)
        stored = secrets.read(identity)
        if identity == "database" and stored is None:
            files["url"] = _required(database_url).encode()
        if stored is None:
            secrets.create(identity, files)
            done.append(f"{_name(identity)}: made")
        elif identity != "database" and files != stored:
            secrets.change(identity, files)
            done.append(f"{_name(identity)}: completed")
    return done


def main() -> int:
    """Exit code 2 on bad input; 1 if the API server cannot be reached, to be tried again."""
    parser = argparse.ArgumentParser(prog="python -m rstar_async.cli.cluster_secrets")
    parser.add_argument("what", choices=["fetch", "publish"])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    try:
        with _connect() as client:
            secrets = Secrets(client, (ACCOUNT / "namespace").read_text())
            if arguments.what == "fetch":
                fetch(secrets, arguments.folder)
            else:
                url = os.environ.get("DATABASE_URL", "")
                print(*publish(secrets, arguments.folder, url), sep="\n")
    except BadInput as error:
        print(f"rstar: {error}", file=sys.stderr)
        return 2
    except (httpx.HTTPError, OSError) as error:
        print(f"rstar: the API server cannot be asked: {error}", file=sys.stderr)
        return 1
    return 0


def _connect() -> httpx.Client:
    """As the pod's service account."""
    address = os.environ.get("KUBERNETES_SERVICE_HOST")
    if not address:
        raise BadInput("this is no pod of a cluster; outside of one, `rstar keys DIR` makes keys")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    host = f"[{address}]" if ":" in address else address
    return httpx.Client(
        base_url=f"https://{host}:{port}",
        headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"},
        verify=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")),
    )


def _name(identity: str) -> str:
    return f"keys-{identity}"


def _required(database_url: str) -> str:
    if not database_url:
        raise BadInput(
            f"there is no Secret {_name('database')}: kubectl create secret generic "
            f"{_name('database')} --from-literal=url=postgresql://rstar@HOST/rstar "
            "--from-literal=pgpass='HOST:5432:*:rstar:PASSWORD'"
        )
    return database_url


def _files(folder: Path) -> dict[str, bytes]:
    found = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}


def _encoded(files: dict[str, bytes]) -> dict[str, str]:
    return {k.replace("/", SLASH): base64.b64encode(v).decode() for k, v in files.items()}


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code == httpx.codes.FORBIDDEN:
        raise BadInput(f"the API server refused: {response.json().get('message')}")
    return response.raise_for_status()


if __name__ == "__main__":
    sys.exit(main())
