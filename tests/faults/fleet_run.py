"""A stack with a project, a fleet that sends into it, and the proof of what came of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, firestore

from demo import fleet, prove, send, setup
from demo.fleet import Sent
from fulcrum import Client
from local.stack import Stack


@dataclass
class Run:
    """One stack under test. ``book`` holds what all posts together were answered."""

    stack: Stack
    sql: bigquery.Client
    store: firestore.Client
    client: Client
    keys: dict[str, str]
    devices: list[fleet.DemoDevice]
    tried: list[Sent] = field(default_factory=list)
    accepted: list[Sent] = field(default_factory=list)

    def send(self, events: Sequence[Sent]) -> None:
        """Send as devices do, repeating what was not taken; returns when all had their answer."""
        self.tried += events
        book = asyncio.run(send.send(self.stack.url, self.keys, events, lambda _: None))
        self.accepted += book.accepted

    @contextmanager
    def sending(self, events: Sequence[Sent]) -> Iterator[None]:
        """Send while the block runs, and wait for the last answer afterwards."""
        failures: list[BaseException] = []

        def work() -> None:
            try:
                self.send(events)
            except BaseException as error:
                failures.append(error)

        sender = threading.Thread(target=work)
        sender.start()
        try:
            yield
        finally:
            sender.join()
        if failures:
            raise failures[0]

    def prove(self) -> prove.Proof:
        """Compare history and state with what was sent."""
        return prove.run(self.sql, self.client, setup.PROJECT, self.accepted, self.tried)


@contextmanager
def running(folder: Path) -> Iterator[Run]:
    """A fresh stack with the demo's project, made as the demo makes it."""
    with Stack(folder) as stack, pytest.MonkeyPatch.context() as patch:
        for name, value in stack.env().items():
            patch.setenv(name, value)
        store = firestore.Client(project=stack.project)
        sql = bigquery.Client(project=stack.project, credentials=AnonymousCredentials())
        token = setup.administrator(stack.url, stack.env()["FULCRUM_SETUP_TOKEN"])
        client = Client(stack.url, token=token, project=setup.PROJECT)
        try:
            built = setup.build(client, fleet.devices())
            yield Run(stack, sql, store, client, built.keys, built.fleet)
        finally:
            client.close()
            store.close()
            sql.close()
