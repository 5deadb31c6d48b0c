"""The blob origin: signed links, ranges, checksums, and no credentials."""

import base64
import hashlib
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import httpx
import pytest

from exportjobs.sandbox import Sandbox, Served

from .support import SIGNED_LABELS, Enter, ManualClock, get

DAY = 24 * 3600


@pytest.fixture(params=SIGNED_LABELS)
def label(request: pytest.FixtureRequest) -> str:
    """Return the label of each account whose files are on the blob origin."""
    return str(request.param)


@pytest.fixture
def link(label: str, enter: Enter, clock: ManualClock) -> str:
    """Return a link to a file of a job that is done."""
    customer = enter(label)
    job_id = customer.start()
    clock.advance(60)
    return customer.links(job_id)[0]


def code_of(answer: httpx.Response) -> str | None:
    """Return the code of a blob store's error."""
    assert answer.headers["Content-Type"].startswith("application/xml")
    return ET.fromstring(answer.content).findtext("Code")  # noqa: S314 - our own server


def file_behind(link: str, sandbox: Sandbox) -> Served:
    """Return the truth about a linked file."""
    name = httpx.URL(link).path.rpartition("/")[2]
    job_id = httpx.URL(link).path.split("/")[2]
    return next(file for file in sandbox.served if (file.job_id, file.name) == (job_id, name))


def test_a_link_gives_the_file_with_its_checksums(link: str, sandbox: Sandbox) -> None:
    """Length, MD5 and SHA-256 are the truth, and the validator is a strong one."""
    answer = get(link)

    file = file_behind(link, sandbox)
    assert (answer.status_code, len(answer.content)) == (200, file.size)
    assert hashlib.sha256(answer.content).hexdigest() == file.sha256
    digest = hashlib.md5(answer.content, usedforsecurity=False).digest()
    assert base64.b64decode(answer.headers["Content-MD5"]) == digest
    assert answer.headers["ETag"].startswith('"')
    assert parsedate_to_datetime(answer.headers["Last-Modified"]).year == 2026


def test_an_expired_link_is_refused_in_the_store_s_own_words(
    link: str, label: str, clock: ManualClock
) -> None:
    """Azure fails to authenticate, S3 and CloudFront deny access."""
    clock.advance(DAY + 1)

    answer = get(link)

    codes = {"csv": "AuthenticationFailed"}
    assert (answer.status_code, code_of(answer)) == (403, codes.get(label, "AccessDenied"))


def test_a_tampered_link_is_refused(link: str, label: str) -> None:
    """One more character anywhere in the query is enough."""
    answer = get(link + "0")

    codes = {"csv": "AuthenticationFailed", "demandbase": "AccessDenied"}
    expected = codes.get(label, "SignatureDoesNotMatch")
    assert (answer.status_code, code_of(answer)) == (403, expected)


def test_a_link_does_not_open_the_file_next_to_it(link: str) -> None:
    """The signature covers the path."""
    url = httpx.URL(link)

    assert get(str(url.copy_with(path=url.path + "x"))).status_code == 403


def test_an_unsigned_request_is_refused(link: str) -> None:
    """Nobody reads a file by its name alone."""
    answer = get(str(httpx.URL(link).copy_with(query=None)))

    assert (answer.status_code, code_of(answer)) == (403, "AccessDenied")


@pytest.mark.parametrize("header", ["Authorization", "apikey", "X-API-Key"])
def test_a_credential_on_the_blob_origin_is_refused_and_recorded(
    header: str, link: str, sandbox: Sandbox
) -> None:
    """A link and a credential are one too many, and the leak can be seen in the requests."""
    answer = get(link, **{header: "secret"})

    assert (answer.status_code, code_of(answer)) == (400, "InvalidArgument")
    received = sandbox.requests[-1]
    assert (received.origin, received.status) == ("blob", 400)
    assert received.headers[header.lower()] == "secret"


def test_an_unknown_key_is_not_found(sandbox: Sandbox) -> None:
    """A path that is no file's is a 404 with XML."""
    answer = get(f"{sandbox.blob_url}/nowhere")

    assert (answer.status_code, code_of(answer)) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-100", slice(-100, None)),
        ("bytes=100-99999999", slice(100, None)),
    ],
)
def test_a_range_gives_that_part_of_the_file(wanted: str, part: slice, link: str) -> None:
    """First and last bytes, open ends and suffixes are understood."""
    whole = get(link).content

    answer = get(link, Range=wanted)

    first = part.indices(len(whole))[0]
    assert (answer.status_code, answer.content) == (206, whole[part])
    assert answer.headers["Content-Range"].startswith(f"bytes {first}-")
    assert answer.headers["Content-Range"].endswith(f"/{len(whole)}")
    assert "Content-MD5" not in answer.headers


def test_a_range_behind_the_end_cannot_be_satisfied(link: str) -> None:
    """The answer says how long the file is."""
    size = len(get(link).content)

    answer = get(link, Range=f"bytes={size}-")

    assert (answer.status_code, code_of(answer)) == (416, "InvalidRange")
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize("wanted", ["bytes=-", "bytes=0-1,5-6", "rows=0-1", "bytes=a-b"])
def test_a_range_that_is_none_gives_the_whole_file(wanted: str, link: str) -> None:
    """What is not understood is ignored, as RFC 9110 has it."""
    assert get(link, Range=wanted).status_code == 200


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_if_range_gives_a_part_only_of_the_same_file(validator: str, link: str) -> None:
    """A validator that fits gives 206, one that does not gives all of the file."""
    current = get(link).headers[validator]
    other = '"other"' if validator == "ETag" else "Sun, 01 Jan 2023 00:00:00 GMT"

    statuses = [
        get(link, Range="bytes=5-", If_Range=condition).status_code
        for condition in (current, other, "rubbish")
    ]

    assert statuses == [206, 200, 200]


def test_some_stores_suggest_a_file_name(link: str, label: str) -> None:
    """Archives and client lists come as attachments, Demandbase's files do not."""
    has_name = "Content-Disposition" in get(link).headers

    assert has_name == (label in {"closient", "csv"})
