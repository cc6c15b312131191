"""The example's server as a process, between trackers and a Pub/Sub that fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from examples.tracker_server.publishing import Publisher, Unconfirmed
from local.processes import ROOT, Child, python, read_ready_line, spawn
from tests.examples.tracker_server.talking import SECONDS, Tcp, Udp, answer, report
from tests.support.emulators import Address, embedded

TOPIC, LOOK = "projects/p/topics/default-processor", "projects/p/subscriptions/look"


class Site:
    """An emulator of Pub/Sub, the server, and what it has published."""

    def __init__(self, pubsub: Address, channel: grpc.Channel) -> None:
        self.pubsub = pubsub
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        publisher.create_topic(name=TOPIC)
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        self._subscriber.create_subscription(name=LOOK, topic=TOPIC)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the rules of Pub/Sub's faults, and count calls from zero."""
        httpx.delete(f"{self.pubsub.http}/calls").raise_for_status()
        httpx.post(f"{self.pubsub.http}/faults", json={"rules": list(rules)}).raise_for_status()

    async def called(self, method: str, times: int) -> None:
        """Wait until a method of Pub/Sub was called so often."""
        async with asyncio.timeout(SECONDS), httpx.AsyncClient() as client:
            while (await client.get(f"{self.pubsub.http}/calls")).json().get(method, 0) < times:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def events(self) -> list[dict[str, Any]]:
        """All that is in the topic's messages."""
        found = self._subscriber.pull(subscription=LOOK, max_messages=100).received_messages
        self._subscriber.acknowledge(subscription=LOOK, ack_ids=[one.ack_id for one in found])
        return [event for one in found for event in json.loads(one.message.data)]


@contextmanager
def serving(pubsub: Address) -> Iterator[tuple[Child, int, int]]:
    """The server's process, and its ports: UDP, TCP."""
    command = python("-m", "examples.tracker_server", "--cloud-project", "p", "--project", "farm")
    command += ["--network", "trackers", "--host", "127.0.0.1", "--udp-port", "0", "--tcp-port", "0"]
    env = {"PUBSUB_EMULATOR_HOST": pubsub.grpc, "PYTHONPATH": str(ROOT)}
    child = spawn("tracker_server", command, env)
    try:
        ready = read_ready_line(child)
        yield child, ready["udp"], ready["tcp"]
    finally:
        child.kill()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with embedded("pubsub") as pubsub, grpc.insecure_channel(pubsub.grpc) as channel:
        yield Site(pubsub, channel)


async def test_what_pubsub_does_not_take_is_not_acknowledged_until_it_does(site: Site) -> None:
    with serving(site.pubsub) as (_, udp_port, tcp_port):
        udp, tcp = await Udp().open(udp_port), await Tcp.open(tcp_port)
        site.faults({"method": "Publish", "error_rate": 1.0, "code": "UNAVAILABLE"})
        udp.send(report(1))
        await tcp.send(report(2))
        hearing = asyncio.ensure_future(tcp.answer())
        await site.called("Publish", 3)
        assert udp.silent()
        assert not hearing.done()
        site.faults()
        assert (await udp.answer(), await hearing) == (answer(1), answer(2))
        assert len({event["id"] for event in site.events()}) == 2
        udp.close()
        tcp.close()


async def test_an_answer_of_pubsub_that_is_lost_doubles_nothing(site: Site) -> None:
    with serving(site.pubsub) as (_, udp_port, _):
        udp = await Udp().open(udp_port)
        site.faults({"method": "Publish", "drop_answer_rate": 1.0, "code": "UNAVAILABLE"})
        udp.send(report(5))
        await site.called("Publish", 2)
        site.faults()
        assert await udp.answer() == answer(5)
        found = site.events()
        # Published more than once, it is one event to the platform.
        assert len(found) > 1
        assert len({(event["deviceId"], event["id"], event["hash"]) for event in found}) == 1
        udp.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_told_to_end_it_answers_what_is_under_way(site: Site, how: signal.Signals) -> None:
    with serving(site.pubsub) as (child, udp_port, tcp_port):
        udp, tcp = await Udp().open(udp_port), await Tcp.open(tcp_port)
        site.faults({"method": "Publish", "latency_ms": 700})
        udp.send(report(8))
        await tcp.send(report(9))
        await site.called("Publish", 1)
        child.process.send_signal(how)
        assert (await udp.answer(), await tcp.answer()) == (answer(8), answer(9))
        assert await tcp.ended() == b""
        assert await asyncio.to_thread(child.process.wait, SECONDS) == 0
        site.faults()
        assert {event["data"][0]["path"] for event in site.events()} == {"speed"}
        udp.close()
        tcp.close()


@pytest.mark.parametrize("away", ["failing", "gone"])
async def test_a_pubsub_that_stays_away_is_unconfirmed(
    site: Site, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", site.pubsub.grpc if away == "failing" else "127.0.0.1:1")
    site.faults({"method": "Publish", "error_rate": 1.0, "code": "UNAVAILABLE"})
    publisher = Publisher("p", "default-processor", seconds=0.5)
    try:
        with pytest.raises(Unconfirmed):
            await publisher.publish(b"[]", {"v": "1"})
    finally:
        site.faults()
        await publisher.close()


async def test_a_topic_that_is_not_there_is_unconfirmed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", site.pubsub.grpc)
    publisher = Publisher("p", "another", seconds=5)
    try:
        with pytest.raises(Unconfirmed, match="NotFound"):
            await publisher.publish(b"[]", {"v": "1"})
    finally:
        await publisher.close()


@pytest.mark.parametrize(
    ("pubsub", "port", "said"),
    [
        (True, None, "address already in use"),
        (True, "99999", "port must be 0-65535"),
        (False, "0", "default credentials were not found"),
    ],
)
def test_what_it_cannot_start_with_is_said_in_a_line(
    site: Site, pubsub: bool, port: str | None, said: str, tmp_path: Path
) -> None:
    command = python("-m", "examples.tracker_server", "--cloud-project", "p", "--project", "farm")
    command += ["--network", "trackers", "--host", "127.0.0.1", "--udp-port", "0"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "PUBSUB_"))}
    # No machine of Google's is asked for credentials.
    env |= {"NO_GCE_CHECK": "true", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    env |= {"PUBSUB_EMULATOR_HOST": site.pubsub.grpc} if pubsub else {}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command += ["--tcp-port", port or str(taken.getsockname()[1])]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_its_requirements_are_those_that_the_repository_has() -> None:
    wanted = [
        line
        for line in (Path(ROOT) / "examples/tracker_server/requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert wanted
    assert set(wanted) <= set((Path(ROOT) / "requirements.txt").read_text().splitlines())
