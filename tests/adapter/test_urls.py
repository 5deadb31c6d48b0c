"""How long a signed URL opens its file, read from URLs as the storage services write them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs.adapter._urls import expiry

END = datetime(2026, 8, 31, 12, 30, tzinfo=UTC)
EPOCH = int(END.timestamp())
HOST = "https://files.example/exports/deals.csv"

any_text = st.text(st.characters(exclude_categories=()))
moments = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - hypothesis takes the bounds without a zone
    datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=0))


def cloudfront(policy: object) -> str:
    """Return a CloudFront policy in its own base64, which has no +, = or /."""
    text = policy if isinstance(policy, str) else json.dumps(policy, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode().translate(str.maketrans("+=/", "-_~"))


def custom(epoch: object) -> object:
    """Return a custom policy that ends at a moment."""
    end = {"DateLessThan": {"AWS:EpochTime": epoch}}
    return {"Statement": [{"Resource": "https://files.example/*", "Condition": end}]}


def signed(**query: object) -> str:
    """Return a URL with a query; underscores of the names stand for hyphens."""
    return f"{HOST}?{urlencode({name.replace('_', '-'): value for name, value in query.items()})}"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(
            f"{HOST}?sv=2024-11-04&st=2026-08-31T11%3A00%3A00Z&se=2026-08-31T12%3A30%3A00Z"
            "&sr=b&sp=r&sig=abc%2Fdef%3D",
            id="azure",
        ),
        pytest.param(signed(se="2026-08-31T12:30Z", sig="s"), id="azure-without-seconds"),
        pytest.param(signed(se="2026-08-31T14:30:00+02:00", sig="s"), id="azure-with-zone"),
        pytest.param(signed(se="2026-08-31T12:30:00", sig="s"), id="azure-without-zone"),
        pytest.param(
            f"{HOST}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260831"
            "&X-Amz-Date=20260831T120000Z&X-Amz-Expires=1800&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=0123",
            id="amazon-v4",
        ),
        pytest.param(
            f"{HOST}?x-amz-date=20260831T120000Z&x-amz-expires=1800&x-amz-signature=0123",
            id="amazon-v4-lower-case",
        ),
        pytest.param(f"{HOST}?AWSAccessKeyId=AKIA&Expires={EPOCH}&Signature=a%2Bb", id="amazon-v2"),
        pytest.param(
            f"{HOST}?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=x&X-Goog-Signature=0"
            "&X-Goog-Date=20260831T120000Z&X-Goog-Expires=1800&X-Goog-SignedHeaders=host",
            id="google-v4",
        ),
        pytest.param(f"{HOST}?GoogleAccessId=a%40b&Expires={EPOCH}&Signature=s", id="google-v2"),
        pytest.param(
            f"{HOST}?Expires={EPOCH}&Signature=a-b_c~&Key-Pair-Id=K2", id="cloudfront-canned"
        ),
        pytest.param(
            f"{HOST}?Policy={cloudfront(custom(EPOCH))}&Signature=a-b_c~&Key-Pair-Id=K2",
            id="cloudfront-custom",
        ),
    ],
)
def test_the_end_of_a_lease_is_read(url: str) -> None:
    """Each service writes it in its own way; it comes out aware and in UTC."""
    end = expiry(url)

    assert end == END
    assert end is not None
    assert end.tzinfo is UTC


@given(end=moments, life=st.integers(0, 7 * 24 * 3600))
def test_every_way_of_writing_gives_the_moment_that_was_written(end: datetime, life: int) -> None:
    """The same end, written in five ways, is read five times."""
    begin = end - timedelta(seconds=life)
    epoch = int(end.timestamp())
    urls = [
        signed(se=end.isoformat(), sig="s"),
        signed(X_Amz_Date=f"{begin:%Y%m%dT%H%M%SZ}", X_Amz_Expires=life),
        signed(X_Goog_Date=f"{begin:%Y%m%dT%H%M%SZ}", X_Goog_Expires=life),
        signed(Expires=epoch, Signature="s"),
        signed(Policy=cloudfront(custom(epoch)), Signature="s"),
    ]

    ends = [expiry(url) for url in urls]

    assert ends == [end] * 5


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("", id="nothing"),
        pytest.param("se=2026-08-31", id="se-without-signature"),
        pytest.param("sig=s", id="signature-without-se"),
        pytest.param("se=&sig=s", id="empty-se"),
        pytest.param("se=soon&sig=s", id="se-in-words"),
        pytest.param("X-Amz-Date=20260831T120000Z", id="date-without-expires"),
        pytest.param("X-Amz-Expires=1800", id="expires-without-date"),
        pytest.param("X-Amz-Date=2026-08-31&X-Amz-Expires=1800", id="other-date"),
        pytest.param("X-Amz-Date=20260831T120000Z&X-Amz-Expires=1e3", id="other-number"),
        pytest.param(f"X-Amz-Date=20260831T120000Z&X-Amz-Expires={10**20}", id="forever"),
        pytest.param("X-Amz-Date=99991231T235959Z&X-Amz-Expires=1", id="after-the-last-year"),
        pytest.param("Expires=Mon,%2031%20Aug%202026", id="expires-in-words"),
        pytest.param(f"Expires={10**30}", id="expires-beyond-time"),
        pytest.param("Expires=" + "9" * 5000, id="expires-in-5000-digits"),
        pytest.param("Policy=", id="empty-policy"),
        pytest.param("Policy=!!!", id="policy-not-base64"),
        pytest.param("Policy=a", id="policy-of-one-letter"),
        pytest.param(f"Policy={cloudfront('no json')}", id="policy-not-json"),
        pytest.param(f"Policy={cloudfront('[' * 50_000)}", id="policy-deep"),
        pytest.param(f"Policy={cloudfront([])}", id="policy-is-list"),
        pytest.param(f"Policy={cloudfront({'Statement': []})}", id="policy-without-statement"),
        pytest.param(f"Policy={cloudfront(custom('soon'))}", id="policy-in-words"),
        pytest.param(f"Policy={cloudfront(custom(None))}", id="policy-without-time"),
        pytest.param(f"Policy={cloudfront(custom(10**30))}", id="policy-beyond-time"),
        pytest.param(f"Policy={cloudfront(json.dumps(custom(1))[:-3])}", id="policy-cut-short"),
        pytest.param("se=9999-12-31T23:59:59-14:00&sig=s", id="end-of-time-elsewhere"),
        pytest.param("se=0001-01-01T00:00:00%2B14:00&sig=s", id="begin-of-time-elsewhere"),
    ],
)
def test_what_says_no_end_has_none(query: str) -> None:
    """A lease that cannot be read is taken as one without an end, not as an error."""
    end = expiry(f"{HOST}?{query}")

    assert end is None


def test_a_reading_that_fails_leaves_room_for_the_next() -> None:
    """A parameter that only looks like one service's does not hide another's."""
    end = expiry(signed(se="soon", sig="s", Expires=EPOCH))

    assert end == END


@pytest.mark.parametrize(
    "url",
    ["https://[", "https://files.example:port/?Expires=1", "", "?", "https://\u2100.example/?se=1"],
    ids=ascii,
)
def test_a_url_that_is_none_is_no_error(url: str) -> None:
    """What cannot be fetched is found out when it is fetched."""
    end = expiry(url)

    assert end is None or end.tzinfo is UTC


_NAMES = ("se", "sig", "X-Amz-Date", "X-Amz-Expires", "X-Goog-Date", "Expires", "Policy")
_VALUES = st.sampled_from(["20260831T120000Z", "2026-08-31", "0", "-1", "1e9", "nan", "bnVsbA__"])


@given(
    url=any_text
    | any_text.map(lambda text: f"{HOST}?{text}")
    | st.dictionaries(st.sampled_from(_NAMES), _VALUES | any_text).map(
        lambda query: HOST + "?" + "&".join(f"{k}={_quoted(v)}" for k, v in query.items())
    )
)
@example(url="https://files.example/?sig=s&se=9999-12-31T23:59:59-14:00")
def test_any_text_has_an_end_in_utc_or_none(url: str) -> None:
    """No URL that a vendor may name is an exception."""
    end = expiry(url)

    assert end is None or end.tzinfo is UTC


def _quoted(value: str) -> str:
    return quote(value, errors="replace")


policies: st.SearchStrategy[object] = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Statement", "Condition", "DateLessThan"]), inner)
        | st.builds(custom, inner)
    ),
    max_leaves=5,
)


@given(policy=policies | st.builds(custom, policies))
def test_any_policy_has_an_end_in_utc_or_none(policy: object) -> None:
    """A policy is a document of its own, and may be any JSON."""
    end = expiry(f"{HOST}?Policy={cloudfront(json.dumps(policy))}")

    assert end is None or end.tzinfo is UTC
