"""Passwords and secrets: how they are made, kept and compared. None of it is ever logged."""

import hashlib
import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.schema import NightshiftError

__all__ = ["checked_password", "hash_password", "is_password", "new_secret", "secret_id", "wants_new_hash"]

SHORTEST, LONGEST, BESIDE_THE_NAME = 12, 512, 8
TOKEN_PREFIX = "ns_"
"So that a token in the wrong place is found by whoever looks for secrets."

_hasher = PasswordHasher()
_turn = threading.Lock()
"A hash takes 64 MB and two cores' time on purpose: one at a time, so that a flood of them is no flood of memory."


def checked_password(password: str, name: str) -> str:
    """`password`, if it may be one. Raises NightshiftError for one that is too short, too long, or the name itself."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise NightshiftError(
            f"the password has {len(password)} characters; take {SHORTEST} to {LONGEST}, a few words in a row for one"
        )
    if name in password.lower() and len(password) - len(name) < BESIDE_THE_NAME:
        raise NightshiftError("the password is little more than the name; take another")
    if len(set(password)) < SHORTEST // 3:
        raise NightshiftError("the password repeats the same few characters; take another")
    return password


def hash_password(password: str) -> str:
    """The argon2id hash that is kept."""
    with _turn:
        return _hasher.hash(password)


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_hex())


def is_password(kept: str | None, given: str) -> bool:
    """Whether `given` is the password; takes as long where there is none to compare with."""
    with _turn:
        try:
            return _hasher.verify(kept or _nobodys(), given[: LONGEST + 1]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def wants_new_hash(kept: str) -> bool:
    """Whether it was made by weaker rules than today's."""
    return _hasher.check_needs_rehash(kept)


def new_secret(form: str) -> str:
    """256 bits that open a door."""
    return f"{TOKEN_PREFIX if form == 'token' else ''}{secrets.token_urlsafe(32)}"


def secret_id(secret: str) -> str:
    """What a secret is known by: SHA-256, which suffices for what cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()
