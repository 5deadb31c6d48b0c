"""Nothing that opens a file, and nothing that breaks a line, reaches a text that is shown."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs.adapter._redact import hiding, optional_safe_text, safe_text, safe_texts, safe_url

PLANT = "SECRET"
# All that RFC 3986 lets stand in a path, a query or a fragment as it is.
_LEGAL = "abcXYZ019-._~!$&'()*+,;=:@/?%"

any_text = st.text(st.characters(exclude_categories=()))
legal = st.text(_LEGAL, max_size=20)
hosts = st.sampled_from(["files.example", "FILES.Example:8443", "192.0.2.1", "[2001:db8::1]:444"])
schemes = st.sampled_from(["http", "https", "HTTPS", "Http"])


@st.composite
def signed_urls(draw: st.DrawFn) -> str:
    """Draw a legal URL with the secret in its path, its query, its fragment or its userinfo."""
    plants = {place: f"{draw(legal)}{PLANT}{draw(legal)}" for place in ("path", "query")}
    userinfo = f"{PLANT}:{PLANT}@" if draw(st.booleans()) else ""
    path, query = plants["path"].replace("?", ""), plants["query"]
    return f"{draw(schemes)}://{userinfo}{draw(hosts)}/{path}?{query}#{PLANT}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("https://files.example/a/b.csv?sig=s", "https://files.example/…", id="signed"),
        pytest.param("https://files.example", "https://files.example/…", id="bare"),
        pytest.param("https://files.example#s", "https://files.example/…", id="fragment"),
        pytest.param("https://files.example?sig=s", "https://files.example/…", id="no-path"),
        pytest.param("https://u:p@files.example/", "https://files.example/…", id="userinfo"),
        pytest.param("https://u@p@files.example/", "https://files.example/…", id="two-ats"),
        pytest.param("http://localhost:8080/x", "http://localhost:8080/…", id="port"),
        pytest.param("HTTPS://Files.Example/x", "https://files.example/…", id="case"),
        pytest.param("https://[", "…", id="no-address"),
        pytest.param("https://files.example:99999/x", "…", id="no-port"),
        pytest.param("https://files.example:port/x", "…", id="port-in-words"),
    ],
)
def test_a_url_is_cut_down_to_its_host(url: str, shown: str) -> None:
    """Scheme, host and port tell where it points, the rest opens it."""
    safe = safe_url(url)

    assert safe == shown


@given(url=signed_urls())
def test_no_url_shows_its_path_its_query_or_its_userinfo(url: str) -> None:
    """Whatever letters are in it."""
    safe = safe_url(url)

    assert PLANT.casefold() not in safe.casefold()
    assert safe.endswith("/…")


@pytest.mark.parametrize("end", ["\\", "/", "?", "#", "\\\\", "/\\"], ids=repr)
def test_a_host_ends_where_any_client_ends_it(end: str) -> None:
    """Browsers take a backslash for a slash: what is behind it is a path."""
    safe = safe_url(f"https://files.example{end}{PLANT}")

    assert PLANT.casefold() not in safe.casefold()


@given(before=any_text, query=any_text)
@example(before="[", query="")
@example(before="\ud800", query="\ud800")
def test_any_text_is_cut_as_a_url_without_an_exception(before: str, query: str) -> None:
    """A vendor's broken address is shown as far as it can be."""
    safe = safe_url(f"https://files.example/{before}?sig={PLANT}{query}")

    assert PLANT not in safe


@given(url=any_text)
def test_any_text_at_all_has_a_safe_form(url: str) -> None:
    """No text is too broken to be hidden."""
    safe = safe_url(url)

    assert safe.endswith("…")
    assert "?" not in safe


@given(before=st.text(" abc.,:;(=\"'<[{\n"), url=signed_urls(), after=st.text(" .,)>\"'\n"))
@example(before="_", url=f"https://files.example/{PLANT}", after="")
@example(before="url", url=f"https://files.example/{PLANT}", after="")
@example(before="", url=f"https://files.example/o'brien?sig={PLANT}", after="")
def test_a_url_within_a_text_is_cut_down_to_its_host(before: str, url: str, after: str) -> None:
    """A vendor quotes its URLs in its error texts, with whatever letters around them."""
    safe = safe_text(f"{before}{url}{after}")

    assert PLANT not in safe


@given(urls=st.lists(signed_urls(), min_size=2, max_size=5), between=st.sampled_from(" ,;|\n\t"))
def test_every_url_within_a_text_is_cut(urls: list[str], between: str) -> None:
    """Not only the first."""
    safe = safe_text(between.join(urls))

    assert PLANT not in safe


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            rf"https:\/\/files.example\/{PLANT}?sig={PLANT}", id="slashes-escaped-in-json"
        ),
        pytest.param(f"https://files.example\\{PLANT}?sig={PLANT}", id="backslash-for-slash"),
        pytest.param(rf"https://files.example/a\u0026sig={PLANT}", id="ampersand-escaped-in-json"),
        pytest.param(f'{{"url":"https://files.example/{PLANT}"}}', id="in-json"),
        pytest.param(f'<a href="https://files.example/{PLANT}">here</a>', id="in-html"),
        pytest.param(f"next=https://files.example/{PLANT}", id="after-an-equals-sign"),
        pytest.param(f"(https://files.example/{PLANT})", id="in-parentheses"),
        pytest.param(f"HTTPS://FILES.EXAMPLE/{PLANT}", id="upper-case"),
        pytest.param(f"https://u:{PLANT}@files.example/", id="userinfo"),
        pytest.param(f"https://[/{PLANT}", id="no-address"),
    ],
)
def test_a_url_is_found_in_every_dress(text: str) -> None:
    """A vendor's error text may be JSON, HTML or prose."""
    safe = safe_text(text)

    assert PLANT not in safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("field 'x' is unknown", "field 'x' is unknown", id="prose"),
        pytest.param("  two\n\n lines\t", "two lines", id="white-space"),
        pytest.param("a\u2028b\u0085c", "a b c", id="line-separators"),
        pytest.param("\x1b[31mred", "?[31mred", id="terminal-escape"),
        pytest.param("a\x00b\u202ec\ud800", "a?b?c?", id="control-bidi-surrogate"),
        pytest.param("naïve 名前 …", "naïve 名前 …", id="other-scripts"),
        pytest.param("", "", id="empty"),
        pytest.param("see https://h.example/x?s. Then", "see https://h.example/… Then", id="url"),
        pytest.param("http 404 at //h", "http 404 at //h", id="not-a-url"),
    ],
)
def test_a_text_becomes_one_printable_line(text: str, shown: str) -> None:
    """What people can read stays as it is."""
    safe = safe_text(text)

    assert safe == shown


@given(text=any_text)
@example(text="\n" * 1000)
@example(text="x" * 100_000)
@example(text="https://[" * 50)
def test_any_text_becomes_one_bounded_printable_line(text: str) -> None:
    """No vendor's words break a log line, a terminal or a progress bar."""
    safe = safe_text(text)

    assert safe.isprintable()
    assert len(safe) <= 300


@given(text=any_text)
def test_a_safe_text_is_not_changed_again(text: str) -> None:
    """An error is made of texts that have been made safe before."""
    safe = safe_text(text)

    assert safe_text(safe) == safe


@pytest.mark.parametrize(("length", "kept"), [(299, 299), (300, 300), (301, 300), (5000, 300)])
def test_a_long_text_is_cut_and_says_so(length: int, kept: int) -> None:
    """The end of a text that is cut is marked."""
    safe = safe_text("x" * length)

    assert len(safe) == kept
    assert safe.endswith("…") == (length > kept)


def test_a_secret_that_spans_the_cut_is_not_half_shown() -> None:
    """URLs are taken out before the text is cut, not after."""
    safe = safe_text("x " * 140 + f"https://files.example/{quote(PLANT)}?sig={PLANT}")

    assert PLANT not in safe


def test_a_text_that_is_absent_stays_absent() -> None:
    """A vendor that gives no reason has given none."""
    shown = [optional_safe_text(None), optional_safe_text(""), optional_safe_text("a\nb")]

    assert shown == [None, "", "a b"]


def test_each_of_some_texts_is_made_safe() -> None:
    """Warnings come in lists."""
    shown = safe_texts(["a\nb", "https://files.example/x"])

    assert shown == ("a b", "https://files.example/…")


def test_a_secret_is_hidden_where_it_is_known() -> None:
    """A vendor may quote the key that it refuses."""
    with hiding({"k-123456"}):
        shown = safe_text("no such key: k-123456 (k-123456)")

    assert shown == "no such key: … (…)"
    assert safe_text("k-123456") == "k-123456"


def test_a_secret_that_is_part_of_another_leaves_nothing_of_it() -> None:
    """The longer one goes first."""
    with hiding(["secret", "secret-and-more"]):
        shown = safe_text("secret-and-more, secret")

    assert shown == "…, …"


def test_a_secret_that_becomes_known_later_is_hidden_too() -> None:
    """An account that signs in has a token only then."""
    known: set[str] = set()
    with hiding(known):
        known.add("token-1")
        shown = safe_text("bad token-1")

    assert shown == "bad …"


def test_a_very_short_secret_does_not_garble_everything() -> None:
    """Whoever has a key of a few letters cannot have it hidden."""
    with hiding({"a", ""}):
        shown = safe_text("a bad key")

    assert shown == "a bad key"
