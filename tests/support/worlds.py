"""Worlds that a poller may find itself in: what vendors have, and what goes wrong, in order."""

from datetime import timedelta
from typing import cast

import httpx
from attrs import frozen
from hypothesis import strategies as st

from exportjobs.adapter import Budget, Operation, evolve

from .acme import (
    Acme,
    BrieflyListing,
    Frank,
    Listing,
    status,
)

EPSILON = 1e-6
REPAIRS = 3
"""Times that a request may be repeated which was under way when another was answered."""


LATER = 202
"""A good answer that asks to be left alone for a while, about what it is about."""
NOTHING_LEFT = 203
"""A good answer that says that no request is left to the account for a while."""


@frozen
class Trouble:
    """An answer in place of the scripted one, or something that is said along with it."""

    code: int
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What a good answer says besides."""
        seconds = str(self.retry_after or 30)
        if self.code == LATER:
            return {"Retry-After": seconds}
        return {"RateLimit-Remaining": "0", "RateLimit-Reset": seconds}

    def answer(self) -> httpx.Response | Exception:
        """Return the answer, or the broken connection that 0 and 1 stand for."""
        match self.code:
            case 0:
                return httpx.ConnectError("refused")
            case 1:
                return httpx.ReadError("reset")
            case 200:
                return httpx.Response(200, content=b"{")
            case _ if self.retry_after is None:
                return status(self.code)
            case _:
                return status(self.code, Retry_After=str(self.retry_after))


@frozen
class Job:
    """A report and how it goes."""

    lasts: float
    says: str
    listed: bool
    old: bool
    """Whether an earlier process has submitted it."""


@frozen
class Customer:
    """An account: what its vendor has, and what will go wrong with its requests, in order."""

    slots: int | None
    declares: bool
    lists: bool
    brief: bool
    tells: bool
    budgets: tuple[Budget, ...]
    jobs: list[Job]
    troubles: list[Trouble | None]

    def adapter(self, name: str) -> Acme:
        """Return the adapter of this account."""
        lists = (BrieflyListing,) if self.brief else (Listing,)
        bases = ((Frank,) if self.tells else ()) + (lists if self.lists else ())
        members = {"slots": self.slots if self.declares else None, "budgets": self.budgets}
        made = cast("type[Acme]", type("Made", bases or (Acme,), members))
        return made(f"key-of-{name}", name=name)


@frozen
class World:
    """Some accounts, and a poller's options."""

    customers: list[Customer]
    polling: tuple[float | None, float]
    """The interval and the deadline."""
    takes: float
    jitter: float
    cancels_at: float | None

    @property
    def slack(self) -> float:
        """How long requests go on that were under way when another was answered."""
        return EPSILON + REPAIRS * self.takes


budgets = st.sampled_from(
    [
        (),
        (Budget(requests=3, per=timedelta(minutes=1)),),
        (
            Budget(requests=2, per=timedelta(minutes=1), operation=Operation.POLL),
            Budget(requests=2, per=timedelta(minutes=1), operation=Operation.LIST),
        ),
        (Budget(requests=5, per=timedelta(seconds=90), operation=Operation.POLL, calendar=True),),
        (
            Budget(requests=2, per=timedelta(hours=1), operation=Operation.SUBMIT),
            Budget(requests=20, per=timedelta(hours=1), operation=Operation.LIST, calendar=True),
        ),
    ]
)
jobs = st.builds(
    Job,
    lasts=st.sampled_from([0, 1, 15, 25, 95, 1000, 100_000]),
    says=st.sampled_from(["running", "running", "queued", "PONDERING", "running 40"]),
    listed=st.sampled_from([True, True, True, False]),
    old=st.sampled_from([False, False, False, True]),
)
troubles = st.builds(
    Trouble,
    code=st.sampled_from(
        [0, 1, 200, LATER, NOTHING_LEFT, 400, 403, 404, 429, 429, 429, 500, 503, 503]
    ),
    retry_after=st.sampled_from([None, None, 1, 7, 45, 400]),
)
customers = st.builds(
    Customer,
    slots=st.sampled_from([None, 1, 2, 3]),
    declares=st.booleans(),
    lists=st.booleans(),
    brief=st.booleans(),
    tells=st.booleans(),
    budgets=budgets,
    jobs=st.lists(jobs, min_size=1, max_size=5),
    troubles=st.lists(
        st.none() | troubles | st.sampled_from([None, None, None, Trouble(401)]), max_size=15
    ),
)
lists_under_stress = st.builds(
    evolve,
    customers,
    lists=st.just(value=True),
    slots=st.sampled_from([None, None, 2]),
    jobs=st.lists(jobs, min_size=3, max_size=6),
    troubles=st.lists(st.none() | troubles.filter(lambda one: one.code != 403), max_size=30),
)
"""Several jobs to a list, submits in doubt that are looked for in it, and much that goes wrong."""
worlds = st.builds(
    World,
    customers=st.lists(customers | lists_under_stress, min_size=1, max_size=3),
    polling=st.sampled_from([(1.0, 45.0), (10.0, 300.0), (60.0, 3600.0), (None, 900.0)]),
    takes=st.sampled_from([0.0, 0.0, 0.1, 2.0]),
    jitter=st.sampled_from([0.0, 0.5, 1.0]),
    cancels_at=st.none() | st.sampled_from([5.0, 12.0, 50.0]),
)
