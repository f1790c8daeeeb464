"""Who may come in, what they may do, and what they did."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import AwareDatetime, JsonValue

from core.schema.base import Record

__all__ = [
    "AuditEntry",
    "Door",
    "Grant",
    "LoginFailure",
    "Password",
    "Revocation",
    "Role",
    "Scope",
    "SettingChange",
    "User",
]

Door = Literal["console", "api", "command line", "nightshift", "program"]
"Through what somebody acted; `nightshift` is what runs by itself."


class Role(StrEnum):
    """What a person may do; each may do all that those before it may."""

    VIEWER = "viewer"
    "Looks: verdicts, pictures, figures, reports."
    OPERATOR = "operator"
    "Classifies, corrects, reviews."
    ENGINEER = "engineer"
    "Runs nights and audits, decides which release serves."
    ADMIN = "admin"
    "Settings, users, everybody's tokens, the audit log."

    def reaches(self, needed: "Role") -> bool:
        """Whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Scope(StrEnum):
    """What a token may be used for, within the role of its owner."""

    READ = "read"
    "Whatever only looks."
    PREDICT = "predict"
    "Send pictures, get verdicts."
    FEEDBACK = "feedback"
    "Correct, and take back."
    MANAGE = "manage"
    "Everything else: nights, releases, approvals, settings."


class User(Record):
    """A person as they stand from now on; of one name, the last written counts."""

    kind: ClassVar[str] = "account"
    name: str
    uid: str
    "The same as long as the person is here; somebody of the same name who comes later has another."
    role: Role
    state: Literal["active", "disabled", "removed"] = "active"


class Password(Record):
    """The argon2 hash of a user's password. An older one is erased, so that it cannot be attacked later."""

    kind: ClassVar[str] = "password"
    uid: str
    hash: str


class Grant(Record):
    """A signed-in browser or an API token. Its id is the SHA-256 of the secret, which is kept nowhere."""

    kind: ClassVar[str] = "access_grant"
    form: Literal["session", "token"]
    uid: str
    user: str
    name: str
    "Of a token, what its owner calls it; of a session, the address it began from."
    scopes: tuple[Scope, ...] = ()
    "Of a token; a session has none, and may do what its user may."
    expires: AwareDatetime


class Revocation(Record):
    """The end of a grant before its time. Its id follows from the grant's."""

    kind: ClassVar[str] = "revocation"
    revoked: str


class LoginFailure(Record):
    """A sign-in that was refused; kept for as long as it slows the next one down."""

    kind: ClassVar[str] = "login_failure"
    name: str
    "Hash of the name that was typed: people type passwords there."
    address: str


class AuditEntry(Record):
    """Who did what, through which door. It names things by how their ids begin: that is nothing once they are gone."""

    kind: ClassVar[str] = "audit_entry"
    who: str
    role: Role | None = None
    door: Door
    address: str | None = None
    "Where they were: an IP address, or USER@MACHINE."
    action: str
    "What was done, as `correction.given`, `user.added`."
    subject: str = ""
    detail: str = ""
    "In a line, for a person; never a secret."


class SettingChange(Record):
    """A change of the settings file, so that it can be undone: what stood there before; null where nothing did."""

    kind: ClassVar[str] = "setting_change"
    key: str
    "As `night.schedule`."
    before: JsonValue
    after: JsonValue
    by: str
    undoes: str | None = None
    "The change that this one takes back."
