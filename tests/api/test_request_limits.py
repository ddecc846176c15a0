"""How large and how slow a request may be, and how many connections: tried on the real process."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from parcours_xl.api.connections import (
    HEAD_S_MAX,
    HEADER_BYTES_MAX,
    REQUEST_LINE_BYTES_MAX,
)
from parcours_xl.api.schemas import BODY_S_MAX
from tests.fixtures.served import Said, Served, ask, is_closed, post, read, running_serve
from tests.fixtures.waiting import wait_until

# Nothing of Supabase is asked by what is tried here.
ENVIRONMENT = {
    "SUPABASE_URL": "http://127.0.0.1:1",
    "SUPABASE_ANON_KEY": "anon",
    "SUPABASE_SERVICE_ROLE_KEY": "sb_secret_nobody",
    "SUNO_API_KEY": "any",
    "CALLBACK_BASE": "http://127.0.0.1:1/functions/v1/parcours-xl-callback",
    "WORKER_IN_PROCESS": "false",
}
FEW = 5
RUNNER = {"runId": str(uuid4())}
MB = 1_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("served") / "log"
    options = ("--timeout-keep-alive", "2")
    with running_serve(ENVIRONMENT, log, *options) as served:
        assert ask(served).status == 200
        yield served


def test_a_request_line_and_headers_of_the_limit_are_read(served: Served) -> None:
    path = "/healthz?" + "x" * (REQUEST_LINE_BYTES_MAX - len("GET /healthz? HTTP/1.1\r\n"))
    assert ask(served, path).status == 200
    assert ask(served, f"{path}x").status == 431
    known = "Host: x\r\nConnection: close\r\nBig: \r\n"
    big = "x" * (HEADER_BYTES_MAX - len(known))
    assert ask(served, Big=big).status == 200
    assert ask(served, Big=f"{big}x").status == 431


@pytest.mark.parametrize(
    ("before", "pump"),
    [
        (b"GET /", b"x" * 65_536),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBig: ", b"x" * 65_536),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"name" * 16_384),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 10_000),
        (
            b"POST /functions/v1/parcours-xl-runner HTTP/1.1\r\nHost: x\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: ",
            b"x" * 65_536,
        ),
        (
            b"POST /functions/v1/parcours-xl-runner HTTP/1.1\r\nHost: x\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n1;",
            b"x" * 65_536,
        ),
    ],
    ids=["line", "header value", "header name", "headers", "trailer", "chunk extension"],
)
def test_what_has_no_end_is_answered_431_closed_and_not_kept(
    served: Served, before: bytes, pump: bytes
) -> None:
    kept = served.resident_mb()
    sent = 0
    with served.connect() as connection:
        connection.sendall(before)
        try:
            while sent < 300 * MB:
                connection.sendall(pump)
                sent += len(pump)
        except OSError:
            pass
        assert sent < 300 * MB, "it was read to no end"
        said = read(connection)
    # Whoever goes on sending may lose the answer with the connection.
    assert said.status in (431, 0)
    assert served.resident_mb() - kept < 20
    assert ask(served).status == 200


def test_a_head_that_is_too_large_is_told_in_the_documented_shape(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /?" + b"x" * REQUEST_LINE_BYTES_MAX)
        said = read(connection)
        assert said.status == 431
        assert said.error == f"the request line is over {REQUEST_LINE_BYTES_MAX} bytes"
        assert said.headers["connection"] == "close"
        assert is_closed(connection)


def test_what_is_no_http_is_told_in_the_documented_shape(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        said = read(connection)
        assert (said.status, said.error) == (400, "this is not HTTP")


@pytest.mark.slow
def test_what_comes_too_slowly_is_given_up_as_a_whole(served: Served) -> None:
    """The limits are waited for as they are, so all of them at once."""
    with ThreadPoolExecutor() as threads:
        slow = [threads.submit(one, served) for one in (drip_a_head, drip_a_body, say_nothing)]
    for one in slow:
        one.result()


def drip_a_head(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nSlow: ")
        said = drip(connection, b"x", pause_s=0.5, seconds_max=HEAD_S_MAX * 3)
    assert (said.status, said.error) == (408, f"the request did not come within {HEAD_S_MAX} s")


def drip_a_body(served: Served) -> None:
    """The route's own limit answers; whoever then goes on is not read for ever."""
    with served.connect() as connection:
        connection.sendall(post("parcours-xl-runner", RUNNER, 60_000))
        said = drip(connection, b" ", pause_s=1, seconds_max=BODY_S_MAX * 4)
        assert (said.status, said.error) == (408, f"the body did not come within {BODY_S_MAX} s")
        assert is_closed(connection)


def say_nothing(served: Served) -> None:
    silent, answered = served.connect(), served.connect()
    with silent, answered:
        answered.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read(answered).status == 200
        # Blank lines are no request.
        answered.sendall(b"\r\n")
        assert is_closed(answered)
        assert is_closed(silent)


def drip(connection: socket.socket, piece: bytes, *, pause_s: float, seconds_max: float) -> Said:
    """Send piece after piece until the answer comes."""
    connection.settimeout(pause_s)
    began = time.monotonic()
    while time.monotonic() - began < seconds_max:
        try:
            connection.sendall(piece)
            if connection.recv(1, socket.MSG_PEEK):
                break
        except TimeoutError:
            continue
    connection.settimeout(30)
    return read(connection)


def test_an_answer_before_the_body_keeps_the_connection(served: Served) -> None:
    """A refusal need not wait for the body, and the body need not end the connection."""
    content = post("parcours-xl-create", RUNNER)
    with served.connect() as connection:
        connection.sendall(content[:-5])
        assert read(connection).status == 401
        connection.sendall(content[-5:])
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read(connection).status == 200


def test_one_client_may_have_so_many_connections_and_others_are_still_answered(
    tmp_path: Path,
) -> None:
    environment = ENVIRONMENT | {"CONNECTIONS_PER_CLIENT_MAX": str(FEW)}
    trusting_nobody_here = ("--forwarded-allow-ips", "192.0.2.1")
    with running_serve(environment, tmp_path / "log", *trusting_nobody_here) as served:
        held = [served.connect("127.0.0.9") for _ in range(FEW)]
        wait_until(lambda: ask(served, source="127.0.0.9").status == 429)
        with served.connect("127.0.0.9") as connection:
            said = read(connection)
        assert said.error == "too many connections from this address"
        assert int(said.headers["retry-after"]) > 0
        assert ask(served, source="127.0.0.8").status == 200
        # A forwarded address is nobody's who is not trusted.
        assert ask(served, source="127.0.0.9", X_Forwarded_For="8.8.8.8").status == 429
        for connection in held:
            connection.close()
        wait_until(lambda: ask(served, source="127.0.0.9").status == 200)


def test_behind_a_trusted_proxy_the_forwarded_address_counts(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"CONNECTIONS_PER_CLIENT_MAX": str(FEW)}
    with running_serve(environment, tmp_path / "log") as served:
        held = [served.connect() for _ in range(FEW)]
        for connection in held:
            request = post("parcours-xl-runner", RUNNER, 60_000, X_Forwarded_For="198.51.100.7")
            connection.sendall(request)
        wait_until(lambda: ask(served, X_Forwarded_For="198.51.100.7").status == 429)
        said = ask(served, X_Forwarded_For="198.51.100.7")
        assert said.error == "too many requests from this address at once"
        assert ask(served, X_Forwarded_For="203.0.113.5").status == 200
        assert ask(served).status == 200, "the proxy itself has no such limit"
        # Another's address in front of one's own changes nothing: the proxy adds the real one.
        assert ask(served, X_Forwarded_For="8.8.8.8, 198.51.100.7").status == 429
        for connection in held:
            connection.close()
        wait_until(lambda: ask(served, X_Forwarded_For="198.51.100.7").status == 200)


def test_beyond_its_concurrency_the_service_says_so_in_the_documented_shape(
    tmp_path: Path,
) -> None:
    with (
        running_serve(ENVIRONMENT, tmp_path / "log", "--limit-concurrency", "3") as served,
        served.connect(),
        served.connect(),
    ):
        wait_until(lambda: ask(served).status == 503)
        said = ask(served)
        assert said.error == "the service is full; please try again"
        assert int(said.headers["retry-after"]) > 0


def test_idle_and_half_sent_connections_do_not_keep_others_out(tmp_path: Path) -> None:
    """1,500 of them, and 1,024 file descriptors: they give way to those that come after."""
    with running_serve(ENVIRONMENT, tmp_path / "log", files_max=1024) as served:
        held = []
        try:
            for place in range(1500):
                connection = served.connect()
                held.append(connection)
                if place % 3 == 1:
                    connection.sendall(b"GET /healthz HT")
                elif place % 3 == 2:
                    connection.sendall(post("parcours-xl-runner", RUNNER, 60_000))
                if place % 250 == 249:
                    assert ask(served).status == 200
            assert [ask(served).status for _ in range(10)] == [200] * 10
        finally:
            for connection in held:
                connection.close()
        assert "Too many open files" not in served.told()
