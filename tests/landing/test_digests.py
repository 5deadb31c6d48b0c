"""What hosts promise of a file's bytes is read where it is sure, and checked."""

import base64
import hashlib
import zlib
from collections.abc import Mapping
from itertools import pairwise

import google_crc32c
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._landing.digests import Digests, expected_digests, of_hex

CONTENT = b"a,b\n1,2\n"
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).digest()
SHA1 = hashlib.sha1(CONTENT, usedforsecurity=False).digest()
SHA256 = hashlib.sha256(CONTENT).digest()
SHA512 = hashlib.sha512(CONTENT).digest()
CRC32 = zlib.crc32(CONTENT).to_bytes(4, "big")
CRC32C = google_crc32c.value(CONTENT).to_bytes(4, "big")
ALL = {
    "md5": MD5,
    "sha-1": SHA1,
    "sha-256": SHA256,
    "sha-512": SHA512,
    "crc32": CRC32,
    "crc32c": CRC32C,
}
FAMILIES = [
    "repr-digest",
    "digest",
    "content-digest",
    "x-goog-hash",
    "x-ms-blob-content-md5",
    "content-md5",
    "x-amz-checksum-sha256",
    "x-amz-checksum-crc32c",
]

any_text = st.text(st.characters(exclude_categories=()))


def b64(digest: bytes) -> str:
    """Return a digest as headers write it."""
    return base64.b64encode(digest).decode()


def promises(name: str, value: str, *, whole: bool = True) -> Mapping[str, bytes]:
    """Return what one header promises."""
    return expected_digests({name: value}, whole=whole)


def computed(*pieces: bytes, algorithms: Mapping[str, bytes]) -> Digests:
    """Return the digests of some bytes that came in pieces."""
    digests = Digests.of(algorithms)
    for piece in pieces:
        for algorithm in digests.hashes.values():
            algorithm.update(memoryview(piece))
    return digests


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        pytest.param(
            "repr-digest", f"sha-256=:{b64(SHA256)}:", {"sha-256": SHA256}, id="repr-digest"
        ),
        pytest.param(
            "repr-digest",
            f"sha-256=:{b64(SHA256)}:, sha-512=:{b64(SHA512)}:",
            {"sha-256": SHA256, "sha-512": SHA512},
            id="repr-digest-of-two",
        ),
        pytest.param(
            "repr-digest", f"sha-256=:{b64(SHA256)}:;q=1", {"sha-256": SHA256}, id="parameters"
        ),
        pytest.param("digest", f"SHA-256={b64(SHA256)}", {"sha-256": SHA256}, id="legacy"),
        pytest.param(
            "digest",
            f"sha={b64(SHA1)},MD5={b64(MD5)},UNIXsum=30637",
            {"sha-1": SHA1, "md5": MD5},
            id="legacy-of-several",
        ),
        pytest.param(
            "x-goog-hash",
            f"crc32c={b64(CRC32C)},md5={b64(MD5)}",
            {"crc32c": CRC32C, "md5": MD5},
            id="google",
        ),
        pytest.param(
            "x-goog-hash",
            f"crc32c={b64(CRC32C)}, md5={b64(MD5)}",
            {"crc32c": CRC32C, "md5": MD5},
            id="google-in-two-headers",
        ),
        pytest.param("x-ms-blob-content-md5", b64(MD5), {"md5": MD5}, id="azure"),
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "part"])
def test_what_speaks_of_the_file_counts_whatever_comes(
    name: str, value: str, found: dict[str, bytes], *, whole: bool
) -> None:
    """These are of the whole file, even where a part of it was asked for."""
    assert promises(name, value, whole=whole) == found


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        pytest.param(
            "content-digest", f"sha-256=:{b64(SHA256)}:", {"sha-256": SHA256}, id="content-digest"
        ),
        pytest.param("content-md5", b64(MD5), {"md5": MD5}, id="content-md5"),
        pytest.param("x-amz-checksum-sha256", b64(SHA256), {"sha-256": SHA256}, id="amazon-sha256"),
        pytest.param("x-amz-checksum-sha1", b64(SHA1), {"sha-1": SHA1}, id="amazon-sha1"),
        pytest.param("x-amz-checksum-crc32", b64(CRC32), {"crc32": CRC32}, id="amazon-crc32"),
        pytest.param("x-amz-checksum-crc32c", b64(CRC32C), {"crc32c": CRC32C}, id="amazon-crc32c"),
    ],
)
def test_what_speaks_of_what_comes_counts_where_all_of_it_comes(
    name: str, value: str, found: dict[str, bytes]
) -> None:
    """Beside a part of the file, these would be of that part."""
    assert promises(name, value) == found
    assert promises(name, value, whole=False) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("x-amz-checksum-sha256", f"{b64(SHA256)}-3", id="of-an-uploads-parts"),
        pytest.param("x-amz-checksum-crc32", f"{b64(CRC32)}-12", id="crc-of-an-uploads-parts"),
        pytest.param("x-amz-checksum-type", "COMPOSITE", id="amazon-type"),
        pytest.param("x-amz-checksum-type", "FULL_OBJECT", id="amazon-other-type"),
        pytest.param("x-amz-checksum-crc64nvme", b64(bytes(8)), id="not-known-here"),
        pytest.param("repr-digest", f"sha-256=:{b64(MD5)}:", id="other-length"),
        pytest.param("repr-digest", "sha-256=:::", id="empty"),
        pytest.param("repr-digest", "sha-256", id="no-value"),
        pytest.param("repr-digest", "sha-256=:!!!:", id="no-base64"),
        pytest.param("repr-digest", f"sha-256=:{b64(SHA256)[:-2]}:", id="cut-base64"),
        pytest.param("digest", f"sha-256={SHA256.hex()}", id="hexadecimal"),
        pytest.param("digest", "UNIXsum=30637", id="unix-sum"),
        pytest.param("digest", f"shake_128={b64(bytes(32))}", id="of-any-length"),
        pytest.param("content-md5", MD5.hex(), id="hexadecimal-md5"),
        pytest.param("content-md5", "\u00e9", id="no-ascii"),
        pytest.param("x-goog-hash", "crc32c=", id="empty-crc"),
        pytest.param("etag", f'"{MD5.hex()}"', id="etag"),
    ],
)
def test_what_cannot_be_read_promises_nothing(name: str, value: str) -> None:
    """A file is not refused for a header that says nothing about it."""
    assert promises(name, value) == {}


def test_a_broken_member_does_not_hide_the_others() -> None:
    """Each digest of a list stands for itself."""
    value = f"sha-512=:?:, sha-256=:{b64(SHA256)}:, crc32c"

    assert promises("repr-digest", value) == {"sha-256": SHA256}


def test_all_headers_count_together() -> None:
    """What one of them does not name, another may."""
    headers = {
        "repr-digest": f"sha-512=:{b64(SHA512)}:",
        "x-goog-hash": f"crc32c={b64(CRC32C)}",
        "content-md5": b64(MD5),
        "x-amz-checksum-sha256": b64(SHA256),
    }

    found = expected_digests(headers, whole=True)

    assert found == {"sha-512": SHA512, "crc32c": CRC32C, "md5": MD5, "sha-256": SHA256}


def test_googles_digest_of_the_compressed_bytes_is_none_of_those_that_it_sends() -> None:
    """Where Google undoes a file's compression on the way out, its digest is of what it stores."""
    headers = {
        "x-goog-hash": f"crc32c={b64(CRC32C)},md5={b64(MD5)}",
        "x-goog-stored-content-encoding": "gzip",
        "warning": "214 UploadServer gunzipped",
    }

    assert expected_digests(headers, whole=True) == {}


def test_googles_digest_of_the_compressed_bytes_is_of_those_where_it_sends_them() -> None:
    """A file that is stored and sent compressed has the digest that is named."""
    headers = {
        "x-goog-hash": f"md5={b64(MD5)}",
        "x-goog-stored-content-encoding": "gzip",
        "content-encoding": "gzip",
    }

    assert expected_digests(headers, whole=True) == {"md5": MD5}


@given(
    headers=st.dictionaries(st.sampled_from(FAMILIES), any_text),
    whole=st.booleans(),
)
@example(headers={"x-amz-checksum-": "="}, whole=True)
def test_any_headers_promise_what_can_be_computed(headers: dict[str, str], *, whole: bool) -> None:
    """No text is an exception, and no promise is one that nothing here can look into."""
    found = expected_digests(headers, whole=whole)

    assert Digests.of(found).checkable(found) == tuple(sorted(found))


@given(content=st.binary(max_size=500), cuts=st.lists(st.integers(0, 500), max_size=4))
def test_bytes_have_their_digests_however_they_come(content: bytes, cuts: list[int]) -> None:
    """Each algorithm gives what its own library gives for all the bytes at once."""
    ends = [0, *sorted(cuts), len(content)]
    pieces = [content[start:end] for start, end in pairwise(ends)]

    digests = computed(*pieces, algorithms=ALL)

    assert {name: one.digest() for name, one in digests.hashes.items()} == {
        "md5": hashlib.md5(content, usedforsecurity=False).digest(),
        "sha-1": hashlib.sha1(content, usedforsecurity=False).digest(),
        "sha-256": hashlib.sha256(content).digest(),
        "sha-512": hashlib.sha512(content).digest(),
        "crc32": zlib.crc32(content).to_bytes(4, "big"),
        "crc32c": google_crc32c.value(content).to_bytes(4, "big"),
    }


@pytest.mark.parametrize("algorithm", ALL)
def test_a_promise_is_kept_by_the_same_bytes_alone(algorithm: str) -> None:
    """One other byte breaks it, whatever the algorithm."""
    promise = {algorithm: ALL[algorithm]}
    right = computed(CONTENT[:3], CONTENT[3:], algorithms=promise)
    wrong = computed(CONTENT[:-1], b"\r", algorithms=promise)

    assert (right.mismatched(promise), wrong.mismatched(promise)) == ((), (algorithm,))
    assert right.checkable(promise) == (algorithm,)


def test_the_sha256_is_computed_where_nobody_promised_it() -> None:
    """Every file that lands has one."""
    digests = computed(CONTENT, algorithms={})

    assert digests.sha256 == SHA256.hex()
    assert digests.checkable({}) == digests.mismatched({}) == ()


def test_every_broken_promise_is_named() -> None:
    """The user learns which of several digests did not fit."""
    promises = {"md5": MD5, "crc32": bytes(4), "sha-1": bytes(20)}

    assert computed(CONTENT, algorithms=promises).mismatched(promises) == ("crc32", "sha-1")


@pytest.mark.parametrize(
    ("digests", "found"),
    [
        pytest.param({"md5": MD5.hex(), "sha256": SHA256.hex()}, True, id="lower-case"),
        pytest.param({"md5": MD5.hex().upper(), "sha256": SHA256.hex().upper()}, True, id="upper"),
        pytest.param({"md5": None, "sha256": None}, False, id="none"),
        pytest.param({"md5": "", "sha256": ""}, False, id="empty"),
        pytest.param({"md5": SHA256.hex(), "sha256": MD5.hex()}, False, id="other-lengths"),
        pytest.param({"md5": b64(MD5), "sha256": "no digest"}, False, id="no-hexadecimal"),
    ],
)
def test_a_vendors_hexadecimal_digests_are_read(
    digests: dict[str, str | None], *, found: bool
) -> None:
    """What is no digest of its kind promises nothing."""
    assert of_hex(**digests) == ({"md5": MD5, "sha-256": SHA256} if found else {})
