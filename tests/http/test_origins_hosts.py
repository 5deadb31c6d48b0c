"""Files are fetched from public hosts, from the vendor itself, and from those the user named."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.errors import raises_error

from exportjobs._http.origins import Hosts
from exportjobs.adapter._errors import UntrustedAddress

API = "https://api.acme.example/v1"
HERE = "http://127.0.0.1:8000"
INSIDE = "https://10.0.0.5/api"
ANY = Hosts()

any_text = st.text(st.characters(exclude_categories=()))


def may_be_private(hosts: Hosts, url: str, base_url: str = API) -> bool | None:
    """Return whether a URL's host may be private, or None where nothing is fetched from it."""
    try:
        return hosts.may_be_private(url, base_url=base_url)
    except UntrustedAddress:
        return None


@pytest.mark.parametrize(
    "url",
    [
        "https://files.acme.example/x?sig=1",
        "https://bucket.s3.amazonaws.com/x",
        "https://8.8.8.8/x",
        "https://[2606:4700::1]/x",
        "https://api.acme.example:8443/x",
        "https://api.acme.example.evil.example/x",
        "https://2130706433/x",
        "https://localhost.evil.example/x",
    ],
)
def test_any_public_host_has_files(url: str) -> None:
    """As long as its name leads to no private network, which is looked at on the way."""
    assert may_be_private(ANY, url) is False


@pytest.mark.parametrize("base_url", [API, HERE, INSIDE, "http://localhost:1", "http://[::1]:1"])
def test_the_vendors_own_origin_may_be_anywhere(base_url: str) -> None:
    """The user named it."""
    url = f"{base_url}/files/1"

    found = [may_be_private(hosts, url, base_url) for hosts in (ANY, Hosts(()), Hosts.of(["x"]))]

    assert found == [True, True, True]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://10.0.0.5/x", id="private"),
        pytest.param("https://192.168.1.1/x", id="home"),
        pytest.param("https://169.254.169.254/latest/meta-data", id="metadata"),
        pytest.param("https://[fd00:ec2::254]/latest", id="metadata-v6"),
        pytest.param("https://[fe80::1]/x", id="link-local"),
        pytest.param("https://100.64.0.1/x", id="carrier"),
        pytest.param("https://0.0.0.0/x", id="any-address"),
        pytest.param("https://[::]/x", id="any-address-v6"),
        pytest.param("https://[::ffff:10.0.0.5]/x", id="mapped"),
        pytest.param("https://[::ffff:127.0.0.1]/x", id="mapped-loopback"),
        pytest.param("https://[2002:a00:5::]/x", id="six-to-four"),
        pytest.param("https://224.0.0.1/x", id="multicast"),
        pytest.param("https://127.0.0.1/x", id="loopback"),
        pytest.param("http://127.0.0.1/x", id="loopback-in-the-open"),
        pytest.param("https://127.9.9.9/x", id="other-loopback"),
        pytest.param("https://localhost/x", id="localhost"),
        pytest.param("https://LOCALHOST:1/x", id="localhost-in-capitals"),
        pytest.param("https://[::1]/x", id="loopback-v6"),
        pytest.param("http://files.acme.example/x", id="in-the-open"),
        pytest.param("https:///x", id="no-host"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("https://[", id="no-address"),
        pytest.param("", id="empty"),
    ],
)
def test_nothing_that_a_vendor_names_leads_into_a_private_network(url: str) -> None:
    """A file's address is no way to a machine behind the user's own wall."""
    assert may_be_private(ANY, url) is None


@pytest.mark.parametrize(
    ("url", "found"),
    [
        pytest.param("http://127.0.0.1:9000/x", True, id="other-port"),
        pytest.param("http://localhost:9000/x", True, id="by-name"),
        pytest.param("http://[::1]:9000/x", True, id="other-family"),
        pytest.param("https://10.0.0.5/x", None, id="private"),
        pytest.param("https://files.acme.example/x", False, id="public"),
    ],
)
def test_a_vendor_on_this_machine_may_have_files_on_it(url: str, *, found: bool | None) -> None:
    """That is where sandboxes and emulators run."""
    assert may_be_private(ANY, url, HERE) is found


@pytest.mark.parametrize(
    "url",
    [
        "https://files.acme.com/x",
        "https://FILES.Acme.com:8443/x",
        "https://a.s3.amazonaws.com/x",
        "https://a.b.s3.amazonaws.com/x",
        "https://10.0.0.5/x",
        "http://localhost:9000/x",
    ],
)
def test_a_host_that_is_allowed_may_be_private(url: str) -> None:
    """The user named it, whatever the case of its letters."""
    hosts = Hosts.of(["Files.ACME.com", "*.amazonaws.com", "10.0.0.5", "localhost"])

    assert may_be_private(hosts, url) is True


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://acme.com/x", id="parent"),
        pytest.param("https://x.files.acme.com/x", id="below"),
        pytest.param("https://files.acme.com.evil.example/x", id="begins-with-it"),
        pytest.param("https://evilfiles.acme.com/x", id="ends-with-it"),
        pytest.param("https://amazonaws.com/x", id="pattern-without-a-name"),
        pytest.param("https://amazonaws.com.evil.example/x", id="begins-with-the-pattern"),
        pytest.param("https://evil.example/x.amazonaws.com", id="pattern-in-path"),
        pytest.param("https://x.amazonaws.com@evil.example/x", id="pattern-as-userinfo"),
        pytest.param("https://evil.example?.amazonaws.com", id="pattern-in-query"),
        pytest.param("https://evil.example#.amazonaws.com", id="pattern-in-fragment"),
        pytest.param("https://evil.example\\.amazonaws.com/x", id="pattern-after-backslash"),
        pytest.param("http://files.acme.com/x", id="in-the-open"),
        pytest.param("https://8.8.8.8/x", id="public"),
        pytest.param("http://127.0.0.1:9000/x", id="loopback"),
    ],
)
def test_no_other_host_is_allowed(url: str) -> None:
    """Where the user named hosts, there are no others, public or not."""
    hosts = Hosts.of(["files.acme.com", "*.amazonaws.com"])

    assert may_be_private(hosts, url) is None
    assert may_be_private(hosts, url, HERE) is None


def test_no_hosts_are_none() -> None:
    """An empty list allows the vendor's own origin alone; none at all is no list."""
    url = "https://files.acme.com/x"

    assert may_be_private(Hosts.of([]), url) is None
    assert may_be_private(Hosts.of(None), url) is False


def test_a_host_that_is_not_allowed_is_named_without_what_opens_its_file() -> None:
    """The user learns what to put on the list, and no secret."""
    with raises_error(
        UntrustedAddress,
        reason="the vendor sent the URL of a host that is not allowed, https://files.acme.com/…",
        remedy="to fetch files from there, name the host in download_hosts",
    ):
        Hosts(()).may_be_private("https://files.acme.com/x?sig=SECRET", base_url=API)


def test_a_private_host_is_named() -> None:
    """The user learns where the vendor wanted to lead."""
    with raises_error(
        UntrustedAddress,
        reason="the vendor sent the URL of a host in a private network, 10.0.0.5",
        remedy="to fetch files from there, name the host in download_hosts",
    ):
        ANY.may_be_private("https://10.0.0.5/x?sig=SECRET", base_url=API)


@given(url=any_text | any_text.map("https://".__add__), allowed=st.none() | st.lists(any_text))
@example(url="https://[", allowed=None)
@example(url="https://a/", allowed=["["])
@example(url="https://\u2100/", allowed=["*"])
def test_any_address_is_fetched_or_refused(url: str, allowed: list[str] | None) -> None:
    """No text is any other exception."""
    assert may_be_private(Hosts.of(allowed), url) in {True, False, None}
