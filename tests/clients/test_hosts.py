"""Which addresses may be fetched, or handed to a listener's browser."""

import pytest

from parcours_xl.clients.hosts import TrackHosts, Verdict, host_of, is_public_address

HOSTS = TrackHosts(("suno.ai", "aiquickdraw.com"), ("127.0.0.1:8181", "suno.local:80"))


@pytest.mark.parametrize(
    "url",
    [
        "https://suno.ai/a.mp3",
        "https://cdn1.suno.ai/a.mp3",
        "https://CDN1.SUNO.AI/a.mp3",
        "https://a.b.c.suno.ai/a.mp3",
        "https://audiopipe.suno.ai/?item_id=1&x=%20",
        "https://tempfile.aiquickdraw.com:443/r/a.mp3",
        "https://cdn1.suno.ai./a.mp3",
        "HTTPS://cdn1.suno.ai/a.mp3",
    ],
)
def test_a_host_on_the_list_is_taken_at_its_word(url: str) -> None:
    assert HOSTS.judge(url) is Verdict.TRUSTED


@pytest.mark.parametrize("url", ["http://127.0.0.1:8181/a.mp3", "http://suno.local:80/a.mp3"])
def test_a_configured_host_and_port_is_free_of_the_https_and_address_rules(url: str) -> None:
    assert HOSTS.judge(url) is Verdict.TRUSTED


@pytest.mark.parametrize(
    "url",
    [
        "https://evilsuno.ai/a.mp3",
        "https://suno.ai.evil.com/a.mp3",
        "https://suno-ai.com/a.mp3",
        "https://evil.com/suno.ai/a.mp3",
        "https://evil.com/?suno.ai",
        "https://evil.com/#.suno.ai",
        "https://xn--sno-hoa.ai/a.mp3",
        "https://8.8.8.8/a.mp3",
        "https://[2606:4700:4700::1111]/a.mp3",
    ],
)
def test_another_public_host_must_be_confirmed_by_suno(url: str) -> None:
    assert HOSTS.judge(url) is Verdict.CONFIRM


@pytest.mark.parametrize(
    "url",
    [
        # not https, or no address at all
        "",
        "suno.ai/a.mp3",
        "//cdn1.suno.ai/a.mp3",
        "/a.mp3",
        "https:///a.mp3",
        "https:cdn1.suno.ai/a.mp3",
        "http://cdn1.suno.ai/a.mp3",
        "ftp://cdn1.suno.ai/a.mp3",
        "file:///etc/passwd",
        "data:audio/mpeg;base64,SUQz",
        "javascript:alert(1)//cdn1.suno.ai",
        "blob:https://cdn1.suno.ai/a",
        "https+unix://cdn1.suno.ai/a.mp3",
        "gopher://cdn1.suno.ai/a.mp3",
        # userinfo
        "https://cdn1.suno.ai@evil.com/a.mp3",
        "https://user:secret@cdn1.suno.ai/a.mp3",
        "https://@cdn1.suno.ai/a.mp3",
        "https://:@cdn1.suno.ai/a.mp3",
        "https://evil.com\\@cdn1.suno.ai/a.mp3",
        "https://cdn1.suno.ai:443@evil.com/a.mp3",
        # ports
        "https://cdn1.suno.ai:8443/a.mp3",
        "https://cdn1.suno.ai:80/a.mp3",
        "https://cdn1.suno.ai:0/a.mp3",
        "https://cdn1.suno.ai:99999/a.mp3",
        "https://cdn1.suno.ai:-1/a.mp3",
        "https://cdn1.suno.ai:x/a.mp3",
        "https://cdn1.suno.ai:４４３/a.mp3",
        "http://127.0.0.1:8182/a.mp3",
        "http://127.0.0.1/a.mp3",
        "http://127.0.0.1:08181/a.mp3",
        "http://x@127.0.0.1:8181/a.mp3",
        # private, loopback, link-local and other addresses that are not out there
        "https://localhost/a.mp3",
        "https://localhost./a.mp3",
        "https://127.0.0.1/a.mp3",
        "https://127.0.0.1./a.mp3",
        "https://10.0.0.1/a.mp3",
        "https://172.16.0.1/a.mp3",
        "https://192.168.1.1/a.mp3",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/a.mp3",
        "https://0.0.0.0/a.mp3",
        "https://224.0.0.1/a.mp3",
        "https://255.255.255.255/a.mp3",
        "https://[::1]/a.mp3",
        "https://[::]/a.mp3",
        "https://[fe80::1]/a.mp3",
        "https://[fe80::1%25eth0]/a.mp3",
        "https://[2606:4700::1111%25eth0]/a.mp3",
        "https://[fd00::1]/a.mp3",
        "https://[ff02::1]/a.mp3",
        "https://[::ffff:127.0.0.1]/a.mp3",
        "https://[::ffff:7f00:1]/a.mp3",
        "https://[::127.0.0.1]/a.mp3",
        "https://[64:ff9b::7f00:1]/a.mp3",
        "https://[2002:7f00:1::]/a.mp3",
        # the same addresses in the notations that resolvers and browsers understand
        "https://2130706433/a.mp3",
        "https://0x7f000001/a.mp3",
        "https://017700000001/a.mp3",
        "https://127.1/a.mp3",
        "https://127.0.1/a.mp3",
        "https://0177.0.0.1/a.mp3",
        "https://0x7f.0.0.1/a.mp3",
        "https://0x7f.1/a.mp3",
        "https://127.0.0.0x1/a.mp3",
        "https://127.000.000.001/a.mp3",
        "https://127.0.0.1.5/a.mp3",
        "https://１２７.0.0.1/a.mp3",
        "https://127。0。0。1/a.mp3",
        "https://①②⑦.⓪.⓪.①/a.mp3",
        # names that are none, or look like others
        "https://suno/a.mp3",
        "https://.suno.ai/a.mp3",
        "https://a..suno.ai/a.mp3",
        "https://cdn1.suno.ai../a.mp3",
        "https://cdn1_suno.ai:443:443/a.mp3",
        "https://sunо.ai/a.mp3",
        "https://cdn1.suno。ai/a.mp3",
        "https://ＣＤＮ1.suno.ai/a.mp3",
        "https://cdn1.suno.ai\u200b/a.mp3",
        "https://evil.com\\.suno.ai/a.mp3",
        "https://evil.com%2f.suno.ai/a.mp3",
        "https://evil.com%00.suno.ai/a.mp3",
        "https://-.suno.ai;evil.com/a.mp3",
        f"https://{'a' * 64}.suno.ai/a.mp3",
        f"https://{'a.' * 130}suno.ai/a.mp3",
        # brackets, blanks, control characters, other alphabets, too long
        "https://[cdn1.suno.ai]/a.mp3",
        "https://[::1/a.mp3",
        "https://cdn1.suno.ai]/a.mp3",
        " https://cdn1.suno.ai/a.mp3",
        "https://cdn1.suno.ai/a b.mp3",
        "https://cdn1.suno.ai/a.mp3\n",
        "https://cdn1.suno.ai/\r\nHost: evil.com",
        "https://cdn1.su\tno.ai/a.mp3",
        "https://cdn1.suno.ai/\x00",
        "https://cdn1.suno.ai/\x7f",
        "https://cdn1.suno.ai/é.mp3",
        "https://cdn1.suno.ai/\ud800.mp3",
        "https://cdn1.suno.ai/" + "a" * 2048,
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    assert HOSTS.judge(url) is Verdict.REFUSED
    assert not HOSTS.allows_preview(url)


def test_an_address_of_sane_length_is_judged_on_its_host() -> None:
    path = "a" * (2048 - len("https://suno.ai/"))
    assert HOSTS.judge(f"https://suno.ai/{path}") is Verdict.TRUSTED


def test_a_preview_may_be_on_any_public_https_address() -> None:
    assert HOSTS.allows_preview("https://stream.example.com/1.mp3")
    assert HOSTS.allows_preview("http://127.0.0.1:8181/streams/1")
    assert not HOSTS.allows_preview("http://stream.example.com/1.mp3")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user:secret@evil.example.com:8443/a?token=1", "evil.example.com"),
        ("https://[::1]/a", "::1"),
        ("no address", "?"),
        ("https://\x00/", "?"),
        ("mailto:somebody@example.com", "?"),
    ],
)
def test_only_the_host_of_a_refused_address_is_named(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_an_address_out_on_the_internet_is_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.0.10",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "64:ff9b:1:ffff::8.8.8.8",
        "100::1",
        "100:0:0:1::1",
        "2001::1",
        "2001:1::1",
        "2001:2::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:a00:1::",
        "2620:4f:8000::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
    ],
)
def test_every_special_purpose_range_is_refused_whatever_the_python(address: str) -> None:
    assert not is_public_address(address)
