"""A model hub with the part of the API that uploads use: repositories, files, commits, tags."""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_of_a_test"


class Hub(ThreadingHTTPServer):
    """`repositories` by name: whether it is private, its files, the ids of its commits, tags."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories, self.large = {}, {}

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._answer(401, {"error": "Invalid user token"})
        head, _, rest = self.path.strip("/").partition("/")
        if head != "api":
            return self._batch(json.loads(sent))
        what, _, rest = rest.partition("/")
        if what == "validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        if what == "repos":
            return self._create(json.loads(sent))
        owner, name, action, *rest = rest.split("/")
        repository = self.server.repositories[f"{owner}/{name}"]
        return getattr(self, f"_{action}")(repository, sent, *rest)

    def do_PUT(self):
        self.server.large[self.path.rpartition("/")[2]] = self.rfile.read(
            int(self.headers["Content-Length"])
        )
        self._answer(200, {})

    def _create(self, job):
        name = f"{job['organization']}/{job['name']}"
        known = name in self.server.repositories
        new = {"name": name, "private": job["visibility"] == "private", "files": {}}
        self.server.repositories.setdefault(name, {**new, "commits": [], "tags": {}})
        self._answer(409 if known else 200, {"url": f"{self.server.address}/{name}"})

    def _preupload(self, repository, sent, branch):
        files = [
            {"path": f["path"], "uploadMode": mode(f["path"]), "shouldIgnore": False, "oid": None}
            for f in json.loads(sent)["files"]
        ]
        self._answer(200, {"files": files})

    def _batch(self, job):
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.server.address}/large/{one['oid']}"}}}
            for one in job["objects"]
        ]
        self._answer(200, {"transfer": "basic", "objects": objects})

    def _commit(self, repository, sent, branch):
        for line in map(json.loads, sent.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                repository["files"][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository["files"][value["path"]] = self.server.large[value["oid"]]
        repository["commits"].append(f"{len(repository['commits']):040}")
        oid = repository["commits"][-1]
        address = f"{self.server.address}/{repository['name']}/commit/{oid}"
        self._answer(200, {"commitUrl": address, "commitOid": oid})

    def _tag(self, repository, sent, commit):
        repository["tags"][json.loads(sent)["tag"]] = commit
        self._answer(200, {})

    def _answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def mode(path):
    return "lfs" if path.endswith(".safetensors") else "regular"


@contextmanager
def serving():
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
