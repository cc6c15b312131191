"""The stack itself: starts everything in order, watches it, and ends it for certain."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from local import emulator_processes, ports, secret_values, stack_files, watchdog
from local.control import Internal
from local.display import Steps
from local.emulator_processes import EmulatorProcess
from local.environment import Endpoints, Surroundings, loopback_direct
from local.front import Front, server
from local.functions import FunctionRunner
from local.logs import Log
from local.options import DEMO_NETWORK, DEMO_PROJECT, PREFERRED_PORT, Options
from local.processes import ROOT, StartError, python
from local.provision import Plan
from local.topology import Topology, load
from shared import clock, keys

# Everything must be gone five seconds after Ctrl-C.
_STOP_SECONDS = 4.0
_CURL = (
    "curl -i {url}/{network} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' "
    """-d '{{"deviceId": "room-1", "data": {{"temperature": 21.5}}}}'"""
)


class Runner:
    """One stack. ``run`` returns the exit status when ``end`` was called or something has failed."""

    def __init__(self, options: Options, inherited: Mapping[str, str], out: TextIO, log: Log) -> None:
        self.mark = secrets.token_hex(8)
        self._options = options
        self._out = out
        self._log = log
        self._topology: Topology = load(options.services)
        clock_file = (options.data or options.stack_dir) / "clock" if options.movable_clock else None
        own = tuple(name for name, topic in self._topology.topics.items() if topic.custom)
        self._around = Surroundings(
            inherited,
            options.project,
            self.mark,
            clock_file,
            custom_topics=own,
            idle_seconds=options.idle_seconds,
        )
        self._emulators: dict[str, EmulatorProcess] = {}
        self._runners: dict[str, FunctionRunner] = {}
        self._front = Front(self._topology, self._runners, log)
        self._servers: list[web.ServerRunner] = []
        self._watchers: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._status = 0
        # Whoever starts a stack from Python makes projects of his own.
        self._demo_key = "" if options.leash else keys.make("fk").text

    @property
    def ending(self) -> bool:
        """Whether the end has begun."""
        return self._ended.is_set()

    def end(self, status: int = 0) -> None:
        """Begin to end the stack."""
        self._status = self._status or status
        self._ended.set()

    async def run(self) -> int:
        """Start, serve until the end, stop."""
        with contextlib.ExitStack() as locks:
            locks.enter_context(stack_files.lock(self._options.stack_dir))
            if self._log.structured is not None:
                self._log.structured.open()
                locks.callback(self._log.structured.close)
            if self._options.data is not None:
                locks.enter_context(stack_files.lock_data(self._options.data))
            leash = await self._start_watchdog()
            try:
                starting = asyncio.create_task(self._start())
                ended = asyncio.create_task(self._ended.wait())
                await asyncio.wait([starting, ended], return_when=asyncio.FIRST_COMPLETED)
                if starting.done():
                    starting.result()
                else:
                    starting.cancel()
                    await asyncio.wait([starting])
                await ended
            except StartError as error:
                self._log.say(f"error: {error}")
                self._status = 1
            finally:
                stack_files.remove(self._options.stack_dir)
                await self._stop()
                await self._release_watchdog(leash)
        return self._status

    # Start

    async def _start(self) -> None:
        began = time.monotonic()
        steps = Steps(self._out, self._log)
        with steps.shown():
            self._make_clock()
            self._make_secrets()
            await self._front.open()
            public, internal = await self._listen()
            push_base = internal + self._front.push_path("")
            self._around = dataclasses.replace(self._around, push_base=push_base, public_url=public)
            provision = await self._start_provisioning()
            await asyncio.gather(*(self._start_emulator(name, steps) for name in emulator_processes.EMBEDDED))
            endpoints = self._endpoints()
            for function in self._topology.functions.values():
                environment = self._around.function(function, endpoints)
                self._runners[function.name] = FunctionRunner(
                    function, environment, self._log, self._options.idle_seconds
                )
            with steps.step("topics, subscriptions and tables"):
                await self._provision(provision, endpoints, internal)
        self._describe(public, internal, endpoints)
        self._log.say(f"ready in {time.monotonic() - began:.1f} s\n{self._welcome(public)}")

    def _make_clock(self) -> None:
        path = self._around.clock_file
        # Kept state goes with the time that it was kept at.
        if path is not None and not (self._options.data and path.exists()):
            clock.create(path)

    def _make_secrets(self) -> None:
        names = {name for function in self._topology.functions.values() for name in function.secrets}
        made = secret_values.values(sorted(names), self._options.data)
        self._around = dataclasses.replace(self._around, secrets=made)

    async def _listen(self) -> tuple[str, str]:
        """The URLs of the public and of the internal side."""
        wanted = self._options.port
        if wanted is None:
            wanted = PREFERRED_PORT if ports.is_free(PREFERRED_PORT) else 0
            if not wanted:
                self._log.say(f"port {PREFERRED_PORT} is taken: the front listens on another")
        internal = Internal(self._front, self._runners, self._processes)
        urls = []
        for handler, port in ((self._front.public, wanted), (internal.handle, 0)):
            runner = web.ServerRunner(server(handler), shutdown_timeout=1.0)
            await runner.setup()
            self._servers.append(runner)
            try:
                await web.TCPSite(runner, ports.HOST, port).start()
            except OSError as error:
                raise StartError(
                    f"cannot listen on port {port}: {error.strerror}; give another --port"
                ) from None
            urls.append(f"http://{ports.HOST}:{runner.addresses[0][1]}")
        return urls[0], urls[1]

    async def _start_emulator(self, name: str, steps: Steps) -> None:
        google = self._options.emulators == "google" and name in emulator_processes.GOOGLE
        with steps.step(f"{'Google' if google else 'embedded'} {name} emulator"):
            if google:
                emulator = await emulator_processes.start_google(name, self._around, self._log)
            else:
                emulator = await emulator_processes.start_embedded(
                    name, self._around, self._log, self._options.data
                )
        self._emulators[name] = emulator
        task = asyncio.create_task(self._watch(emulator))
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _watch(self, emulator: EmulatorProcess) -> None:
        """Start an emulator that ends again if its state is kept; else nothing can be trusted any more."""
        while True:
            status = await emulator.child.ended
            if self._ended.is_set():
                return
            name = emulator.name
            keeps_nothing = name in emulator_processes.WITHOUT_STATE
            if emulator.google or (self._options.data is None and not keeps_nothing):
                self._log.say(f"the {name} emulator ended (status {status}) and with it its state")
                return self.end(1)
            self._log.say(f"the {name} emulator ended (status {status}) and is started again")
            try:
                emulator = await emulator_processes.start_embedded(
                    name, self._around, self._log, self._options.data, emulator.address
                )
            except StartError as error:
                self._log.say(f"error: {error}")
                return self.end(1)
            self._emulators[name] = emulator

    def _endpoints(self) -> Endpoints:
        at = {name: emulator.address for name, emulator in self._emulators.items()}
        return Endpoints(
            pubsub=at["pubsub"].grpc,
            firestore=at["firestore"].grpc,
            bigquery=at["bigquery"].http,
            bigquery_storage=at["bigquery"].grpc,
            logging=at["logging"].http,
            functions=at["functions"].grpc,
            tasks=at["tasks"].grpc,
            scheduler=at["scheduler"].grpc,
            twilio=at["twilio"].http,
            sendgrid=at["sendgrid"].http,
            control={name: address.http for name, address in at.items() if address.http},
        )

    async def _start_provisioning(self) -> asyncio.subprocess.Process:
        """Start the process early: it imports Google's clients while the emulators start."""
        return await asyncio.create_subprocess_exec(
            *python("-m", "local.provision"),
            cwd=ROOT,
            env=self._around.common(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    async def _provision(
        self, process: asyncio.subprocess.Process, endpoints: Endpoints, internal: str
    ) -> None:
        plan = Plan(
            project=self._options.project,
            services=str(self._options.services),
            pubsub=endpoints.pubsub,
            firestore=endpoints.firestore,
            bigquery=endpoints.bigquery,
            demo_key=self._demo_key,
            tasks=endpoints.tasks,
            scheduler=endpoints.scheduler,
            push_base=self._around.push_base,
        )
        output, _ = await process.communicate(plan.to_json())
        if output:
            self._log.lines("provision", output.decode(errors="replace").splitlines())
        if process.returncode:
            raise StartError("topics, subscriptions or tables could not be made: see above")

    # While it runs

    def _processes(self) -> dict[str, Any]:
        functions = {
            name: {
                "state": runner.state,
                "pid": runner.pid,
                "starts": runner.starts,
                "in_flight": runner.in_flight,
            }
            for name, runner in self._runners.items()
        }
        emulators = {
            name: {"pid": item.child.pid, "google": item.google} for name, item in self._emulators.items()
        }
        return {"functions": functions, "emulators": emulators}

    def _describe(self, public: str, internal: str, endpoints: Endpoints) -> None:
        clock_file = self._around.clock_file
        environment = {
            "GOOGLE_CLOUD_PROJECT": self._options.project,
            **endpoints.environment(),
            **loopback_direct(self._around.inherited),
            "FULCRUM_URL": public,
            # With it, whoever may read this file makes the first administrator.
            **{
                f"FULCRUM_{name}": value
                for name, value in self._around.secrets.items()
                if name == "SETUP_TOKEN"
            },
            **({"FULCRUM_CLOCK_FILE": str(clock_file)} if clock_file else {}),
            **{f"FULCRUM_{name.upper()}_CONTROL": url for name, url in endpoints.control.items()},
        }
        description = {
            "mark": self.mark,
            "project": self._options.project,
            "emulators": self._options.emulators,
            "url": public,
            "control_url": f"{internal}/_control/{self._front.token}",
            "push_url": internal + self._front.push_path(""),
            "emulator_control": dict(endpoints.control),
            "clock_file": str(clock_file) if clock_file else None,
            "data": str(self._options.data) if self._options.data else None,
            "environment": environment,
        }
        stack_files.write(self._options.stack_dir, description, environment)

    def _welcome(self, public: str) -> str:
        paths = [path for function in self._topology.functions.values() for path in function.paths]
        lines = [f"{public}{path}" for path in paths]
        lines.append(f"settings for commands: {_short(self._options.stack_dir)}/stack.env")
        if paths and self._demo_key:
            url = f"{public}{paths[0]}"
            lines.append(f"try, as a device of project {DEMO_PROJECT} (the key is new at every start):")
            lines.append(_CURL.format(url=url, network=DEMO_NETWORK, key=self._demo_key))
        if "SETUP_TOKEN" in self._around.secrets:
            folder = _short(self._options.stack_dir)
            lines.append(
                f"first administrator: .venv/bin/python -m fulcrum setup --stack {folder} --username you"
            )
        lines.append("Ctrl-C ends it")
        return "\n".join(lines)

    # End

    async def _stop(self) -> None:
        self._ended.set()
        self._log.say("ending ...")
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                # Functions first: requests in flight still need the emulators.
                await asyncio.gather(*(runner.stop() for runner in self._runners.values()))
                await asyncio.gather(*(runner.cleanup() for runner in self._servers))
                await self._front.close()
                grace = emulator_processes.GRACE_SECONDS
                await asyncio.gather(*(item.child.stop(grace) for item in self._emulators.values()))
        except TimeoutError:
            self._log.say(f"not all ended within {_STOP_SECONDS:g} s: the rest is killed")
        killed = watchdog.sweep(self.mark)
        if killed:
            self._log.say(f"killed {len(killed)} processes that were left")
        self._log.say("ended")

    async def _start_watchdog(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *python("-m", "local.watchdog", self.mark),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    async def _release_watchdog(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 2.0)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
