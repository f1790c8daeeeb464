"""Users of every role, and browsers that they are signed in with."""

from starlette.testclient import TestClient

from core.access import add_user
from core.schema import Role
from core.services import Workspace

PASSWORD = "correct horse battery"
NAMES = {Role.ADMIN: "ada", Role.ENGINEER: "eve", Role.OPERATOR: "oscar", Role.VIEWER: "vera"}


def with_everybody(ws: Workspace) -> None:
    """One user of each role."""
    for role, name in NAMES.items():
        add_user(ws, name, role, PASSWORD)


def log_in(client: TestClient, name: str, password: str = PASSWORD, there: str = "/"):
    """What the server answers to the form."""
    form = {"name": name, "password": password, "next": there}
    return client.post("/login", data=form, follow_redirects=False)
