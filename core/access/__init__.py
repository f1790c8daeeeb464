"""Who may come in: users, passwords, sessions, tokens; and what everybody did."""

from core.access.acting import LOCAL, NIGHTSHIFT, STRANGER, Actor, acting, as_actor, entry, told
from core.access.directory import Directory, has_users
from core.access.grants import (
    begin_session,
    create_token,
    end_session,
    open_sessions,
    revoke_token,
    tokens,
)
from core.access.house import House, open_house
from core.access.log import audit_log
from core.access.secrets import secret_id
from core.access.signing_in import SignInRefused, TooManyTries, change_own_password, sign_in
from core.access.users import (
    add_user,
    disable_user,
    enable_user,
    find_user,
    remove_user,
    set_password,
    set_role,
    users,
)

__all__ = [
    "LOCAL",
    "NIGHTSHIFT",
    "STRANGER",
    "Actor",
    "Directory",
    "House",
    "SignInRefused",
    "TooManyTries",
    "acting",
    "add_user",
    "as_actor",
    "audit_log",
    "begin_session",
    "change_own_password",
    "create_token",
    "disable_user",
    "enable_user",
    "end_session",
    "entry",
    "find_user",
    "has_users",
    "open_house",
    "open_sessions",
    "remove_user",
    "revoke_token",
    "secret_id",
    "set_password",
    "set_role",
    "sign_in",
    "tokens",
    "told",
    "users",
]
