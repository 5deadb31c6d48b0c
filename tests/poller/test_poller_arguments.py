"""What a poller refuses before anything is opened or sent."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.support.acme import Acme, MakePoller, finish, reports
from tests.support.acme_api import Vendor
from tests.support.errors import raises_error

from exportjobs import (
    DestinationFailed,
    InvalidArgument,
    InvalidRef,
    JobRef,
    LedgerFailed,
    Poller,
    UnknownAccount,
    WrongContext,
)

REF = JobRef(vendor="acme", account="default", id="q3", kind="report")
STRANGER = JobRef(vendor="acme", account="stranger", id="q3", kind="report")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"on_exit": "explode"}, "on_exit"),
        ({"max_downloads": 0}, "max_downloads"),
        ({"poll_interval": -1}, "poll_interval"),
        ({"poll_interval": float("nan")}, "poll_interval"),
        ({"poll_interval": timedelta(seconds=-1)}, "poll_interval"),
        ({"deadline": float("inf")}, "deadline"),
        ({"deadline": "soon"}, "deadline"),
        ({"max_downloads": "4"}, "max_downloads"),
        ({"max_downloads": 2.5}, "max_downloads"),
        ({"max_downloads": True}, "max_downloads"),
        ({"ledger": 5}, "ledger"),
        ({"ledger": b"ledger.db"}, "ledger"),
        ({"observers": print}, "observers"),
        ({"observers": [print, "log"]}, "observers"),
        ({"accounts": Acme()}, "accounts"),
        ({"accounts": [Acme().report("q3")]}, "accounts"),
        ({"accounts": [Acme]}, "accounts"),
    ],
    ids=[
        "on_exit",
        "max_downloads",
        "negative",
        "nan",
        "negative-timedelta",
        "infinite",
        "text",
        "number-as-text",
        "half-a-file",
        "flag-for-number",
        "number-for-a-file",
        "bytes-for-a-file",
        "one-observer",
        "text-for-an-observer",
        "one-account",
        "export-for-an-account",
        "parentheses-forgotten",
    ],
)
def test_an_option_that_cannot_be_right_is_refused_by_name(
    options: dict[str, object], field: str
) -> None:
    """A wrong option is refused when the poller is made, and the error names it."""
    with pytest.raises(InvalidArgument) as caught:
        Poller(**options)  # type: ignore[arg-type]

    assert caught.value.field == field


async def test_a_poller_that_was_not_entered_says_so(make_poller: MakePoller) -> None:
    """Using a poller outside its block is refused with the way to do it."""
    poller = make_poller()
    is_refused = partial(
        raises_error,
        WrongContext,
        reason="the poller is not running",
        remedy="enter it first: async with exportjobs.Poller() as poller",
    )

    with is_refused():
        poller.run(reports(Acme(), "q3"), into=None)
    with is_refused():
        await poller.submit(Acme().report("q3"))
    with is_refused():
        await poller.resume(STRANGER)
    with is_refused():
        await poller.cancel(STRANGER)
    with is_refused():
        _ = poller.outstanding


async def test_a_poller_that_was_left_says_so(vendor: Vendor, make_poller: MakePoller) -> None:
    """A poller that was left takes nothing more."""
    async with make_poller() as poller:
        pass

    with pytest.raises(WrongContext):
        await poller.submit(Acme().report("q3"))

    assert vendor.said == []


async def test_two_different_accounts_of_one_name_are_refused_before_anything_is_sent(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Two keys under one account name in one run are refused whole."""
    vendor.report("q3")
    exports = [Acme("one").report("q3"), Acme("other").report("q3")]

    async with make_poller() as poller:
        with raises_error(
            InvalidArgument,
            reason="name: two different accounts are both called 'default'",
            remedy="give each a name of its own",
            vendor="acme",
        ):
            poller.run(exports, into=None)

    assert vendor.said == []


async def test_one_account_written_twice_is_one_account(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Two equal adapters are the same account."""
    vendor.report("q3", submits=["done"])
    vendor.report("q4", submits=["done"])

    async with make_poller() as poller:
        results = await finish(poller, [*reports(Acme(), "q3"), *reports(Acme(), "q4")])

    assert all(finished.ok for finished in results)


async def test_two_named_accounts_of_one_name_are_refused_and_leave_nothing_behind(
    make_poller: MakePoller, tmp_path: Path
) -> None:
    """A poller that cannot be entered has no task and no ledger open afterwards."""
    before = {task.id for task in anyio.get_running_tasks()}
    accounts = [Acme("one"), Acme("other")]

    with pytest.raises(InvalidArgument, match="'default'"):
        async with make_poller(accounts=accounts, ledger=tmp_path / "ledger.db"):
            pass

    assert {task.id for task in anyio.get_running_tasks()} == before
    assert list(tmp_path.glob("*-wal")) == []


@pytest.mark.parametrize(
    "exports",
    [Acme().report("q3"), ["q3"], [Acme()], [None], "q3", [JobRef("acme", "default", "q3")]],
    ids=["one-export", "text", "adapter", "none", "letters", "ref"],
)
async def test_what_is_no_list_of_exports_is_refused(
    vendor: Vendor, make_poller: MakePoller, exports: list[object]
) -> None:
    """Something else than exports is refused by name before anything is sent."""
    async with make_poller() as poller:
        with pytest.raises(InvalidArgument) as caught:
            poller.run(exports, into=None)  # type: ignore[arg-type]

    assert caught.value.field == "exports"
    assert vendor.said == []


async def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_sent(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A target below a file is refused with its path, and no job is submitted."""
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" / "landing"

    async with make_poller() as poller:
        results = poller.run(reports(Acme(), "q3", "q4"), into=folder)
        with pytest.raises(DestinationFailed, match="landing"):
            await anext(results)
        assert [finished async for finished in results] == []
        assert poller.outstanding == ()

    assert vendor.said == []


async def test_a_folder_is_made_with_its_parents(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """The landing folder need not exist, and its test leaves nothing in it."""
    vendor.report("q3", submits=["done"])
    folder = tmp_path / "a" / "b"

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q3"), folder)

    assert folder.is_dir()
    assert list(folder.iterdir()) == []


async def test_a_ledger_that_cannot_be_opened_is_told_on_entering(
    make_poller: MakePoller, tmp_path: Path
) -> None:
    """A ledger in a folder that does not exist is refused with its path."""
    before = {task.id for task in anyio.get_running_tasks()}

    with pytest.raises(LedgerFailed, match="nowhere"):
        async with make_poller(ledger=tmp_path / "nowhere" / "ledger.db"):
            pass

    assert {task.id for task in anyio.get_running_tasks()} == before


async def test_a_ref_of_an_unknown_account_is_refused_with_the_remedy(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A ref whose adapter was never handed over is refused by resume and by cancel."""
    async with make_poller() as poller:
        for refused in (poller.resume, poller.cancel):
            with raises_error(
                UnknownAccount,
                reason="no adapter for the account acme/stranger",
                remedy="pass its adapter: Poller(accounts=[...])",
                vendor="acme",
                ref=STRANGER,
            ):
                await refused(STRANGER)

    assert vendor.said == []


@pytest.mark.parametrize(
    "ref",
    ["q3", REF.to_json(), None, Acme().resume(REF)],
    ids=["id", "json", "none", "resumption"],
)
async def test_what_is_no_ref_is_refused_with_the_remedy(
    vendor: Vendor,
    make_poller: MakePoller,
    ref: Any,  # noqa: ANN401 - wrong on purpose
) -> None:
    """A job's id or a ref's JSON has to be made a ref first."""
    is_refused = partial(
        raises_error,
        InvalidArgument,
        reason="ref: must be a JobRef",
        remedy="read one with JobRef.from_json(text)",
    )
    async with make_poller(accounts=[Acme()]) as poller:
        for refused in (poller.resume, poller.cancel):
            with is_refused():
                await refused(ref)
    with is_refused(vendor="acme"):
        Acme().resume(ref)

    assert vendor.said == []


def test_a_ref_is_not_resumed_with_another_account() -> None:
    """An adapter refuses a ref of an account that it is not."""
    with raises_error(
        InvalidRef,
        reason="job ref: belongs to acme/stranger, not to acme/default",
        remedy="resume it with the adapter of its own account",
        vendor="acme",
        ref=STRANGER,
    ):
        Acme().resume(STRANGER)


async def test_a_run_of_nothing_ends_at_once(make_poller: MakePoller) -> None:
    """An empty list of exports gives no result and does not wait."""
    async with make_poller() as poller:
        results = poller.run([], into=None)

        assert len(results) == 0
        assert [finished async for finished in results] == []
