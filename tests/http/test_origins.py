"""Credentials stay at their origin, bytes come encrypted, and paths stay below the base URL."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.errors import assert_error, raises_error

from exportjobs._http.origins import (
    below,
    check_encrypted,
    everywhere,
    is_public,
    private_host,
    same_origin,
)
from exportjobs.adapter._errors import UntrustedAddress
from exportjobs.adapter._urls import is_loopback

BASE = "https://api.acme.example/v1"

any_text = st.text(st.characters(exclude_categories=()))
broken = pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://[", id="open-bracket"),
        pytest.param("https://api.acme.example:99999/v1", id="port-beyond-range"),
        pytest.param("https://api.acme.example:port/v1", id="port-in-words"),
        pytest.param("https://\u2100.example/v1", id="host-that-normalises-to-a-slash"),
    ],
)


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.8.9.10", "::1", "0:0:0:0:0:0:0:1"],
)
def test_this_machine_is_loopback(host: str) -> None:
    """A sandbox or a tunnel on this machine needs no encryption."""
    loopback = is_loopback(host)

    assert loopback


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("", id="empty"),
        pytest.param("api.acme.example", id="name"),
        pytest.param("localhost.evil.example", id="begins-with-localhost"),
        pytest.param("127.0.0.1.evil.example", id="begins-with-an-address"),
        pytest.param("evil-localhost", id="ends-with-localhost"),
        pytest.param("10.0.0.1", id="private"),
        pytest.param("0.0.0.0", id="any-address"),  # noqa: S104 - it is refused
        pytest.param("169.254.169.254", id="metadata-service"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("::2", id="next-to-loopback"),
        pytest.param("127.0.0.1 ", id="trailing-space"),
        pytest.param("[::1]", id="in-brackets"),
    ],
)
def test_no_other_machine_is_loopback(host: str) -> None:
    """A name that only looks like this machine is another's."""
    loopback = is_loopback(host)

    assert not loopback


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("https://api.acme.example/v2/files", id="other-path"),
        pytest.param("https://api.acme.example", id="no-path"),
        pytest.param("https://api.acme.example:443/v1", id="default-port-said"),
        pytest.param("HTTPS://API.Acme.Example/v1", id="case"),
        pytest.param("https://user:word@api.acme.example/v1", id="userinfo"),
        pytest.param("https://api.acme.example?x=//evil.example", id="query"),
    ],
)
def test_a_url_of_the_same_scheme_host_and_port_shares_the_origin(other: str) -> None:
    """What credentials may move within."""
    shared = [same_origin(BASE, other), same_origin(other, BASE)]

    assert shared == [True, True]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("http://api.acme.example/v1", id="scheme"),
        pytest.param("http://api.acme.example:443/v1", id="scheme-at-the-same-port"),
        pytest.param("https://api.acme.example:8443/v1", id="port"),
        pytest.param("https://api.acme.example:0/v1", id="port-nought"),
        pytest.param("https://acme.example/v1", id="parent-domain"),
        pytest.param("https://files.api.acme.example/v1", id="subdomain"),
        pytest.param("https://api.acme.example.evil.example/v1", id="begins-with-the-host"),
        pytest.param("https://evil.example/api.acme.example", id="host-in-path"),
        pytest.param("https://api.acme.example@evil.example/v1", id="host-as-userinfo"),
        pytest.param("https://api.acme.example:443@evil.example/v1", id="origin-as-userinfo"),
        pytest.param("https://evil.example#@api.acme.example/v1", id="host-in-fragment"),
        pytest.param("https://evil.example?@api.acme.example/v1", id="host-in-query"),
        pytest.param("https://evil.example\\@api.acme.example/v1", id="host-after-backslash"),
        pytest.param("https://api.acme.example\\.evil.example/v1", id="backslash-in-host"),
        pytest.param("https://\u0430pi.acme.example/v1", id="cyrillic-letter"),
        pytest.param("//api.acme.example/v1", id="no-scheme"),
        pytest.param("/v1", id="path"),
        pytest.param("", id="empty"),
    ],
)
def test_any_other_url_is_of_another_origin(other: str) -> None:
    """Credentials do not go there."""
    shared = [same_origin(BASE, other), same_origin(other, BASE)]

    assert shared == [False, False]


def test_an_ipv6_host_is_compared_without_its_brackets_and_port() -> None:
    """The sandbox may listen on either loopback."""
    shared = [
        same_origin("http://[::1]:8080/a", "http://[::1]:8080/b"),
        same_origin("http://[::1]:8080/a", "http://[::1]:8081/a"),
        same_origin("http://[::1]/a", "http://[::1]:80/a"),
        same_origin("http://[::1]:8080/a", "http://127.0.0.1:8080/a"),
    ]

    assert shared == [True, False, True, False]


@broken
def test_an_address_that_is_none_has_no_origin_to_share(url: str) -> None:
    """A vendor's broken address is no exception of another kind than the library's own."""
    shared = [same_origin(BASE, url), same_origin(url, BASE)]

    assert shared == [False, False]


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/f?sig=s",
        "HTTPS://files.example/f",
        "https://10.0.0.1:8443/f",
        "http://localhost/f",
        "http://LOCALHOST:8080/f",
        "http://127.0.0.1:8080/f",
        "http://[::1]:8080/f",
        "HTTP://127.0.0.1/f",
    ],
)
def test_an_encrypted_or_local_address_is_fetched(url: str) -> None:
    """Everything over https, and what does not leave this machine."""
    checked = trusted(url)

    assert checked


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://files.example/f", id="http"),
        pytest.param("http://127.0.0.1.evil.example/f", id="name-that-begins-with-an-address"),
        pytest.param("http://localhost.evil.example/f", id="name-that-begins-with-localhost"),
        pytest.param("http://localhost@evil.example/f", id="localhost-as-userinfo"),
        pytest.param("http://127.0.0.1:80@evil.example/f", id="loopback-as-userinfo"),
        pytest.param("http://evil.example\\@localhost/f", id="localhost-after-backslash"),
        pytest.param("http://evil.example#@localhost/f", id="localhost-in-fragment"),
        pytest.param("http://10.0.0.1/f", id="private-address"),
        pytest.param("http:///f", id="no-host"),
        pytest.param("https:///f", id="https-without-host"),
        pytest.param("https:files.example/f", id="no-slashes"),
        pytest.param("ftp://files.example/f", id="ftp"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("data:text/csv,a", id="data"),
        pytest.param("//files.example/f", id="no-scheme"),
        pytest.param("/f", id="path"),
        pytest.param("", id="empty"),
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    """Neither in the open nor by another protocol."""
    checked = trusted(url)

    assert not checked


@broken
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """What no client can go to is told as the vendor's fault."""
    with raises_error(
        UntrustedAddress,
        reason="the vendor sent a URL that is not valid",
        remedy="ask the vendor where the file is",
    ):
        check_encrypted(url)


def test_a_refused_address_is_named_without_what_opens_it() -> None:
    """The user learns the host and no secret."""
    with raises_error(
        UntrustedAddress,
        reason="the vendor sent an unencrypted URL, http://files.example/…",
        remedy="files are fetched over https only; ask the vendor for an https URL",
    ):
        check_encrypted("http://user:word@files.example/deals.csv?sig=SECRET")


def trusted(url: str) -> bool:
    """Return whether an address may be fetched."""
    try:
        check_encrypted(url)
    except UntrustedAddress:
        return False
    return True


@given(url=any_text | any_text.map("https://".__add__) | any_text.map("http://".__add__))
@example(url="https://[")
def test_any_address_is_fetched_or_refused(url: str) -> None:
    """No text is any other exception, and what is trusted can be compared."""
    checked = trusted(url)

    assert not checked or same_origin(url, url)


@pytest.mark.parametrize(
    ("base_url", "path", "url"),
    [
        pytest.param(BASE, "/jobs", f"{BASE}/jobs", id="plain"),
        pytest.param(f"{BASE}/", "/jobs", f"{BASE}/jobs", id="base-with-slash"),
        pytest.param(BASE, "/jobs?page=2", f"{BASE}/jobs?page=2", id="query"),
        pytest.param(BASE, "/a..b/.c/d..", f"{BASE}/a..b/.c/d..", id="dots-within-names"),
        pytest.param(BASE, "/a%2F..%2Fb", f"{BASE}/a%2F..%2Fb", id="quoted-slashes"),
        pytest.param(BASE, "/a?to=../..", f"{BASE}/a?to=../..", id="dots-in-query"),
        pytest.param(BASE, "/a?to=https://x", f"{BASE}/a?to=https://x", id="url-in-query"),
        pytest.param(BASE, "/a:b", f"{BASE}/a:b", id="colon"),
        pytest.param("http://[::1]:80", "/a", "http://[::1]:80/a", id="ipv6"),
    ],
)
def test_a_path_is_put_below_the_base(base_url: str, path: str, url: str) -> None:
    """As it is, so that what was quoted stays quoted."""
    put = below(base_url, path)

    assert put == url


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("https://evil.example/jobs", id="url"),
        pytest.param(f"{BASE}/jobs", id="own-url"),
        pytest.param("//evil.example/jobs", id="no-scheme"),
        pytest.param("/\t/evil.example/jobs", id="tab-between-slashes"),
        pytest.param("\\\\evil.example\\jobs", id="backslashes"),
        pytest.param("@evil.example/jobs", id="base-as-userinfo"),
        pytest.param(".evil.example/jobs", id="base-as-subdomain"),
        pytest.param(":8443/jobs", id="port"),
        pytest.param("jobs", id="relative"),
        pytest.param("?page=2", id="query-alone"),
        pytest.param("", id="empty"),
        pytest.param("/..", id="parent"),
        pytest.param("/../admin", id="climbs"),
        pytest.param("/jobs/../../admin", id="climbs-in-the-middle"),
        pytest.param("/jobs/./x", id="single-dot"),
        pytest.param("/jobs/..?page=2", id="climbs-before-the-query"),
        pytest.param("/.\n./admin", id="climbs-around-a-line-break"),
        pytest.param("/%2e%2e/admin", id="percent-encoded-dots"),
        pytest.param("/.%2E/admin", id="half-encoded-dots"),
        pytest.param("/jobs/..\\..\\admin", id="climbs-by-backslashes"),
        pytest.param("//[", id="no-address"),
        pytest.param("//\u2100.example/", id="host-that-normalises-to-a-slash"),
    ],
)
def test_a_path_that_leads_elsewhere_is_not_sent(path: str) -> None:
    """An id or a link that a vendor names does not move the credentials out of its API."""
    with pytest.raises(UntrustedAddress) as caught:
        below(BASE, path)

    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("https://user:word@evil.example/jobs?key=SECRET", "https://evil.example/…"),
        ("/../SECRET", "a path"),
    ],
)
def test_a_request_that_is_not_sent_is_named_without_its_secrets(path: str, where: str) -> None:
    """The user learns where the vendor wanted to lead."""
    with raises_error(
        UntrustedAddress,
        reason=f"a request to {where} outside the vendor's own API was not sent",
        remedy="credentials go to the adapter's base URL and nowhere else",
    ):
        below(BASE, path)


@given(path=any_text | any_text.map("/".__add__))
@example(path="//[")
@example(path="/\\evil.example")
def test_any_path_stays_below_the_base_or_is_refused(path: str) -> None:
    """No text is any other exception."""
    try:
        url = below(BASE, path)
    except UntrustedAddress:
        url = f"{BASE}/"

    assert url.startswith(f"{BASE}/")
    assert same_origin(url, BASE)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "52.216.1.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.167.1.1",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "::ffff:8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_an_address_of_the_open_network_is_public(address: str) -> None:
    """Also where it is written as one of the other family."""
    public = is_public(ip_address(address))

    assert public


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("10.0.0.1", id="ten"),
        pytest.param("172.16.0.1", id="seventeen-two"),
        pytest.param("172.31.255.255", id="seventeen-two-end"),
        pytest.param("192.168.1.1", id="home"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.255.255.254", id="loopback-end"),
        pytest.param("169.254.169.254", id="metadata"),
        pytest.param("100.64.0.1", id="carrier"),
        pytest.param("100.100.100.200", id="metadata-of-another-cloud"),
        pytest.param("0.0.0.0", id="any-address"),  # noqa: S104 - it is refused
        pytest.param("0.1.2.3", id="this-network"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("239.1.1.1", id="multicast-end"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("198.18.0.1", id="benchmarks"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("::", id="any-address-v6"),
        pytest.param("::1", id="loopback-v6"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("fe80::1%1", id="link-local-with-zone"),
        pytest.param("fc00::1", id="unique-local"),
        pytest.param("fd00:ec2::254", id="metadata-v6"),
        pytest.param("ff02::1", id="multicast-v6"),
        pytest.param("ff0e::1", id="global-multicast-v6"),
        pytest.param("2001:db8::1", id="documentation-v6"),
        pytest.param("::ffff:10.0.0.1", id="mapped"),
        pytest.param("::ffff:127.0.0.1", id="mapped-loopback"),
        pytest.param("::ffff:169.254.169.254", id="mapped-metadata"),
        pytest.param("2002:a00:1::1", id="six-to-four"),
        pytest.param("2002:7f00:1::", id="six-to-four-loopback"),
        pytest.param("2001:0:7f00:1::", id="teredo"),
        pytest.param("64:ff9b::10.0.0.1", id="nat64"),
        pytest.param("64:ff9b::127.0.0.1", id="nat64-loopback"),
        pytest.param("64:ff9b::169.254.169.254", id="nat64-metadata"),
        pytest.param("64:ff9b:1::1", id="nat64-local"),
        pytest.param("::127.0.0.1", id="compatible-loopback"),
        pytest.param("::10.0.0.1", id="compatible"),
        pytest.param("fec0::1", id="site-local"),
    ],
)
def test_an_address_of_a_private_network_is_not_public(address: str) -> None:
    """However it is written, nothing behind the user's own wall is."""
    public = is_public(ip_address(address))

    assert not public


addresses = st.ip_addresses(v=4) | st.ip_addresses(v=6)


@given(address=addresses)
def test_no_address_is_public_and_loopback(address: IPv4Address | IPv6Address) -> None:
    """What is public is none of the kinds that lead inside."""
    inside = address.is_loopback or address.is_link_local or address.is_unspecified

    assert not (is_public(address) and (inside or address.is_multicast))
    assert everywhere(address)


@given(address=st.ip_addresses(v=4))
def test_an_address_is_as_public_as_the_one_that_it_stands_for(address: IPv4Address) -> None:
    """Writing it as one of the other family changes nothing."""
    mapped = IPv6Address(f"::ffff:{address}")

    assert is_public(mapped) is is_public(address)


def test_the_error_for_a_private_host_says_what_to_do() -> None:
    """A user whose files are inside can say so."""
    assert_error(
        private_host("files.corp.example"),
        UntrustedAddress,
        reason="the vendor sent the URL of a host in a private network, files.corp.example",
        remedy="to fetch files from there, name the host in download_hosts",
    )
