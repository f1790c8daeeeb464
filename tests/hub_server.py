"""A server that speaks the wire protocol of the Hugging Face Hub, over what is in memory, and fails when told to.

It knows repositories as chains of commits with branches and tags, LFS objects by hash, a token that may write and
one that may only read. `fail` lines up faults for requests that match.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

WRITER, READER = "hf_writer", "hf_reader"


@dataclass
class Repo:
    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    lfs: dict[str, bytes] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    "Branch and message of each commit."

    def commit(self, branch: str, files: dict[str, bytes], message: str) -> str:
        number = f"{len(self.commits)}/{branch}/{message}".encode()
        oid = hashlib.sha1(number).hexdigest()
        self.commits[oid] = files
        self.branches[branch] = oid
        self.log.append((branch, message))
        return oid

    def resolve(self, revision: str) -> str | None:
        return (
            self.branches.get(revision) or self.tags.get(revision) or (revision if revision in self.commits else None)
        )


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path match."""

    pattern: re.Pattern[str]
    status: int | None
    times: int
    headers: dict[str, str]
    before: Callable[[], None] | None
    cut_after: int | None


class HubServer(ThreadingHTTPServer):
    """The server and its repositories, by `models/OWNER/NAME` or `datasets/OWNER/NAME`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos: dict[str, Repo] = {}
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def repo(self, name: str, kind: str = "models") -> Repo:
        return self.repos[f"{kind}/{name}"]

    def fail(
        self, pattern: str, status: int | None = None, *, times: int = 1, headers: dict[str, str] | None = None,
        before: Callable[[], None] | None = None, cut_after: int | None = None,
    ) -> None:  # fmt: skip
        """Answers `status`, or drops the connection, or does something first, or cuts a body short."""
        self.faults.append(Fault(re.compile(pattern), status, times, headers or {}, before, cut_after))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, *args: object) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_HEAD = do_GET

    def _handle(self) -> None:
        split = urlsplit(self.path)
        self.route, self.query = unquote(split.path), parse_qs(split.query)
        self.body = self._read()
        with self.server.lock:
            self.server.requests.append(f"{self.command} {self.route}")
            fault = self._fault()
            if fault is not None and fault.before is not None:
                fault.before()
        if fault is not None and fault.before is None and fault.cut_after is None:
            if fault.status is None:
                self.close_connection = True
                self.connection.close()
                return
            self._say(fault.status, {"error": "as told"}, fault.headers)
            return
        self.cut_after = fault.cut_after if fault is not None else None
        with self.server.lock:
            self._dispatch()

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _fault(self) -> Fault | None:
        for fault in self.server.faults:
            if fault.times > 0 and fault.pattern.search(f"{self.command} {self.route}"):
                fault.times -= 1
                return fault
        return None

    def _dispatch(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        for command, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, self.route)
            if found is None or self.command not in command:
                continue
            if not self.route.startswith("/lfs/") and token not in (WRITER, READER):
                self._refuse(401, "Invalid credentials in Authorization header")
            elif token == READER and self.command == "POST" and "paths-info" not in self.route:
                self._refuse(403, "this token only reads")
            else:
                answer(self, **found.groupdict())
            return
        self._refuse(404, f"no route {self.command} {self.route}")

    def _say(self, status: int, content: Any = None, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        told = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        self.send_response(status)
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if getattr(self, "cut_after", None) is not None:
            self.wfile.write(data[: self.cut_after])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.wfile.write(data)

    def _refuse(self, status: int, message: str, code: str = "") -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self._say(status, {"error": message}, headers)

    def _repo(self, kind: str, repo: str) -> Repo | None:
        found = self.server.repos.get(f"{kind}/{repo}")
        if found is None:
            self._refuse(404, "Repository not found", "RepoNotFound")
        return found

    def _at(self, kind: str, repo: str, revision: str) -> tuple[Repo, str] | None:
        found = self._repo(kind, repo)
        if found is None:
            return None
        oid = found.resolve(revision)
        if oid is None:
            self._refuse(404, f"Invalid rev id: {revision}", "RevisionNotFound")
            return None
        return found, oid

    def create(self) -> None:
        told = json.loads(self.body)
        kind = f"{told.get('type') or 'model'}s"
        name = f"{told.get('organization') or 'me'}/{told['name']}"
        url = f"{self.server.url}/{'' if kind == 'models' else f'{kind}/'}{name}"
        if f"{kind}/{name}" in self.server.repos:
            self._say(409, {"error": "You already created this repo", "url": url})
            return
        repo = Repo(private=told.get("visibility") == "private" or bool(told.get("private")))
        repo.commit("main", {".gitattributes": b"*.safetensors filter=lfs\n"}, "initial commit")
        self.server.repos[f"{kind}/{name}"] = repo
        self._say(200, {"url": url, "name": name, "id": name})

    def info(self, kind: str, repo: str, revision: str = "main") -> None:
        at = self._at(kind, repo, revision)
        if at is None:
            return
        found, oid = at
        files = [{"rfilename": name} for name in sorted(found.commits[oid])]
        told = {"id": repo, "_id": repo, "modelId": repo, "sha": oid, "siblings": files, "private": found.private}
        self._say(200, {**told, "tags": [], "downloads": 0, "likes": 0, "gated": False, "disabled": False})

    def refs(self, kind: str, repo: str) -> None:
        found = self._repo(kind, repo)
        if found is None:
            return

        def told(what: str, refs: dict[str, str]) -> list[dict[str, str]]:
            return [{"name": n, "ref": f"refs/{what}/{n}", "targetCommit": oid} for n, oid in refs.items()]

        branches, tags = told("heads", found.branches), told("tags", found.tags)
        self._say(200, {"branches": branches, "converts": [], "tags": tags})

    def branch(self, kind: str, repo: str, branch: str) -> None:
        found = self._repo(kind, repo)
        if found is None:
            return
        if branch in found.branches:
            self._refuse(409, "Reference already exists")
            return
        start = (json.loads(self.body or b"{}") or {}).get("startingPoint") or "main"
        found.branches[branch] = found.resolve(start) or ""
        self._say(200, {})

    def tag(self, kind: str, repo: str, revision: str) -> None:
        at = self._at(kind, repo, revision)
        if at is None:
            return
        name = json.loads(self.body)["tag"]
        if name in at[0].tags:
            self._refuse(409, "Tag already exists")
            return
        at[0].tags[name] = at[1]
        self._say(200, {})

    def preupload(self, kind: str, repo: str, revision: str) -> None:
        if self._at(kind, repo, revision) is None:
            return
        files = [
            {
                "path": each["path"],
                "uploadMode": "lfs" if each["path"].endswith(".safetensors") else "regular",
                "shouldIgnore": False,
            }
            for each in json.loads(self.body)["files"]
        ]
        self._say(200, {"files": files})

    def lfs_batch(self, repo: str, kind: str | None = None) -> None:
        found = self._repo(kind or "models", repo)
        if found is None:
            return
        objects = []
        for each in json.loads(self.body)["objects"]:
            href = f"{self.server.url}/lfs/{kind or 'models'}/{repo}/{each['oid']}"
            there = each["oid"] in found.lfs
            objects.append({**each, **({} if there else {"actions": {"upload": {"href": href}}})})
        self._say(200, {"transfer": "basic", "objects": objects}, {"Content-Type": "application/vnd.git-lfs+json"})

    def lfs_put(self, kind: str, repo: str, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            self._refuse(400, "not what its hash says")
            return
        self.server.repos[f"{kind}/{repo}"].lfs[oid] = self.body
        self._say(200, {})

    def commit(self, kind: str, repo: str, revision: str) -> None:
        at = self._at(kind, repo, revision)
        if at is None:
            return
        found, head = at
        lines = [json.loads(line) for line in self.body.splitlines() if line]
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, head):
            self._refuse(412, "A commit has happened since. Please refresh and try again.")
            return
        files = dict(found.commits[head])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = found.lfs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        oid = found.commit(revision, files, header["summary"])
        self._say(200, {"success": True, "commitOid": oid, "commitUrl": f"{self.server.url}/{repo}/commit/{oid}"})

    def _entry(self, found: Repo, name: str, data: bytes) -> dict[str, Any]:
        told = {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
        sha = hashlib.sha256(data).hexdigest()
        return told | ({"lfs": {"oid": sha, "size": len(data), "pointerSize": 130}} if sha in found.lfs else {})

    def paths_info(self, kind: str, repo: str, revision: str) -> None:
        at = self._at(kind, repo, revision)
        if at is None:
            return
        files = at[0].commits[at[1]]
        wanted = parse_qs(self.body.decode()).get("paths", [])
        self._say(200, [self._entry(at[0], name, files[name]) for name in wanted if name in files])

    def tree(self, kind: str, repo: str, revision: str) -> None:
        at = self._at(kind, repo, revision)
        if at is not None:
            self._say(200, [self._entry(at[0], *each) for each in sorted(at[0].commits[at[1]].items())])

    def resolve(self, repo: str, revision: str, path: str, kind: str | None = None) -> None:
        at = self._at(kind or "models", repo, revision)
        if at is None:
            return
        data = at[0].commits[at[1]].get(path)
        if data is None:
            self._refuse(404, "Entry not found", "EntryNotFound")
            return
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": at[1], "Accept-Ranges": "bytes"}
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if start is None:
            self._say(200, data, headers)
            return
        rest = data[int(start[1]) :]
        self._say(206, rest, {**headers, "Content-Range": f"bytes {start[1]}-{len(data) - 1}/{len(data)}"})

    def validate(self) -> None:
        self._say(200, {"errors": [], "warnings": []})


KIND, REPO = "(?P<kind>models|datasets)", "(?P<repo>[^/]+/[^/]+)"
ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", Handler.validate),
    ("GET", f"/api/{KIND}/{REPO}", Handler.info),
    ("GET", f"/api/{KIND}/{REPO}/revision/(?P<revision>.+)", Handler.info),
    ("GET", f"/api/{KIND}/{REPO}/refs", Handler.refs),
    ("GET", f"/api/{KIND}/{REPO}/tree/(?P<revision>.+)", Handler.tree),
    ("POST", f"/api/{KIND}/{REPO}/branch/(?P<branch>.+)", Handler.branch),
    ("POST", f"/api/{KIND}/{REPO}/tag/(?P<revision>.+)", Handler.tag),
    ("POST", f"/api/{KIND}/{REPO}/preupload/(?P<revision>.+)", Handler.preupload),
    ("POST", f"/api/{KIND}/{REPO}/commit/(?P<revision>.+)", Handler.commit),
    ("POST", f"/api/{KIND}/{REPO}/paths-info/(?P<revision>.+)", Handler.paths_info),
    ("POST", f"/(?:{KIND}/)?{REPO}\\.git/info/lfs/objects/batch", Handler.lfs_batch),
    ("PUT", f"/lfs/{KIND}/{REPO}/(?P<oid>[0-9a-f]+)", Handler.lfs_put),
    ("GET HEAD", f"/(?:{KIND}/)?{REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", Handler.resolve),
]


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """The server, for the length of a block."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
