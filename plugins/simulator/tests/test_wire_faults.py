"""Faults as they appear on the wire, over a stand-in service that notes what it applied."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from ap_simulator.calls import CallLog
from ap_simulator.fault_rules import rule_from_json
from ap_simulator.faults import FAULT_SCOPE_KEY, ITEMS_SCOPE_KEY, WRITES_SCOPE_KEY, Fault, FaultPlan
from ap_simulator.middleware import Gateway, Upstream
from ap_simulator.server import listen, make_config, url_of
from ap_simulator.thread_server import ThreadServer
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

BATCH = "/v3/company/1/batch"
BODY = b'{"BatchItemResponse": [' + b'{"bId": "1"},' * 20 + b"{}]}"


@dataclass
class Service:
    """A service with one write, one read and one endpoint that is broken."""

    applied: list[bytes] = field(default_factory=list)
    semantic: list[Fault | None] = field(default_factory=list)
    calls: CallLog = field(default_factory=CallLog)
    faults: FaultPlan = field(default_factory=FaultPlan)
    left: threading.Event = field(default_factory=threading.Event)
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        upstream = Upstream(
            app=Router(
                [
                    Route("/v3/company/{realm_id}/batch", self.write, methods=["POST"]),
                    Route("/v3/company/{realm_id}/{entity}/{id}", self.read, methods=["GET"]),
                    Route("/v3/broken", self.broken, methods=["GET"]),
                    Route("/__control/stats", self.read, methods=["GET"]),
                ],
                redirect_slashes=False,
            ),
            calls=self.calls,
            faults=self.faults,
            fault_responses={"quickbooks": self.refuse},
        )
        self.gateway = Gateway(lambda: upstream)

    async def write(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            self.left.set()
            raise
        self.applied.append(body)
        self.semantic.append(request.scope.get(FAULT_SCOPE_KEY))
        request.scope[ITEMS_SCOPE_KEY] = int(request.headers.get("items", "0"))
        request.scope[WRITES_SCOPE_KEY] = body != b"only queries"
        return Response(BODY, media_type="application/json")

    async def read(self, request: Request) -> Response:
        return JSONResponse(request.path_params)

    async def broken(self, request: Request) -> Response:
        raise ZeroDivisionError(request.url.path)

    def refuse(self, kind: str, *, status: int, path: str) -> Response:
        return JSONResponse({"kind": kind, "path": path}, status_code=status)


@dataclass
class Wire:
    """The service behind the real server, and a client of it."""

    service: Service
    url: str
    port: int
    http: requests.Session

    def add(self, kind: str, **rule: Any) -> None:
        self.service.faults.add(rule_from_json({"kind": kind, **rule}))

    def post(self, body: bytes = b"write", **kwargs: Any) -> requests.Response:
        return self.http.post(self.url + BATCH, data=body, timeout=5, **kwargs)

    def get(self, path: str = "/v3/company/1/vendor/5") -> requests.Response:
        return self.http.get(self.url + path, timeout=5)

    def raw(self, request: bytes) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        sock.sendall(request)
        return sock

    @property
    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.service.calls.stats()["quickbooks"]
        return stats


POST = b"POST /v3/company/1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nwrite"


@pytest.fixture
def wire() -> Iterator[Wire]:
    service = Service()
    with listen("127.0.0.1", 0) as sock, requests.Session() as http:
        config = make_config(service.gateway)
        config.lifespan = "off"
        with ThreadServer(config).in_thread(sock):
            yield Wire(service, url_of(sock), sock.getsockname()[1], http)


@pytest.mark.parametrize(("kind", "applied"), [("reset_before", 0), ("reset_after", 1)])
def test_reset_is_a_tcp_reset_without_a_single_byte(wire, kind, applied):
    wire.add(kind)
    with wire.raw(POST) as sock, pytest.raises(ConnectionResetError):
        sock.recv(1)
    assert len(wire.service.applied) == applied
    assert wire.stats["aborted"] == 1


def test_a_client_library_sees_a_reset_as_a_connection_error(wire):
    wire.add("reset_after", times=1)
    with pytest.raises(requests.ConnectionError):
        wire.post()
    assert wire.post().status_code == 200
    assert len(wire.service.applied) == 2


def test_reset_hits_a_kept_alive_connection_after_earlier_answers(wire):
    assert wire.post().status_code == 200
    wire.add("reset_before")
    with pytest.raises(requests.ConnectionError):
        wire.post()


def test_truncated_promises_the_whole_length_and_closes_early(wire):
    wire.add("truncated", cut=0.25)
    with wire.raw(POST) as sock:
        answer = b""
        while part := sock.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"content-length: {len(BODY)}".encode() in head
    assert body == BODY[: len(BODY) // 4]
    assert len(wire.service.applied) == 1


def test_truncated_never_sends_everything(wire):
    wire.add("truncated", cut=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        wire.post()


@pytest.mark.parametrize("applied", [False, True])
def test_html_error_is_a_gateway_page(wire, applied):
    wire.add("html_error", applied=applied)
    answer = wire.post()
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert "502 Bad Gateway" in answer.text
    assert len(wire.service.applied) == applied


@pytest.mark.parametrize(("kind", "status", "sent"), [("throttle", None, 429), ("server_error", 503, 503)])
def test_errors_are_in_the_service_s_own_words(wire, kind, status, sent):
    wire.add(kind, **({"status": status} if status else {}))
    answer = wire.post()
    assert (answer.status_code, answer.json()) == (sent, {"kind": kind, "path": BATCH})
    assert wire.service.applied == []


def test_an_injected_throttle_is_counted_as_one(wire):
    wire.add("throttle")
    wire.post()
    assert wire.stats["throttled"] == {"injected": 1}


def test_slow_drip_sends_the_body_in_many_pieces_over_the_time(wire):
    wire.add("slow_drip", duration_ms=150)
    begun = time.monotonic()
    with wire.raw(POST) as sock:
        pieces = []
        while sum(map(len, pieces)) < len(BODY):
            pieces.append(sock.recv(65536).rpartition(b"\r\n\r\n")[2])
    assert time.monotonic() - begun >= 0.15
    assert b"".join(pieces) == BODY
    assert len(pieces) > 10


def test_slow_drip_ends_well_for_a_patient_client(wire):
    wire.add("slow_drip", duration_ms=50)
    assert wire.post().content == BODY
    assert wire.post().content == BODY


def test_latency_delays_the_answer(wire):
    wire.add("latency", delay_ms=80)
    begun = time.monotonic()
    assert wire.post().status_code == 200
    assert time.monotonic() - begun >= 0.08


def test_latency_can_be_given_as_bounds(wire):
    wire.add("latency", delay_ms=[10, 20])
    delays = []
    for _ in range(3):
        begun = time.monotonic()
        wire.post()
        delays.append(time.monotonic() - begun)
    assert all(delay >= 0.01 for delay in delays)


def test_latency_keeps_nobody_else_waiting(wire):
    wire.add("latency", delay_ms=400, path=BATCH)
    slow = threading.Thread(target=requests.post, args=(wire.url + BATCH,))
    begun = time.monotonic()
    slow.start()
    for _ in range(20):
        wire.get()
    assert time.monotonic() - begun < 0.35
    slow.join()


def test_latency_and_another_fault_hit_together(wire):
    wire.add("latency", delay_ms=60)
    wire.add("throttle")
    begun = time.monotonic()
    assert wire.post().status_code == 429
    assert time.monotonic() - begun >= 0.06


def test_standing_latency_counts_the_items_that_the_service_named(wire):
    latency = wire.service.faults.latency["quickbooks"]
    latency.per_call, latency.per_item = 0.02, 0.01
    begun = time.monotonic()
    wire.post(headers={"items": "10"})
    assert time.monotonic() - begun >= 0.12


@pytest.mark.parametrize("kind", ["expired_token", "stale_sync_token"])
def test_semantic_faults_reach_the_service(wire, kind):
    wire.add(kind, times=1)
    wire.post()
    wire.post()
    first, second = wire.service.semantic
    assert first is not None
    assert first.kind == kind
    assert second is None


def test_stale_sync_token_names_batch_items(wire):
    wire.add("stale_sync_token", items=[0, 4])
    wire.post()
    fault = wire.service.semantic[0]
    assert fault is not None
    assert [n for n in range(6) if fault.selects(n)] == [0, 4]


def test_calls_are_counted_by_the_route_s_template(wire):
    wire.get("/v3/company/93/vendor/93")
    wire.post()
    wire.get("/v3/company/1/nothing")
    assert wire.stats["by_endpoint"] == {
        "GET (unknown path)": {"404": 1},
        "GET /v3/company/{realm_id}/vendor/{id}": {"200": 1},
        "POST /v3/company/{realm_id}/batch": {"200": 1},
    }


def test_an_injected_error_is_counted_by_the_template_too(wire):
    wire.add("throttle")
    wire.get("/v3/company/1/vendor/5")
    assert wire.stats["by_endpoint"] == {"GET /v3/company/{realm_id}/vendor/{id}": {"429": 1}}


def test_only_calls_that_ask_for_a_change_are_write_calls(wire):
    wire.post(b"write")
    wire.post(b"only queries")
    wire.get()
    assert (wire.stats["calls"], wire.stats["write_calls"]) == (3, 1)


def test_control_calls_meet_no_fault_and_are_not_counted(wire):
    wire.add("reset_before")
    assert wire.get("/__control/stats").status_code == 200
    assert wire.service.calls.stats()["total_calls"] == 0


def test_in_flight_is_counted_while_answers_are_delayed(wire):
    wire.add("latency", delay_ms=150)
    threads = [threading.Thread(target=requests.post, args=(wire.url + BATCH,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wire.stats["max_in_flight"] == 4


def test_a_broken_service_answers_500_and_is_remembered(wire, caplog):
    assert wire.get("/v3/broken").status_code == 500
    assert wire.service.gateway.failures == ["GET /v3/broken: ZeroDivisionError('/v3/broken')"]
    assert "failed to answer GET /v3/broken" in caplog.text


def test_a_client_that_is_killed_in_its_request_is_no_failure(wire):
    with wire.raw(POST.replace(b"Length: 5", b"Length: 50")):
        pass
    assert wire.service.left.wait(5)
    assert wire.get().ok
    assert (wire.service.applied, wire.service.gateway.failures) == ([], [])


def test_tcp_nodelay_is_on_for_accepted_connections():
    """Read from the accepted socket, of a listener for which asyncio itself would not set it."""
    config = make_config(Service().gateway)
    config.lifespan = "off"
    server = ThreadServer(config)

    async def options() -> list[int]:
        sockets = [c.transport.get_extra_info("socket") for c in server.server_state.connections]
        return [sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for sock in sockets]

    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert sock.proto == 0
        with server.in_thread(sock), requests.Session() as http:
            http.get(url_of(sock))
            assert server.loop is not None
            found = asyncio.run_coroutine_threadsafe(options(), server.loop).result(timeout=5)
    assert found == [1]


def test_many_small_calls_on_one_connection_are_fast(wire):
    """Without TCP_NODELAY each would wait 40 ms for a delayed acknowledgement."""
    wire.get()
    begun = time.monotonic()
    for _ in range(50):
        wire.get()
    assert (time.monotonic() - begun) / 50 < 0.02
