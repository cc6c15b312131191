"""What the emulator knows: functions, their revisions in traffic, operations, policies, uploads.

Everything is written through to disk where there is a folder for it, zips and unpacked code included, so that
a process that comes back serves what the one before it served.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from google.cloud.functions_v2 import types
from google.iam.v1 import policy_pb2
from google.longrunning import operations_pb2

from emulators.functions import errors
from emulators.functions.builds import Build
from emulators.kit.records import Records

Function: Any = types.Function.pb()
Metadata: Any = types.OperationMetadata.pb()
_policy: Any = policy_pb2
Policy: Any = _policy.Policy
_operations: Any = operations_pb2
Operation: Any = _operations.Operation
# How long an upload URL is good for, in seconds.
_UPLOAD_SECONDS = 1_800.0
_KEPT_OPERATIONS = 500


@dataclass(frozen=True)
class Upload:
    """A place for one zip. ``expires``: in seconds since the epoch."""

    bucket: str
    object: str
    expires: float
    done: bool = False


class State:
    """All resources by their full names. ``folder`` holds zips, code and environments."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.folder = folder
        self.functions: dict[str, Any] = {}
        self.builds: dict[str, Build] = {}
        self.operations: dict[str, Any] = {}
        self.policies: dict[str, Any] = {}
        self.uploads: dict[str, Upload] = {}
        self._records = records
        self._load()

    def _load(self) -> None:
        read = self._records.read
        self.functions = {key: Function.FromString(value) for key, value in read("function")}
        self.operations = {key: Operation.FromString(value) for key, value in read("operation")}
        self.policies = {key: Policy.FromString(value) for key, value in read("policy")}
        self.uploads = {key: Upload(**json.loads(value)) for key, value in read("upload")}
        for key, value in read("build"):
            found = json.loads(value)
            self.builds[key] = Build(Path(found["folder"]), found["python"])

    # Functions

    def function(self, name: str) -> Any:
        """A function; NOT_FOUND if there is none."""
        found = self.functions.get(name)
        if found is None:
            raise errors.not_found(name)
        return found

    def put_function(self, function: Any, build: Build | None = None) -> None:
        """Keep a function, and (``build``) the code that serves from now on."""
        self.functions[function.name] = function
        puts = [("function", function.name, function.SerializeToString())]
        if build is not None:
            self.builds[function.name] = build
            kept = json.dumps({"folder": str(build.folder), "python": build.python})
            puts.append(("build", function.name, kept.encode()))
        self._records.write(puts)

    def remove_function(self, name: str, service: str) -> None:
        """Forget a function with its policy and code."""
        self.functions.pop(name, None)
        self.builds.pop(name, None)
        self.policies.pop(service, None)
        self._records.write(deletes=[("function", name), ("build", name), ("policy", service)])
        shutil.rmtree(self.revisions(name), ignore_errors=True)

    def revisions(self, name: str) -> Path:
        """The folder with a function's unpacked revisions."""
        return self.folder / "revisions" / hashlib.sha256(name.encode()).hexdigest()[:24]

    # Operations

    def operation(self, name: str) -> Any:
        """An operation; NOT_FOUND if there is none."""
        found = self.operations.get(name)
        if found is None:
            raise errors.not_found(name)
        return found

    def put_operation(self, operation: Any) -> None:
        """Keep an operation as it is now; the oldest finished ones go."""
        self.operations[operation.name] = operation
        gone = [name for name, item in self.operations.items() if item.done][:-_KEPT_OPERATIONS]
        for name in gone:
            del self.operations[name]
        put = ("operation", operation.name, operation.SerializeToString())
        self._records.write([put], [("operation", name) for name in gone])

    def running(self, function_name: str) -> bool:
        """Whether an operation on a function is under way."""
        return any(
            metadata(item).target == function_name for item in self.operations.values() if not item.done
        )

    # Policies

    def policy(self, service: str) -> Any:
        """The policy of a service, which is empty at first."""
        return self.policies.get(service) or Policy(etag=b"ACAB")

    def put_policy(self, service: str, policy: Any) -> None:
        """Keep a policy."""
        self.policies[service] = policy
        self._records.write([("policy", service, policy.SerializeToString())])

    # Uploads

    def new_upload(self, bucket: str) -> Upload:
        """A place for a zip; what nobody has any use for goes."""
        self._drop_unused()
        return self._put_upload(Upload(bucket, f"{uuid.uuid4()}.zip", time.time() + _UPLOAD_SECONDS))

    def _drop_unused(self) -> None:
        wanted = list(self.functions.values())
        for operation in self.operations.values():
            if not operation.done:
                wanted.append(requested(operation))
        used = {function.build_config.source.storage_source.object_ for function in wanted}
        now = time.time()
        gone = [name for name, item in self.uploads.items() if item.expires < now and name not in used]
        for name in gone:
            del self.uploads[name]
            self.archive(name).unlink(missing_ok=True)
        self._records.write(deletes=[("upload", name) for name in gone])

    def upload(self, name: str) -> Upload | None:
        """The upload of that object's name that may still be used."""
        found = self.uploads.get(name)
        return found if found is not None and (found.done or found.expires > time.time()) else None

    def uploaded(self, name: str) -> None:
        """Note that the zip is there."""
        found = self.uploads[name]
        self._put_upload(Upload(found.bucket, found.object, found.expires, True))

    def archive(self, name: str) -> Path:
        """Where the zip of an upload is."""
        return self.folder / "uploads" / name

    def _put_upload(self, upload: Upload) -> Upload:
        self.uploads[upload.object] = upload
        self._records.write([("upload", upload.object, json.dumps(asdict(upload)).encode())])
        return upload

    def clear(self) -> None:
        """Forget everything but the environments that were made."""
        for kept in (self.functions, self.builds, self.operations, self.policies, self.uploads):
            kept.clear()
        self._records.clear()
        for name in ("uploads", "revisions"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def metadata(operation: Any) -> Any:
    """What an operation says of itself."""
    found = Metadata()
    operation.metadata.Unpack(found)
    return found


def requested(operation: Any) -> Any:
    """The function that an operation is to make."""
    found = Function()
    metadata(operation).request_resource.Unpack(found)
    return found
