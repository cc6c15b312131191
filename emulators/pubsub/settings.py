"""A subscription's settings: checked and completed as the service does, and read once into a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.pubsub_v1 import types

from emulators.pubsub import errors, names
from emulators.pubsub.filters import Predicate, compiled

Subscription = types.Subscription.pb()

_SECOND = 1_000_000_000
_DAY = 86_400
_DEFAULT_RETENTION = 7 * _DAY
_MAX_RETENTION = 31 * _DAY
_MIN_RETENTION = 600
_DEFAULT_EXPIRATION = 31 * _DAY
_MAX_BACKOFF = 600
_DEFAULT_BACKOFF = (10, 600)
_ATTEMPTS = (5, 100)
# Push without a retry policy: nothing for the first failure of a message, then this, doubling.
_PUSH_BACKOFF_NS = _SECOND // 10
_PUSH_BACKOFF_MAX_NS = 60 * _SECOND

_REFUSED = (
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "retain_acked_messages",
    "detached",
    "enable_exactly_once_delivery",
    "message_transforms",
    "tags",
)
MUTABLE = frozenset(
    {
        "push_config",
        "ack_deadline_seconds",
        "message_retention_duration",
        "labels",
        "expiration_policy",
        "dead_letter_policy",
        "retry_policy",
        *_REFUSED,
    }
)


@dataclass(frozen=True)
class Policy:
    """What delivery needs to know of a subscription. Durations are in nanoseconds."""

    ack_deadline_ns: int
    retention_ns: int
    ordered: bool
    filter: Predicate | None
    backoff_ns: tuple[int, int] | None
    dead_letter_topic: str
    max_attempts: int
    endpoint: str
    wrapped: bool
    write_metadata: bool

    def delay_ns(self, failures: int) -> int:
        """How long a message waits after its ``failures``-th failure (from 1)."""
        doublings = min(failures - 1, 40)
        if self.backoff_ns:
            low, high = self.backoff_ns
            return min(high, low << doublings)
        if self.endpoint and failures > 1:
            return min(_PUSH_BACKOFF_MAX_NS, _PUSH_BACKOFF_NS << (doublings - 1))
        return 0


def policy(proto: Any) -> Policy:
    """The policy of a completed Subscription."""
    retry, push = proto.retry_policy, proto.push_config
    backoff = None
    if proto.HasField("retry_policy"):
        backoff = (retry.minimum_backoff.ToNanoseconds(), retry.maximum_backoff.ToNanoseconds())
    return Policy(
        ack_deadline_ns=proto.ack_deadline_seconds * _SECOND,
        retention_ns=max(
            proto.message_retention_duration.ToNanoseconds(),
            proto.topic_message_retention_duration.ToNanoseconds(),
        ),
        ordered=proto.enable_message_ordering,
        filter=compiled(proto.filter),
        backoff_ns=backoff,
        dead_letter_topic=proto.dead_letter_policy.dead_letter_topic,
        max_attempts=proto.dead_letter_policy.max_delivery_attempts,
        endpoint=push.push_endpoint,
        wrapped=not push.HasField("no_wrapper"),
        write_metadata=push.no_wrapper.write_metadata,
    )


def complete(proto: Any) -> None:
    """Check a Subscription and fill in the service's defaults, in place.

    Raises INVALID_ARGUMENT, OUT_OF_RANGE (max_delivery_attempts) or UNIMPLEMENTED by field name.
    """
    for field in _REFUSED:
        if _is_set(proto, field):
            raise errors.unsupported(f"Subscription.{field}")
    check_push_config(proto.push_config)
    proto.push_config.SetInParent()
    _complete_deadline(proto)
    _complete_retention(proto)
    _complete_expiration(proto)
    _complete_retry(proto)
    _complete_dead_letter(proto)
    compiled(proto.filter)


def check_push_config(config: Any) -> None:
    """Refuse an endpoint that is not HTTP, and attributes that would change the format."""
    endpoint = config.push_endpoint
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise errors.invalid(f"Invalid push endpoint given (endpoint={endpoint}): use an http(s) URL.")
    for key, value in config.attributes.items():
        if (key, value) not in (("x-goog-version", "v1"), ("x-goog-version", "v1beta2")):
            raise errors.unsupported(f"PushConfig.attributes[{key}] = {value}")


def updated(current: Any, update: Any, paths: list[str]) -> Any:
    """A copy of ``current`` with the fields of ``paths`` (top-level names) taken from ``update``."""
    if not paths:
        raise errors.empty_mask("Subscription")
    result = Subscription()
    result.CopyFrom(current)
    for path in paths:
        if path not in Subscription.DESCRIPTOR.fields_by_name:
            raise errors.bad_mask("Subscription", path)
        if path not in MUTABLE:
            raise errors.not_mutable("Subscription", path)
        copy_field(update, result, path)
    complete(result)
    return result


def copy_field(source: Any, target: Any, field: str) -> None:
    """Make ``target``'s field what it is in ``source``: set, or not."""
    target.ClearField(field)
    descriptor = source.DESCRIPTOR.fields_by_name[field]
    if descriptor.message_type is None:
        setattr(target, field, getattr(source, field))
    elif descriptor.message_type.GetOptions().map_entry:
        getattr(target, field).update(getattr(source, field))
    elif descriptor.is_repeated:
        getattr(target, field).extend(getattr(source, field))
    elif source.HasField(field):
        getattr(target, field).CopyFrom(getattr(source, field))


def _is_set(proto: Any, field: str) -> bool:
    return any(descriptor.name == field for descriptor, _ in proto.ListFields())


def _complete_deadline(proto: Any) -> None:
    seconds = proto.ack_deadline_seconds
    if seconds == 0:
        proto.ack_deadline_seconds = 10
    elif not 10 <= seconds <= 600:
        raise errors.outside("ack_deadline_seconds", str(seconds), "10", "600")


def _complete_retention(proto: Any) -> None:
    if not proto.HasField("message_retention_duration"):
        proto.message_retention_duration.seconds = _DEFAULT_RETENTION
    check_retention(proto.message_retention_duration)


def check_retention(duration: Any) -> None:
    """10 minutes to 31 days, for topics and subscriptions."""
    if not _MIN_RETENTION <= _seconds(duration) <= _MAX_RETENTION:
        low, high = f"{_MIN_RETENTION}s", f"{_MAX_RETENTION}s"
        raise errors.outside("message_retention_duration", f"{_seconds(duration):g}s", low, high)


def _complete_expiration(proto: Any) -> None:
    if not proto.HasField("expiration_policy"):
        proto.expiration_policy.ttl.seconds = _DEFAULT_EXPIRATION
    ttl = proto.expiration_policy.ttl
    if proto.expiration_policy.HasField("ttl") and 0 != _seconds(ttl) < _DAY:
        raise errors.outside("expiration_policy.ttl", f"{_seconds(ttl):g}s", f"{_DAY}s", "unlimited")


def _complete_retry(proto: Any) -> None:
    if not proto.HasField("retry_policy"):
        return
    retry = proto.retry_policy
    for field, default in zip(("minimum_backoff", "maximum_backoff"), _DEFAULT_BACKOFF, strict=True):
        if not retry.HasField(field):
            getattr(retry, field).seconds = default
        seconds = _seconds(getattr(retry, field))
        if not 0 <= seconds <= _MAX_BACKOFF:
            raise errors.outside(field, f"{seconds:g}s", "0s", f"{_MAX_BACKOFF}s")
    low, high = _seconds(retry.minimum_backoff), _seconds(retry.maximum_backoff)
    if high < low:
        raise errors.invalid(
            f"The value for maximum_backoff is too small. You passed {high:g}s in the request, "
            f"but the minimum value is {low:g}s."
        )


def _complete_dead_letter(proto: Any) -> None:
    if not proto.HasField("dead_letter_policy"):
        return
    dead = proto.dead_letter_policy
    names.topic(dead.dead_letter_topic)
    dead.max_delivery_attempts = dead.max_delivery_attempts or _ATTEMPTS[0]
    if not _ATTEMPTS[0] <= dead.max_delivery_attempts <= _ATTEMPTS[1]:
        raise errors.out_of_range("max_delivery_attempts", dead.max_delivery_attempts, *_ATTEMPTS)


def _seconds(duration: Any) -> float:
    return float(duration.seconds + duration.nanos / _SECOND)
