"""Who may reach the server, and how sign-in is guarded."""

import ipaddress
from typing import Self

from pydantic import Field, field_validator, model_validator

from core.settings.section import Section

__all__ = ["AccessSettings"]


class AccessSettings(Section):
    """Counts once there are users. Without any, only this machine is served, and whoever is at it may do everything."""

    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="Names (NAME or NAME:PORT, as browsers write them) under which it may be reached from elsewhere.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses of proxies before it, whose word on who asks counts."
    )
    session_hours: float = Field(168.0, gt=0, description="How long a sign-in lasts.")
    token_days: int = Field(365, ge=1, description="The longest that a token may last.")
    slow_after: int = Field(
        3, ge=1, description="Wrong passwords after which each further try has to wait, ever longer."
    )
    lock_after: int = Field(10, ge=1, description="Wrong passwords of one user after which sign-in is locked.")
    lock_address_after: int = Field(40, ge=1, description="The same from one address, whoever is tried.")
    lock_minutes: float = Field(15.0, gt=0, description="How long a lock lasts, and a wrong password is remembered.")

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not host.strip() or "/" in host or "*" in host or host != host.strip():
                raise ValueError(
                    f"{host!r} is no host as a browser writes it; take nightshift.example.org, or with :PORT"
                )
        return tuple(host.lower() for host in hosts)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise ValueError(f"{proxy!r} is no address; take 10.0.0.7 or 10.0.0.0/24") from error
        return proxies

    @model_validator(mode="after")
    def _slows_before_it_locks(self) -> Self:
        if self.slow_after > self.lock_after:
            raise ValueError(
                f"slow_after {self.slow_after} is more than lock_after {self.lock_after}: it would never slow"
            )
        return self
