"""What a host answers is a whole file, the proven rest of one, or an error that says what to do."""

import base64
import hashlib
from collections.abc import Mapping

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from exportjobs._landing.opening import (
    Head,
    NoContinuation,
    Opening,
    Version,
    check_no_error_page,
    may_be_error_page,
    opening,
)
from exportjobs.adapter._errors import DownloadFailed, FileError, NetworkError, SignedUrlRejected

CONTENT = b"a,b\n1,2\n"
MODIFIED = "Sat, 28 Feb 2026 12:00:00 GMT"
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
TAGGED = Version('"a"', "", 20)
TIMED = Version("", MODIFIED, 20)
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).digest()
MD5_TEXT = base64.b64encode(MD5).decode()

any_text = st.text(st.characters(exclude_categories=()))


def whole(suffix: str = ".csv", code: int = 200, **headers: str) -> Opening:
    """Return what an answer to the request for a whole file amounts to."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return opening(Head(code, named), suffix=suffix, asked=None, start=0)


def rest(
    content_range: str,
    headers: Mapping[str, str] | None = None,
    *,
    asked: Version = TAGGED,
    code: int = 206,
) -> Opening:
    """Return what an answer to the request for the rest of a file amounts to."""
    named = {"content-range": content_range, **(headers or {})}
    return opening(Head(code, named), suffix=".csv", asked=asked, start=5)


def test_a_whole_file_begins_at_its_start() -> None:
    """Its size, version, digests and type are what the headers say; an ETag is version enough."""
    opened = whole(
        content_length="8",
        content_type="Text/CSV; charset=utf-8",
        content_md5=MD5_TEXT,
        etag='"a"',
        last_modified=MODIFIED,
        date=DATE,
    )

    version = Version('"a"', size=8)
    assert opened == Opening(0, 8, version, {"md5": MD5}, compressed=False, media_type="text/csv")


@pytest.mark.parametrize(
    "length",
    ["", "-1", "+8", "8.0", "0x8", "8 bytes", "8, 8", "\u00b2", "nan"],
)
def test_a_length_that_is_none_is_not_known(length: str) -> None:
    """A header that is no number decides nothing."""
    opened = whole(content_length=length)

    assert opened.size is None
    assert opened.version.size is None


@pytest.mark.parametrize("length", ["1" * 19, "9" * 5000])
def test_a_length_that_no_disk_holds_is_no_exception(length: str) -> None:
    """More digits than Python cares to read are still only a large file."""
    opened = whole(content_length=length)

    assert opened.size is None or opened.size > 10**17


def test_a_file_of_no_bytes_has_a_size() -> None:
    """Nought is known, which is something else than not known."""
    assert whole(content_length="0").size == 0


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip ", "x-gzip"])
@pytest.mark.parametrize("suffix", [".csv", ".json", ".zip", ""])
def test_a_compression_for_the_way_is_undone(encoding: str, suffix: str) -> None:
    """Length, version and digests are of the bytes before that, so none of them is used."""
    opened = whole(
        suffix, content_encoding=encoding, content_length="8", content_md5=MD5_TEXT, etag='"a"'
    )

    assert opened == Opening(compressed=True)
    assert opened.version.condition == ""


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
@pytest.mark.parametrize("suffix", [".gz", ".csv.gz", ".tar.gz", ".tgz"])
def test_a_file_that_is_a_gzip_itself_stays_one(encoding: str, suffix: str) -> None:
    """Stores that were told of the payload's compression name it as if it were the way's."""
    opened = whole(
        suffix, content_encoding=encoding, content_length="8", content_md5=MD5_TEXT, etag='"a"'
    )

    assert opened == Opening(0, 8, Version('"a"', "", 8), {"md5": MD5}, compressed=False)


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", " "])
def test_no_compression_is_none(encoding: str) -> None:
    """A host may say outright that it did nothing."""
    opened = whole(content_encoding=encoding, content_length="8")

    assert (opened.compressed, opened.size) == (False, 8)


@pytest.mark.parametrize(
    ("asked", "content_range", "headers"),
    [
        pytest.param(TAGGED, "bytes 5-19/20", {"etag": '"a"'}, id="etag"),
        pytest.param(TAGGED, "Bytes  5-19/20 ", {"etag": '"a"'}, id="spelled-otherwise"),
        pytest.param(TAGGED, "bytes 5-19/*", {"etag": '"a"'}, id="total-known-from-before"),
        pytest.param(TIMED, "bytes 5-19/20", {"last-modified": MODIFIED}, id="time"),
        pytest.param(TIMED, "bytes 5-19/20", {}, id="time-left-out"),
        pytest.param(
            Version('"a"', "", None), "bytes 5-19/20", {"etag": '"a"'}, id="total-known-by-now"
        ),
    ],
)
def test_a_proven_rest_goes_on(asked: Version, content_range: str, headers: dict[str, str]) -> None:
    """Start, end, total and validator fit what was asked for."""
    opened = rest(content_range, headers, asked=asked)

    assert opened == Opening(5, 20, asked)


@pytest.mark.parametrize(
    ("content_range", "headers"),
    [
        pytest.param("", {"etag": '"a"'}, id="no-range"),
        pytest.param("bytes */20", {"etag": '"a"'}, id="no-part"),
        pytest.param("items 5-19/20", {"etag": '"a"'}, id="other-unit"),
        pytest.param("bytes 5-19", {"etag": '"a"'}, id="no-total"),
        pytest.param("bytes 5-19/20, bytes 0-4/20", {"etag": '"a"'}, id="two-parts"),
        pytest.param("bytes 5--19/20", {"etag": '"a"'}, id="garbage"),
        pytest.param(f"bytes 5-{'9' * 5000}/{'9' * 5000}", {"etag": '"a"'}, id="huge"),
        pytest.param("bytes 4-19/20", {"etag": '"a"'}, id="earlier-start"),
        pytest.param("bytes 6-19/20", {"etag": '"a"'}, id="later-start"),
        pytest.param("bytes 0-19/20", {"etag": '"a"'}, id="from-the-start"),
        pytest.param("bytes 5-18/20", {"etag": '"a"'}, id="not-to-the-end"),
        pytest.param("bytes 5-18/*", {"etag": '"a"'}, id="not-to-the-end-that-is-known"),
        pytest.param("bytes 5-20/20", {"etag": '"a"'}, id="beyond-the-end"),
        pytest.param("bytes 5-4/5", {"etag": '"a"'}, id="backwards"),
        pytest.param("bytes 5-18/19", {"etag": '"a"'}, id="shrunk"),
        pytest.param("bytes 5-20/21", {"etag": '"a"'}, id="grown"),
        pytest.param("bytes 5-19/20", {"etag": '"b"'}, id="other-etag"),
        pytest.param("bytes 5-19/20", {"etag": 'W/"a"'}, id="weak-etag"),
        pytest.param("bytes 5-19/20", {}, id="no-etag"),
        pytest.param(
            "bytes 5-19/20", {"etag": '"a"', "content-encoding": "gzip"}, id="compressed-by-now"
        ),
    ],
)
def test_a_rest_that_is_not_proven_is_none(content_range: str, headers: dict[str, str]) -> None:
    """Whatever does not fit, the file begins anew: no version is mixed with another."""
    with pytest.raises(NoContinuation):
        rest(content_range, headers)


def test_a_rest_whose_end_nobody_knows_is_none() -> None:
    """Where neither answer tells the total, what comes may be any piece of the rest."""
    with pytest.raises(NoContinuation):
        rest("bytes 5-9/*", {"etag": '"a"'}, asked=Version('"a"', "", None))


def test_the_rest_of_a_gzip_may_be_called_compressed() -> None:
    """What was no compression for the way in the first answer is none in the second."""
    head = Head(206, {"content-range": "bytes 5-19/20", "etag": '"a"', "content-encoding": "gzip"})

    opened = opening(head, suffix=".csv.gz", asked=TAGGED, start=5)

    assert opened.start == 5


def test_a_part_tells_digests_of_the_file_and_none_of_itself() -> None:
    """A digest of what comes is no digest of the file."""
    opened = rest(
        "bytes 5-19/20",
        {"etag": '"a"', "content-md5": MD5_TEXT, "x-goog-hash": f"md5={MD5_TEXT}"},
    )
    silent = rest("bytes 5-19/20", {"etag": '"a"', "content-md5": MD5_TEXT})

    assert opened.digests == {"md5": MD5}
    assert silent.digests == {}


def test_the_whole_file_in_answer_to_a_range_starts_over() -> None:
    """A host that knows no ranges, or whose file has changed, says 200."""
    head = Head(200, {"content-length": "8", "etag": '"b"'})

    opened = opening(head, suffix=".csv", asked=TAGGED, start=5)

    assert opened == Opening(0, 8, Version('"b"', "", 8))


def test_a_part_that_nobody_asked_for_is_no_file() -> None:
    """A 206 in answer to the request for the whole file is final."""
    with pytest.raises(DownloadFailed, match="206"):
        whole(code=206, content_range="bytes 0-7/8", etag='"a"')


def test_a_file_that_is_shorter_than_what_came_begins_anew() -> None:
    """A 416 in answer to a range tells that the file has changed."""
    with pytest.raises(NoContinuation, match="416"):
        rest("bytes */3", code=416)


def test_a_416_that_nothing_led_to_is_final() -> None:
    """A host that says so to a request without a range has no file."""
    with pytest.raises(DownloadFailed, match="416"):
        whole(code=416)


@pytest.mark.parametrize("asked", [None, TAGGED], ids=["whole", "rest"])
@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_an_address_that_is_refused_may_be_renewed(code: int, asked: Version | None) -> None:
    """However a host says it, before the first byte or after."""
    with pytest.raises(SignedUrlRejected, match=str(code)):
        opening(Head(code, {}), suffix=".csv", asked=asked, start=5 if asked else 0)


@pytest.mark.parametrize(
    "said",
    [
        b'<?xml version="1.0"?><Error><Code>ExpiredToken</Code><Message>x</Message></Error>',
        b"<?xml version='1.0'?>\n<Error>\n  <Code>ExpiredToken</Code></Error>",
        b"<Error><Code>RequestExpired</Code></Error>",
        b"<Error><Code>TokenRefreshRequired</Code></Error>",
    ],
)
def test_an_expired_token_is_an_expired_address(said: bytes) -> None:
    """Amazon and Google answer 400 and say in XML that it is for the token's age."""
    with pytest.raises(SignedUrlRejected, match="400"):
        opening(Head(400, {}, said), suffix=".csv", asked=None, start=0)


@pytest.mark.parametrize(
    "said",
    [b"", b"<Error><Code>InvalidArgument</Code></Error>", b"ExpiredToken", b"\xff\x00<Code>"],
)
def test_any_other_bad_request_is_final(said: bytes) -> None:
    """A renewal would not help."""
    with pytest.raises(DownloadFailed) as caught:
        opening(Head(400, {}, said), suffix=".csv", asked=None, start=0)

    assert type(caught.value) is DownloadFailed


@pytest.mark.parametrize("asked", [None, TAGGED], ids=["whole", "rest"])
@pytest.mark.parametrize("code", [408, 425, 429, 500, 501, 502, 503, 504, 599])
def test_what_may_pass_is_the_networks(code: int, asked: Version | None) -> None:
    """Nothing that came is given up for it: a rest may still be had later."""
    with pytest.raises(NetworkError, match=str(code)) as caught:
        opening(Head(code, {}), suffix=".csv", asked=asked, start=5 if asked else 0)

    assert not isinstance(caught.value, NoContinuation)


@pytest.mark.parametrize("code", [201, 202, 203, 204, 304, 300, 302, 400, 402, 405, 409, 412, 451])
def test_any_other_answer_is_final(code: int) -> None:
    """Neither asking again nor a fresh address helps."""
    with pytest.raises(DownloadFailed, match=str(code)) as caught:
        whole(code=code)

    assert type(caught.value) is DownloadFailed


ranges = st.builds(
    "bytes {}-{}/{}".format,
    st.integers(-1, 30),
    st.integers(-1, 30),
    st.integers(-1, 30) | st.just("*"),
)
sizes = st.none() | st.integers(0, 30)
etags = st.sampled_from(["", '"a"', '"b"', 'W/"a"', "a"])
times = st.sampled_from(["", MODIFIED, DATE])
headers = st.fixed_dictionaries(
    {},
    optional={
        "content-range": ranges | any_text,
        "etag": etags,
        "last-modified": times,
        "content-length": st.integers(-1, 30).map(str) | any_text,
        "content-encoding": st.sampled_from(["gzip", "identity", "br"]),
        "date": st.just("Mon, 02 Mar 2026 12:00:00 GMT"),
    },
)


@given(
    code=st.sampled_from([200, 206, 206, 206, 403, 416, 500]),
    headers=headers,
    asked=st.builds(Version, etags.filter(lambda e: e != "a"), times, sizes),
    start=st.integers(0, 25),
)
@example(code=206, headers={"content-range": "bytes 5-9/*"}, asked=TIMED, start=5)
@example(
    code=206,
    headers={"content-range": "bytes 5-9/*", "etag": '"a"'},
    asked=Version('"a"', "", None),
    start=5,
)
def test_nothing_goes_on_that_is_not_proven_to_be_the_rest(
    code: int, headers: Mapping[str, str], asked: Version, start: int
) -> None:
    """What goes on begins where the file stands, ends at its end, and is of the same version."""
    assume(asked.condition and not asked.etag.startswith("W/"))
    try:
        opened = opening(Head(code, headers), suffix=".csv", asked=asked, start=start)
    except (FileError, NetworkError):
        return

    if opened.start == 0 and code == 200:
        return
    unit, _, part = headers["content-range"].strip().lower().partition(" ")
    span, _, total = part.strip().partition("/")
    first, _, last = span.partition("-")
    assert (code, unit, opened.start, int(first)) == (206, "bytes", start, start)
    assert opened.size == int(last) + 1
    assert asked.size in {None, opened.size}
    assert total in {"*", str(opened.size)}
    assert total != "*" or asked.size is not None
    assert not asked.etag or headers.get("etag") == asked.etag
    assert asked.etag or headers.get("last-modified", asked.modified) == asked.modified
    assert opened.version == asked


@given(
    code=st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(["content-range", "content-length", "content-encoding", "content-type"]),
        any_text,
    ),
    said=st.binary(),
    asked=st.none() | st.just(TAGGED),
)
def test_any_answer_is_an_opening_or_an_error_of_ours(
    code: int, headers: dict[str, str], said: bytes, asked: Version | None
) -> None:
    """No header is any other exception."""
    try:
        opened = opening(Head(code, headers, said), suffix=".csv", asked=asked, start=5)
    except (FileError, NetworkError):
        return

    assert code in {200, 206}
    assert opened.start in {0, 5}


PAGES = {
    "xml": b'<?xml version="1.0" encoding="utf-8"?><Error/>',
    "html": b"<html><body>expired</body></html>",
    "doctype": b"<!DOCTYPE html><title>Login</title>",
    "error": b"<Error><Code>AccessDenied</Code></Error>",
    "blanks-before": b" \r\n\t<html>",
    "byte-order-mark": b"\xef\xbb\xbf<?xml version='1.0'?>",
    "capitals": b"<HTML>",
}
TYPES = ["text/html", "application/xml", "text/xml", "application/xhtml+xml"]


def look(opened: Opening, begin: bytes, suffix: str) -> None:
    """Look at the first bytes of a file, if there is reason to."""
    if may_be_error_page(opened, suffix):
        check_no_error_page(begin)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize("suffix", [".csv", ".zip", ".json", ".csv.gz"])
def test_an_error_page_with_200_is_no_file(page: bytes, media_type: str, suffix: str) -> None:
    """Some hosts say that an address has expired with a page and a good status."""
    with pytest.raises(SignedUrlRejected):
        look(Opening(media_type=media_type), page, suffix)


@pytest.mark.parametrize(
    ("opened", "begin", "suffix"),
    [
        pytest.param(Opening(media_type="text/html"), PAGES["html"], ".html", id="html"),
        pytest.param(Opening(media_type="text/html"), PAGES["html"], ".htm", id="htm"),
        pytest.param(Opening(media_type="application/xml"), PAGES["xml"], ".xml", id="xml"),
        pytest.param(Opening(media_type="application/xml"), PAGES["xml"], "", id="unknown"),
        pytest.param(Opening(media_type="text/html"), CONTENT, ".csv", id="csv-called-html"),
        pytest.param(Opening(media_type="text/csv"), PAGES["xml"], ".csv", id="xml-called-csv"),
        pytest.param(Opening(media_type="text/html"), b"<b>,1\n", ".csv", id="tag-in-a-csv"),
        pytest.param(Opening(media_type="text/html"), b"<errors>,1", ".csv", id="longer-word"),
        pytest.param(Opening(media_type="text/html"), b"", ".csv", id="empty"),
        pytest.param(Opening(5, media_type="text/html"), PAGES["html"], ".csv", id="middle"),
    ],
)
def test_a_file_is_not_taken_for_an_error_page(opened: Opening, begin: bytes, suffix: str) -> None:
    """What may be the file itself is kept."""
    look(opened, begin, suffix)
