"""What goes out and what comes in: requests and responses, without a network."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from attrs import frozen
from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._http.origins import below
from exportjobs.adapter._errors import MalformedResponse, UntrustedAddress
from exportjobs.adapter._flow import Request, Response, Token, path

BASE = "https://api.acme.example/v1"
any_text = st.text(st.characters(exclude_categories=()))


@frozen
class Job:
    """A job, as a made-up vendor describes it."""

    job_id: str
    size: int | None = None


@pytest.mark.parametrize(
    ("request_", "method", "idempotent"),
    [
        pytest.param(Request.get("/jobs"), "GET", True, id="get"),
        pytest.param(Request.post("/jobs"), "POST", False, id="post"),
        pytest.param(Request.patch("/jobs"), "PATCH", True, id="patch"),
        pytest.param(Request.delete("/jobs"), "DELETE", True, id="delete"),
    ],
)
def test_only_what_creates_something_is_not_repeated(
    request_: Request,
    method: str,
    idempotent: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A POST that is sent twice may cost a second export."""
    sent = (request_.method, request_.path, request_.idempotent)

    assert sent == (method, "/jobs", idempotent)


def test_a_peek_is_a_get_that_reads_no_more_than_the_head() -> None:
    """It asks for the same, and may be repeated."""
    request = Request.peek("/results", params={"page": 2})

    assert (request.method, request.path, request.params) == ("GET", "/results", {"page": 2})
    assert request.head_only
    assert request.idempotent
    assert not Request.get("/results").head_only


def test_a_post_may_be_marked_as_repeatable() -> None:
    """Signing in creates nothing; all else of the request stays."""
    once = Request.post("/token", json={"a": 1}, params={"b": 2}, timeout=timedelta(seconds=9))

    again = once.repeatable()

    assert again.idempotent
    assert not once.idempotent
    assert (again.path, again.json, again.params) == ("/token", {"a": 1}, {"b": 2})
    assert again.timeout == timedelta(seconds=9)


@pytest.mark.parametrize("part", ["params", "json", "form"])
def test_members_that_are_none_are_left_out(part: str) -> None:
    """An optional argument that was not given is not sent; nought and nothing are."""
    members = {"a": None, "b": 0, "c": "", "d": False, "e": (), "f": {"g": None}}

    request = Request(method="POST", path="/jobs", **{part: members})  # type: ignore[arg-type]

    assert getattr(request, part) == {"b": 0, "c": "", "d": False, "e": (), "f": {"g": None}}


def test_a_body_that_is_empty_is_not_one_that_is_absent() -> None:
    """`{}` is sent as JSON, None is no body at all."""
    empty, absent = Request.post("/jobs", json={"a": None}), Request.post("/jobs")

    assert empty.json == {}
    assert absent.json is None
    assert absent.form is None
    assert absent.params == {}


def test_a_request_cannot_be_changed_afterwards() -> None:
    """Neither by its fields nor through the mapping that it was made from."""
    members: dict[str, list[int]] = {"a": [1]}
    request = Request.post("/jobs", json=members)

    members["a"].append(2)
    members["b"] = [3]

    assert request.json is not None
    assert {name: list(member) for name, member in request.json.items()} == {"a": [1]}
    assert not hasattr(request.json, "__setitem__")
    with pytest.raises(FrozenInstanceError):
        request.path = "/other"  # type: ignore[misc]


def test_a_header_replaces_the_one_of_its_name_whatever_the_case() -> None:
    """Headers have one spelling inside the library."""
    request = Request(method="GET", path="/", headers={"X-API-Key": "old", "Accept": "text/csv"})

    signed = request.with_header("x-Api-KEY", "new")

    assert signed.headers == {"x-api-key": "new", "accept": "text/csv"}
    assert request.headers == {"x-api-key": "old", "accept": "text/csv"}


def test_a_request_shows_the_names_of_its_headers_and_not_their_values() -> None:
    """Credentials stand in headers."""
    request = Request.get("/jobs").with_header("X-API-Key", "SECRET").with_header("Accept", "PLAIN")

    shown = repr(request)

    assert "<accept, x-api-key>" in shown
    assert "SECRET" not in shown
    assert "PLAIN" not in shown


@pytest.mark.parametrize("part", ["json", "form"])
def test_a_request_does_not_show_the_secrets_of_its_body(part: str) -> None:
    """Signing in trades a client's secret, which stands in the body, for a token."""
    body = {"clientSecret": "SECRET"}

    shown = repr(Request(method="POST", path="/token", **{part: body}))  # type: ignore[arg-type]

    assert "SECRET" not in shown


def test_a_response_shows_neither_its_content_nor_its_headers_values() -> None:
    """A body may hold signed URLs, a header a cookie."""
    response = Response(200, {"Set-Cookie": "SECRET"}, b"SECRET")

    shown = repr(response)

    assert "set-cookie" in shown
    assert "SECRET" not in shown


def test_a_token_does_not_show_its_value() -> None:
    """It opens the account until it ends."""
    shown = repr(Token("SECRET", timedelta(hours=1)))

    assert "SECRET" not in shown


@pytest.mark.parametrize(
    ("template", "values", "filled"),
    [
        pytest.param("/jobs", (), "/jobs", id="nothing-to-fill"),
        pytest.param("/jobs/{}", ("r-1",), "/jobs/r-1", id="plain"),
        pytest.param("/{}/jobs/{}", ("a", "b"), "/a/jobs/b", id="two"),
        pytest.param("/jobs/{}", ("a/b",), "/jobs/a%2Fb", id="slash"),
        pytest.param("/jobs/{}/x", ("../admin",), "/jobs/..%2Fadmin/x", id="climbs"),
        pytest.param("/jobs/{}", ("a?b#c",), "/jobs/a%3Fb%23c", id="query-and-fragment"),
        pytest.param("/jobs/{}", ("a b+c%20",), "/jobs/a%20b%2Bc%2520", id="space-plus-percent"),
        pytest.param("/jobs/{}", ("{0}{}",), "/jobs/%7B0%7D%7B%7D", id="braces"),
        pytest.param("/jobs/{}", ("a\\b",), "/jobs/a%5Cb", id="backslash"),
        pytest.param("/jobs/{}", ("a\r\nb",), "/jobs/a%0D%0Ab", id="line-break"),
        pytest.param("/jobs/{}", ("é",), "/jobs/%C3%A9", id="not-ascii"),
        pytest.param("/jobs/{}", ("a-._~",), "/jobs/a-._~", id="unreserved"),
    ],
)
def test_a_path_is_filled_with_quoted_values(
    template: str, values: tuple[str, ...], filled: str
) -> None:
    """An id from the vendor stays one segment."""
    made = path(template, *values)

    assert made == filled


def address(value: str) -> str | None:
    """Return where a request with a value in its path goes, if it is sent."""
    try:
        return below(BASE, path("/jobs/{}/results", value))
    except UntrustedAddress:
        return None


@given(value=any_text)
@example(value="\ud800")
@example(value="..")
def test_any_value_stays_one_segment_or_is_not_sent(value: str) -> None:
    """Whatever an id holds, the request goes where the template says or nowhere."""
    url = address(value)

    assert url is None or re.fullmatch(rf"{re.escape(BASE)}/jobs/[\w.~%-]*/results", url, re.ASCII)


@given(value=st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_quoted_value_is_read_back_by_the_vendor(value: str) -> None:
    """Quoting loses nothing."""
    segment = path("/jobs/{}", value).removeprefix("/jobs/")

    assert unquote(segment) == value


@pytest.mark.parametrize(
    ("status", "ok"),
    [(199, False), (200, True), (204, True), (299, True), (300, False), (500, False)],
)
def test_a_response_is_ok_within_the_200s(status: int, *, ok: bool) -> None:
    """A redirect is not an answer."""
    found = Response(status).ok

    assert found is ok


def test_a_responses_headers_are_in_lower_case() -> None:
    """An adapter looks them up by one spelling."""
    response = Response(202, {"Location": "/jobs/1", "Retry-After": "5"})

    assert response.headers == {"location": "/jobs/1", "retry-after": "5"}


def test_a_response_is_parsed_as_json() -> None:
    """As whatever JSON value it is."""
    values = [Response(200, {}, content).json() for content in (b'{"a": [1]}', b"null", b'"x"')]

    assert values == [{"a": [1]}, None, "x"]


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\xff", b"[" * 100_000], ids=["empty", "html", "bytes", "deep"]
)
def test_a_response_that_is_no_json_is_malformed(content: bytes) -> None:
    """A proxy's error page is the vendor's fault, not an exception of the parser."""
    response = Response(200, {}, content)

    with pytest.raises(MalformedResponse):
        response.json()
    with pytest.raises(MalformedResponse):
        response.body(Job)


def test_a_body_is_read_into_a_class() -> None:
    """Whatever the spelling of its members."""
    job = Response(200, {}, b'{"jobId": "1", "size": "7"}').body(Job)

    assert job == Job("1", 7)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="empty"),
        pytest.param(b'{"job": {"jobId": "1"}}', id="wrapped"),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_malformed(content: bytes) -> None:
    """With the path of what is wrong."""
    with pytest.raises(MalformedResponse, match=r"@ \$"):
        Response(200, {}, content).body(Job)
