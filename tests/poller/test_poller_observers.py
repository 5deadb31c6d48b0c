"""Observers and the log: told everything, and unable to do harm."""

import logging
from pathlib import Path

import pytest
from tests.support.acme import Acme, MakePoller, finish, reports, signed, status
from tests.support.acme_api import Vendor

from exportjobs import Event
from exportjobs.events import Ended, Landed, Polled, Submitted, Waiting


async def test_a_job_is_told_of_from_start_to_end(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], tmp_path: Path
) -> None:
    """Each step is one event, in the order in which it happened."""
    vendor.report("q1", "running", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert [type(event).__name__ for event in events] == [
        "Waiting",
        "Submitted",
        "Polled",
        "Polled",
        "DownloadProgress",
        "DownloadProgress",
        "Landed",
        "Ended",
    ]
    assert {event.subject.number for event in events} == {1}


async def test_events_name_their_export_before_it_has_a_ref(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """Vendor, account and kind are known from the start, the ref from the acceptance on."""
    vendor.report("q1", submits=["done"])

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(name="sales"), "q1"))

    subjects = {type(event): event.subject for event in events}
    assert str(subjects[Waiting]) == "acme/sales/report"
    assert str(subjects[Submitted]) == "acme/sales/report/q1"
    assert subjects[Ended].ref == finished.ref


async def test_polls_say_when_the_next_one_comes(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A progress display can count down to the next question."""
    vendor.report("q1", "running", "done")

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    assert [event.next_in for event in events if isinstance(event, Polled)] == [10, None]


async def test_an_observer_that_fails_hurts_nobody(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    """The other observers and the job are not affected, and the failure is logged."""
    vendor.report("q1", "done")

    def fail(event: Event) -> None:
        raise ZeroDivisionError(event)

    async with make_poller(observers=[fail, events.append]) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.ok
    assert isinstance(events[-1], Ended)
    assert "observer failed" in caplog.messages


async def test_the_log_tells_the_same_with_constant_messages(
    vendor: Vendor, make_poller: MakePoller, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Each event is a record of the logger `exportjobs`, with its data under one extra name."""
    caplog.set_level(logging.DEBUG, logger="exportjobs")
    vendor.report("q1", status(429), "PONDERING", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"), tmp_path)

    ours = [record for record in caplog.records if record.name == "exportjobs"]
    levels = {record.msg: record.levelno for record in ours}
    assert levels["export submitted"] == logging.INFO
    assert levels["account throttled by its vendor"] == logging.WARNING
    assert levels["status unknown to the adapter"] == logging.WARNING
    assert levels["job polled"] == logging.DEBUG
    assert levels["export ended"] == logging.INFO
    assert all(record.args == () for record in ours)
    assert all("acme/default/report" in record.__dict__["exportjobs"]["subject"] for record in ours)


async def test_nothing_is_logged_above_a_warning(
    vendor: Vendor, make_poller: MakePoller, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong is the caller's to judge: no record is an error."""
    caplog.set_level(logging.DEBUG)
    vendor.report("q1", status(503))
    vendor.report("q2", submits=[status(400)])

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1", "q2"))

    ours = [record.levelno for record in caplog.records if record.name == "exportjobs"]
    assert max(ours) <= logging.WARNING


async def test_a_landed_file_is_told_with_what_it_is(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], tmp_path: Path
) -> None:
    """The event of a landed file has the same file as the result."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert tuple(event.file for event in events if isinstance(event, Landed)) == finished.files
