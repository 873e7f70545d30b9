"""A fleet in figures: how soon devices have what was issued, at 10, 100 and 1,000 simulated and 20 real ones; how soon another hub
leads; and what an idle device costs the network.

A simulated device is a stream of its own on its own prefix; it reads its delivery, opens the key and reports; a few processes share
the devices. A real one is a process and an nginx, and reports once it has seen the new certificate there.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import statistics
import threading
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from core.fleet import layout
from core.fleet.etcd import Etcd, in_batches
from core.fleet.gateway import Gateway
from core.fleet.sealing import box_id, open_with, public_half
from core.fleet.values import Box, Delivery, Signed, Told, b64, decoded, encoded, unb64
from core.system import environment
from tests.support.etcd import EtcdCluster
from tests.support.fleet_box import FleetBox
from tests.support.nginx import NginxServer
from tests.support.programs import wait_until
from tests.support.relay import Relay

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

COUNTS = tuple(map(int, os.environ.get("CERTDECK_FLEET_DEVICES", "10,100,1000").split(",")))
ISSUE = ("issue", "-d", "box.lan", "--name", "lan", "--force")
PATIENCE_SECONDS = 600
PROCESSES = 4
"""That share the simulated devices."""
REAL = int(os.environ.get("CERTDECK_FLEET_REAL", "20"))
IDLE_MINUTES = float(os.environ.get("CERTDECK_IDLE_MINUTES", "5"))
"""Each stream is opened anew once in five."""
IDLE_LIMIT = 1536
"""Bytes a minute, both directions."""


@contextmanager
def running(folder: Path, members: int) -> Iterator[EtcdCluster]:
    cluster = EtcdCluster(folder, members)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


class Wire:
    """A connection of a simulated device. Bare: the pool of an HTTP client takes quadratic time over hundreds of streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host
        self.requests = 0
        self.passed = 0
        """Bytes, both ways."""

    @classmethod
    async def to(cls, endpoint: str) -> Wire:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)), host)

    async def post(self, path: str, body: object) -> Any:
        return json.loads(b"".join([piece async for piece in self.pieces(path, body)]))

    async def pieces(self, path: str, body: object) -> AsyncIterator[bytes]:
        """Send a request, and yield the body of its answer as it comes."""
        text = json.dumps(body).encode()
        self._writer.write(
            f"POST /v3/{path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(text)}\r\n\r\n".encode()
        )
        self._writer.write(text)
        self.requests += 1
        self.passed += len(text) + 90
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        self.passed += len(head)
        if b"transfer-encoding: chunked" not in head:
            yield await self._exactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0]))
            return
        while size := int(await self._reader.readline(), 16):
            yield (await self._exactly(size + 2))[:-2]
        await self._exactly(2)

    async def _exactly(self, size: int) -> bytes:
        self.passed += size
        return await self._reader.readexactly(size)

    def close(self) -> None:
        self._writer.close()


class Simulated:
    """Devices of one process."""

    def __init__(self, endpoints: list[str], fleet: str, keys: list[bytes]) -> None:
        self._endpoints = endpoints
        self._fleet = fleet
        self._keys = keys
        self.served: list[float] = []
        self.requests = 0
        self.passed = 0

    async def run(self, ready: Callable[[], None]) -> None:
        opened = [asyncio.Event() for _ in self._keys]
        tasks = [asyncio.create_task(self._one(number, key, opened[number])) for number, key in enumerate(self._keys)]
        for each in opened:
            await each.wait()
        ready()
        await asyncio.gather(*tasks)

    async def _one(self, number: int, key: bytes, opened: asyncio.Event) -> None:
        id = box_id(public_half(key))
        endpoint = self._endpoints[number % len(self._endpoints)]
        prefix = layout.device(id).encode()
        span = {"key": b64(prefix), "range_end": b64(layout.after(prefix))}
        await asyncio.sleep(number / 200)  # not all in one instant: they did not all start in one instant either
        stream = await Wire.to(endpoint)
        async for piece in stream.pieces("watch", {"create_request": span}):
            result = json.loads(piece).get("result", {})
            if result.get("created"):
                opened.set()
            if result.get("events"):
                break
        stream.close()
        calls = await Wire.to(endpoint)
        found = (await calls.post("kv/range", span))["kvs"][0]
        place = b64decode(found["key"]).decode()
        outer = decoded(Signed, b64decode(found["value"]), place)
        delivery = decoded(Delivery, outer.text.encode(), place)
        open_with(key, unb64(delivery.sealed), layout.sealed_for(self._fleet, id, delivery.name, delivery.version))
        told = Told(name=delivery.name, version=delivery.version, state="deployed", at=datetime.now(UTC))
        report = {"key": b64(layout.report(id, delivery.name).encode()), "value": b64(encoded(told))}
        await calls.post("kv/put", report)
        calls.close()
        self.served.append(time.monotonic())
        self.requests += stream.requests + calls.requests
        self.passed += stream.passed + calls.passed


def _simulate(here: Connection, endpoints: list[str], fleet: str, keys: list[bytes]) -> None:
    """Be the devices of one process: say that all of them watch, then when each served, and what requests and bytes that took."""
    devices = Simulated(endpoints, fleet, keys)
    asyncio.run(devices.run(lambda: here.send("ready")))
    here.send((devices.served, devices.requests, devices.passed))


@contextmanager
def simulated(endpoints: list[str], fleet: str, keys: list[bytes]) -> Iterator[list[Connection]]:
    """Run devices in a few processes. Yields when each of them watches; each connection then gives when they served."""
    spawn = multiprocessing.get_context("spawn")
    processes, connections = [], []
    for each in filter(None, (keys[number::PROCESSES] for number in range(PROCESSES))):
        here, there = spawn.Pipe()
        processes.append(spawn.Process(target=_simulate, args=(there, endpoints, fleet, each), daemon=True))
        connections.append(here)
    for process in processes:
        process.start()
    try:
        for connection in connections:
            assert connection.poll(120), "the devices watch"
            connection.recv()
        yield connections
    finally:
        for process in processes:
            process.terminate()
            process.join()


def test_from_issued_to_served(tmp_path: Path) -> None:
    """The last of 1,000 devices has a new certificate after a time that grows linearly with their number."""
    rows = []
    for count in COUNTS:
        with running(tmp_path / f"etcd-{count}", 3) as etcd:
            hub = FleetBox(tmp_path / f"hub-{count}", etcd, "hub", more='[defaults]\nissuer = "appliance-ca"\n')
            fleet = str(hub.done("fleet", "init")["fleet"])
            keys = [os.urandom(32) for _ in range(count)]
            _enrol(etcd, keys)
            rows.append((count, *_measured(etcd, hub, fleet, keys)))
    print("\n         s after it was published       a device:")
    print(" devices   first   median     last   bytes in etcd   requests   bytes on the wire")
    for count, first, median, last, size, requests, passed in rows:
        print(f"{count:8} {first:7.2f} {median:8.2f} {last:8.2f} {size:15.0f} {requests:10.1f} {passed:19.0f}")
    assert rows[-1][3] < 60
    # What a device adds does not grow with the number of the others.
    for figure in (4, 5, 6):
        assert rows[-1][figure] <= 1.1 * rows[0][figure]


def _enrol(etcd: EtcdCluster, keys: list[bytes]) -> None:
    env = environment({})
    gateway = Gateway(env.peers(None, None), env.clock, etcd.endpoints)
    now = datetime.now(UTC)
    puts = {}
    for number, key in enumerate(keys):
        public = public_half(key)
        id = box_id(public)
        puts[layout.BOXES + id] = encoded(
            Box(id=id, name=f"device-{number}", role="device", public=b64(public), approved=now)
        )
    for batch in in_batches(puts):
        Etcd(gateway).commit(batch)
    gateway.close()


def _measured(
    etcd: EtcdCluster, hub: FleetBox, fleet: str, keys: list[bytes]
) -> tuple[float, float, float, float, float, float]:
    published: list[float] = []

    def look() -> None:
        def is_there() -> bool:
            return '"version": 1' in etcd.ctl("get", "certdeck/shared/certificates/lan", check=False).stdout

        wait_until(is_there, "it is published", timeout=120)
        published.append(time.monotonic())

    times, requests, passed = [], 0, 0
    with simulated(etcd.endpoints, fleet, keys) as connections:
        looking = threading.Thread(target=look)
        looking.start()
        hub.done(*ISSUE, timeout=300)
        looking.join()
        for connection in connections:
            assert connection.poll(300), "each device serves it"
            served, sent, size = connection.recv()
            times += [at - published[0] for at in served]
            requests += sent
            passed += size
    times.sort()
    size = sum(_stored(etcd, prefix) for prefix in (layout.DEVICES, layout.REPORTS, layout.BOXES))
    return times[0], statistics.median(times), times[-1], *(each / len(keys) for each in (size, requests, passed))


def _stored(etcd: EtcdCluster, prefix: str) -> int:
    """Return the bytes of keys and values with a prefix."""
    span = {"key": b64(prefix.encode()), "range_end": b64(layout.after(prefix.encode()))}
    found = etcd.post(etcd.leader(), "kv/range", span).get("kvs", [])
    return sum(len(b64decode(each["key"])) + len(b64decode(each["value"])) for each in found)


# -- real devices, and another hub -------------------------------------------------------------------------------------


def test_real_devices(tmp_path: Path, nginxes: Callable[..., NginxServer]) -> None:
    """Twenty processes, each with an nginx that it tests, reloads and probes, serve a new version; the table says how soon."""
    with running(tmp_path / "etcd", 3) as etcd, ExitStack() as stack:
        hub = FleetBox(tmp_path / "hub", etcd, "hub", more='[defaults]\nissuer = "appliance-ca"\n', target=False)
        hub.done("fleet", "init")
        names = [f"device-{number}" for number in range(REAL)]
        for name in names:
            target = nginxes().target_toml("web")
            device = FleetBox(tmp_path / name, etcd, "device", target=False, more=target)
            device.join(hub, timeout=120)
            stack.enter_context(device.watching())
        hub.done(*ISSUE, timeout=300)
        _wait_deployed(etcd, 1, REAL)
        begun = time.monotonic()
        hub.done(*ISSUE, timeout=300)
        published = time.monotonic()
        times = [at - begun for at in _wait_deployed(etcd, 2, REAL)]
    print(
        f"\n{REAL} real devices: first {times[0]:.2f}, median {statistics.median(times):.2f}, last {times[-1]:.2f} s after",
        end="",
    )
    print(f" `certdeck issue` was started; that took {published - begun:.2f} s")


def _wait_deployed(etcd: EtcdCluster, version: int, count: int) -> list[float]:
    """Return when each of `count` devices has reported that it serves the version, by the monotonic clock."""
    seen: dict[str, float] = {}
    span = {"key": b64(layout.REPORTS.encode()), "range_end": b64(layout.after(layout.REPORTS.encode()))}
    leader = etcd.leader()

    def have_all() -> bool:
        for each in etcd.post(leader, "kv/range", span).get("kvs", []):
            place = b64decode(each["key"]).decode()
            if "/certs/" in place:
                told = decoded(Told, b64decode(each["value"]), place)
                if told.version == version and told.state == "deployed":
                    seen.setdefault(place, time.monotonic())
        return len(seen) == count

    wait_until(have_all, "all devices serve it", timeout=PATIENCE_SECONDS, every=0.05)
    return sorted(seen.values())


def test_another_hub_leads(tmp_path: Path) -> None:
    """When the leading hub is killed, another one leads after at most twice the lease."""
    lease, took = 6, []
    with running(tmp_path / "etcd", 3) as etcd:
        boxes = [
            FleetBox(tmp_path / name, etcd, "hub", target=False, fleet=f"lease_seconds = {lease}")
            for name in ("hub-a", "hub-b")
        ]
        boxes[0].done("fleet", "init")
        boxes[1].join(boxes[0])
        for _ in range(3):
            with ExitStack() as stack:
                first = stack.enter_context(boxes[0].watching())
                wait_until(lambda: _leader(etcd) == "hub-a", "hub-a leads", timeout=60)
                stack.enter_context(boxes[1].watching())
                wait_until(lambda: "hub" in boxes[1].done("fleet", "status")["role"], "hub-b is up", timeout=60)
                first.kill()
                begun = time.monotonic()
                wait_until(lambda: _leader(etcd) == "hub-b", "hub-b leads", timeout=60, every=0.05)
                took.append(time.monotonic() - begun)
            wait_until(lambda: _leader(etcd) == "", "nobody leads", timeout=60)
    print(f"\nfail-over: {', '.join(f'{each:.1f}' for each in took)} s with a lease of {lease} s")
    assert max(took) <= 2 * lease


def _leader(etcd: EtcdCluster) -> str:
    found = etcd.ctl("get", "certdeck/leader", "--print-value-only", check=False).stdout
    return found.partition('"name": "')[2].partition('"')[0]


# -- an idle device ----------------------------------------------------------------------------------------------------


def test_what_an_idle_device_costs(tmp_path: Path) -> None:
    """A device that has nothing to do, and answers HTTP-01, passes at most 1.5 KiB a minute."""
    with running(tmp_path / "etcd", 1) as etcd:
        hub = FleetBox(tmp_path / "hub", etcd, "hub", more='[defaults]\nissuer = "appliance-ca"\n')
        hub.done("fleet", "init")
        relay = Relay(etcd.members[0].client_port)
        device = FleetBox(tmp_path / "device", etcd, "device", fleet="serve_challenges = true")
        device.join(hub)
        hub.done(*ISSUE)
        config = device.home / "etc" / "certdeck.toml"
        config.write_text(config.read_text().replace(etcd.endpoints[0], f"http://127.0.0.1:{relay.port}"))
        with device.watching():
            device.wait_serves_something()
            wait_until(lambda: _is_quiet(relay), "it is quiet", timeout=60)
            before, started = relay.passed, time.monotonic()
            time.sleep(IDLE_MINUTES * 60)
            each = (relay.passed - before) / ((time.monotonic() - started) / 60)
            before, had = (relay.passed, relay.requests, relay.connections), device.served()
            hub.done(*ISSUE)
            wait_until(lambda: device.served() != had, "it serves the next version", timeout=60)
            wait_until(lambda: _is_quiet(relay), "it is quiet", timeout=60)
            cost = [
                now - then for now, then in zip((relay.passed, relay.requests, relay.connections), before, strict=True)
            ]
    print(f"\nidle device: {each:.0f} bytes a minute over {IDLE_MINUTES:g} minutes, without TLS")
    print("a new version: {} bytes, {} requests, {} connections".format(*cost))
    assert each <= IDLE_LIMIT


def _is_quiet(relay: Relay) -> bool:
    before = relay.passed
    time.sleep(1.0)
    return relay.passed == before
