"""How far a file has come is written down whole, and read back only as it was written."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._landing.digests import Digests
from exportjobs._landing.into.sidecar import LENGTH, Sidecar
from exportjobs._landing.opening import Version

SIDECAR = Sidecar(
    version=Version('"a-1"', "Sat, 28 Feb 2026 12:00:00 GMT", 20),
    suffix=".csv.gz",
    expected={"md5": bytes(16), "sha-256": bytes(range(32))},
    received=5,
    sha256="0" * 64,
)
WRITTEN: dict[str, Any] = json.loads(SIDECAR.to_bytes())

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
sidecars = st.builds(
    Sidecar,
    version=st.builds(
        Version,
        st.just("") | printable.map('"{}"'.format),
        printable,
        st.none() | st.integers(0, 10**18),
    ),
    suffix=st.from_regex(r"(\.[a-z0-9]{1,8}){0,2}", fullmatch=True),
    expected=st.dictionaries(st.just("md5"), st.binary(min_size=16, max_size=16)),
    received=st.integers(0, 10**18),
    sha256=st.just("") | st.binary(min_size=32, max_size=32).map(bytes.hex),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def written(**members: object) -> bytes:
    """Return a sidecar with some members as nobody wrote them."""
    return json.dumps({**WRITTEN, **members}).encode()


@given(sidecar=sidecars)
@example(sidecar=SIDECAR)
def test_what_is_written_is_read(sidecar: Sidecar) -> None:
    """Nothing is lost, and one write of a fixed length holds it all."""
    content = sidecar.to_bytes()

    assert len(content) == LENGTH
    assert Sidecar.from_bytes(content) == sidecar


def test_one_that_does_not_fit_is_nothing() -> None:
    """A host with an endless validator has files that are not resumed."""
    content = Sidecar(version=Version('"' + "x" * LENGTH + '"')).to_bytes()

    assert content == b""
    assert Sidecar.from_bytes(content) is None


@given(cut=st.integers(0, len(SIDECAR.to_bytes().rstrip()) - 1))
def test_a_piece_of_one_is_none(cut: int) -> None:
    """What a full disk or a dying process cut off is not believed."""
    assert Sidecar.from_bytes(SIDECAR.to_bytes()[:cut]) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(LENGTH), id="zeros"),
        pytest.param(b"\xff" * LENGTH, id="no-text"),
        pytest.param(b"[" * LENGTH, id="deep"),
        pytest.param(b"[" * 5000, id="deeper"),
        pytest.param(b"{}", id="no-members"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"1", id="number"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"exportjobs": 1}', id="version-alone"),
        pytest.param(b'{"exportjobs": ' + b"9" * 5000 + b"}", id="huge-number"),
        pytest.param(SIDECAR.to_bytes() * 2, id="twice"),
    ],
)
def test_garbage_is_none(content: bytes) -> None:
    """Whatever stands in the file, there is no exception."""
    assert Sidecar.from_bytes(content) is None


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"exportjobs": 2}, id="later-version"),
        pytest.param({"exportjobs": "1"}, id="version-in-words"),
        pytest.param({"etag": None}, id="no-etag"),
        pytest.param({"etag": ["a"]}, id="etags"),
        pytest.param({"modified": 5}, id="time-as-number"),
        pytest.param({"size": -1}, id="negative-size"),
        pytest.param({"size": 1.5}, id="half-a-byte"),
        pytest.param({"size": True}, id="size-as-truth"),
        pytest.param({"size": "20"}, id="size-in-words"),
        pytest.param({"received": -1}, id="negative-bytes"),
        pytest.param({"received": "5"}, id="bytes-in-words"),
        pytest.param({"sha256": None}, id="no-digest"),
        pytest.param({"promises": None}, id="no-promises"),
        pytest.param({"promises": ["md5"]}, id="promises-in-a-list"),
        pytest.param({"promises": {"md5": "xyz"}}, id="promise-in-words"),
        pytest.param({"promises": {"md5": None}}, id="promise-of-nothing"),
        pytest.param({"suffix": None}, id="no-suffix"),
        pytest.param({"suffix": "/../../etc/passwd"}, id="climbing"),
        pytest.param({"suffix": ".csv/../x"}, id="climbing-later"),
        pytest.param({"suffix": "\\..\\x"}, id="backslashes"),
        pytest.param({"suffix": ".CSV"}, id="capitals"),
        pytest.param({"suffix": ".csv\n"}, id="line-break"),
        pytest.param({"suffix": ".csv\x00"}, id="nul"),
        pytest.param({"suffix": "csv"}, id="no-dot"),
        pytest.param({"suffix": "."}, id="dot"),
        pytest.param({"suffix": ".."}, id="dots"),
        pytest.param({"suffix": ".a.b.c"}, id="three"),
        pytest.param({"suffix": ".toolongsuffix"}, id="long"),
        pytest.param({"suffix": ".c\u0455v"}, id="cyrillic-letter"),
        pytest.param({"suffix": ".csv:ads"}, id="stream"),
    ],
)
def test_a_member_that_we_never_wrote_makes_it_none(members: dict[str, object]) -> None:
    """A file is never continued on the word of somebody else, nor named by it."""
    assert Sidecar.from_bytes(written(**members)) is None


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"etag": '"a"\r\nX-Evil: 1'}, id="header-behind-the-etag"),
        pytest.param({"etag": '"\ud800"'}, id="surrogate-in-etag"),
        pytest.param({"etag": 'W/"a"'}, id="weak-etag"),
        pytest.param({"modified": "x\r\nX-Evil: 1"}, id="header-behind-the-time"),
        pytest.param({"promises": {"shake_128": "00"}}, id="digest-of-any-length"),
        pytest.param({"promises": {"unknown": "00"}}, id="unknown-algorithm"),
        pytest.param({"promises": {"md5": "00"}}, id="short-promise"),
    ],
)
def test_what_would_break_the_next_download_makes_it_none(members: dict[str, object]) -> None:
    """A sidecar that was tampered with costs the bytes that came, not the file."""
    assert Sidecar.from_bytes(written(**members)) is None


@given(member=st.sampled_from(list(WRITTEN)), value=json_values)
@example(member="promises", value={"": ""})
def test_any_member_is_read_or_makes_it_none(member: str, value: object) -> None:
    """What is read can be gone on with: its digests computed, its suffix put in a name."""
    read = Sidecar.from_bytes(written(**{member: value}))

    if read is not None:
        assert Digests.of(read.expected).sha256
        assert "/" not in read.suffix
        assert read.received >= 0


@given(content=st.binary())
def test_any_bytes_are_read_or_none(content: bytes) -> None:
    """There is no exception for whatever is found on a disk."""
    assert Sidecar.from_bytes(content) is None
