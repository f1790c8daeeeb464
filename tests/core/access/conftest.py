"""Passwords are hashed as cheaply as argon2 allows: what a hash costs is not what these tests are about."""

import pytest
from argon2 import PasswordHasher

from core.access import secrets


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(secrets, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    secrets._nobodys.cache_clear()
    yield
    secrets._nobodys.cache_clear()
