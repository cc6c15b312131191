"""What the stack makes is what services.yaml and the history's definition say."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, firestore
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local import provision_demo
from local.options import DEMO_NETWORK
from local.provision_pubsub import provision
from local.stack import Stack
from local.topology import load
from shared import history, keys
from tests.integration.local.conftest import SERVICES

pytestmark = pytest.mark.xdist_group("local-provision")  # one stack for all


@pytest.fixture
def channel(stack: Stack) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(stack.env()["PUBSUB_EMULATOR_HOST"]) as opened:
        yield opened


def test_topics_and_subscriptions_are_as_declared(stack: Stack, channel: grpc.Channel) -> None:
    topology = load(SERVICES)
    publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    listed = publisher.list_topics(project=f"projects/{stack.project}")
    assert {topic.name.rpartition("/")[2] for topic in listed} == set(topology.topics)
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    for item in topology.subscriptions.values():
        found = subscriber.get_subscription(
            subscription=f"projects/{stack.project}/subscriptions/{item.name}"
        )
        assert found.topic.rpartition("/")[2] == item.topic
        assert found.push_config.push_endpoint == stack.urls["push"] + item.function
        assert found.ack_deadline_seconds == item.ack_deadline_seconds
        assert found.retry_policy.minimum_backoff.total_seconds() == item.retry_minimum_seconds
        assert found.retry_policy.maximum_backoff.total_seconds() == item.retry_maximum_seconds
        if item.dead_letter is None:
            assert not found.dead_letter_policy.dead_letter_topic
        else:
            assert found.dead_letter_policy.dead_letter_topic.rpartition("/")[2] == item.dead_letter.topic
            assert found.dead_letter_policy.max_delivery_attempts == item.dead_letter.max_delivery_attempts


def test_what_exists_is_set_to_what_is_declared(stack: Stack, channel: grpc.Channel) -> None:
    emulator = stack.env()["PUBSUB_EMULATOR_HOST"]
    provision(load(SERVICES), "kept", emulator, "http://127.0.0.1:1/old/")
    provision(load(SERVICES), "kept", emulator, "http://127.0.0.1:1/new/")
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    found = subscriber.get_subscription(subscription="projects/kept/subscriptions/jobs-jobs")
    assert found.push_config.push_endpoint == "http://127.0.0.1:1/new/jobs"


def test_history_is_made_from_its_definition(stack: Stack) -> None:
    client = bigquery.Client(
        project=stack.project,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=stack.env()["BIGQUERY_EMULATOR_HOST"]),
    )
    table = client.get_table(f"history.{history.TABLE}")
    assert [field.name for field in table.schema] == [column["name"] for column in history.schema()]
    assert table.require_partition_filter
    assert table.clustering_fields == list(history.CLUSTERING)
    query = "SELECT COUNT(*) AS n FROM history.events('p', TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02')"
    (row,) = client.query(query).result()
    assert row.n == 0
    client.close()


def test_a_key_of_an_earlier_start_stays_valid(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    address = stack.env()["FIRESTORE_EMULATOR_HOST"]
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
    made = [keys.make("fk") for _ in range(25)]
    client = firestore.Client(project=stack.project)
    for key in made:
        provision_demo.provision(stack.project, address, key.text)
        held = client.document(f"networks/{DEMO_NETWORK}").get().to_dict()["keys"]
        assert held[key.id]["hash"] == key.hash
    client.close()
    assert {key.id for key in made[-21:]} <= held.keys(), "what uses an earlier key goes on"
    assert len(held) == 21, "but they do not pile up for ever"
