"""Two answers speak of the same version of a file only where their host proves it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._landing.opening import Version

ANSWERED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DATE = format_datetime(ANSWERED, usegmt=True)
LONG_AGO = "Sat, 28 Feb 2026 12:00:00 GMT"

any_text = st.text(st.characters(exclude_categories=()))
any_time = any_text | st.builds(
    "Mon, {} Jan {} {}:00:00 {}".format,
    st.integers(-1, 10**12),
    st.integers(-1, 10**25),
    st.integers(-1, 10**12),
    st.sampled_from(["GMT", "+0000", "-0000", "+9999", "+99999999999999999999999", "", "EST"]),
)


def changed(seconds: float) -> str:
    """Return the time of a file that changed so many seconds before the answer."""
    return format_datetime(ANSWERED - timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("etag", ['"a"', '"a-1"', '""', '"W/a"', '  "a" '])
def test_a_strong_etag_is_a_condition(etag: str) -> None:
    """It changes with every byte, so it goes before a time."""
    version = Version.of({"etag": etag, "last-modified": LONG_AGO, "date": DATE}, 8)

    assert version.condition == etag.strip()


@pytest.mark.parametrize("etag", ['W/"a"', 'w/"a"', "a", '"', '"a', 'a"', "", " ", "*"])
def test_an_etag_that_is_not_strong_is_none(etag: str) -> None:
    """A weak one may stay the same while bytes change."""
    version = Version.of({"etag": etag}, 8)

    assert version == Version(size=8)
    assert version.condition == ""


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [
        pytest.param(86_400, True, id="a-day"),
        pytest.param(2, True, id="two-seconds"),
        pytest.param(1, True, id="one-second"),
        pytest.param(0, False, id="this-second"),
        pytest.param(-60, False, id="the-future"),
    ],
)
def test_a_time_counts_where_the_file_is_older_than_the_answer(
    seconds: float, *, counts: bool
) -> None:
    """Within the second of its last change a file may change again and keep its time."""
    version = Version.of({"last-modified": changed(seconds), "date": DATE}, 8)

    assert version.condition == (changed(seconds) if counts else "")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"last-modified": LONG_AGO}, id="no-date"),
        pytest.param({"last-modified": LONG_AGO, "date": "today"}, id="date-in-words"),
        pytest.param({"last-modified": "2026-02-28", "date": DATE}, id="iso-time"),
        pytest.param({"last-modified": "", "date": DATE}, id="empty-time"),
        pytest.param({"last-modified": LONG_AGO.replace("GMT", "-0000"), "date": DATE}, id="naive"),
        pytest.param({"date": DATE}, id="no-time"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_time_that_cannot_be_compared_is_none(headers: dict[str, str]) -> None:
    """Without both times nothing tells how settled the file is."""
    version = Version.of(headers, None)

    assert version.condition == ""


@given(etag=any_text, modified=any_time, date=any_time)
@example(etag="", modified="Mon, 01 Jan 99999999999999 00:00:00 GMT", date=DATE)
@example(etag="", modified="Mon, 01 Jan 2020 00:00:00 +99999999999999999999", date=DATE)
@example(etag="", modified="Mon, 01 Jan 0001 00:00:00 +2359", date=DATE)
def test_any_headers_give_a_version(etag: str, modified: str, date: str) -> None:
    """Whatever a host says, it is a version or none, and no exception."""
    version = Version.of({"etag": etag, "last-modified": modified, "date": date}, 8)

    assert version.etag in {"", etag.strip()}
    assert version.modified in {"", modified.strip()}


@pytest.mark.parametrize(
    ("asked", "headers", "size", "same"),
    [
        pytest.param(Version('"a"', "", 8), {"etag": '"a"'}, 8, True, id="same-etag"),
        pytest.param(Version('"a"', "", None), {"etag": '"a"'}, 8, True, id="size-now-known"),
        pytest.param(Version('"a"', "", 8), {"etag": '"a"'}, None, True, id="size-not-said"),
        pytest.param(Version('"a"', "", 8), {"etag": '"a"'}, 9, False, id="other-size"),
        pytest.param(Version('"a"', "", 8), {"etag": '"b"'}, 8, False, id="other-etag"),
        pytest.param(Version('"a"', "", 8), {"etag": 'W/"a"'}, 8, False, id="weak-by-now"),
        pytest.param(Version('"a"', "", 8), {}, 8, False, id="no-etag-any-more"),
        pytest.param(
            Version('"a"', LONG_AGO, 8), {"last-modified": LONG_AGO}, 8, False, id="time-for-etag"
        ),
        pytest.param(
            Version("", LONG_AGO, 8), {"last-modified": LONG_AGO}, 8, True, id="same-time"
        ),
        pytest.param(Version("", LONG_AGO, 8), {}, 8, True, id="time-left-out"),
        pytest.param(Version("", LONG_AGO, 8), {"last-modified": DATE}, 8, False, id="other-time"),
        pytest.param(Version("", LONG_AGO, 8), {}, 9, False, id="same-time-other-size"),
        pytest.param(Version("", "", 8), {}, 8, False, id="nothing-to-tell-by"),
        pytest.param(Version("", "", 8), {"etag": '"a"'}, 8, False, id="etag-came-too-late"),
    ],
)
def test_only_what_is_proven_goes_on(
    asked: Version, headers: dict[str, str], size: int | None, *, same: bool
) -> None:
    """A part is of the version that was asked for where its validator and its size say so."""
    continued = asked.is_continued_by(headers, size)

    assert continued is same
