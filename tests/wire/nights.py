"""One case: a night and a poll with a fault on a real line, then quiet ones; judged by the provider's journal and the rows."""

import random
import ssl
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from httpx_aiohttp import AiohttpTransport

from jobs.clock import MovableClock
from jobs.sandbox import Sandbox, SandboxOptions
from jobs.surroundings import of_this_machine
from schemas.errors import ExitCode, MitbatchError
from tests.night.house import CANCELLED, COMPLETED, ONHOLD, START, House, order
from tests.openssh.bridge import Bridge, BridgingClock
from tests.openssh.server import OpenSshServer, openssh_server
from tests.wire.cases import Case
from tests.wire.relay import Relay
from tests.wire.stages import watched_api, watched_sftp

ENDS = {
    "a": (COMPLETED, "completed", "completed"),
    "b": (CANCELLED, "declined", "not_recovered"),
    "c": (ONHOLD, "pending", "pending"),
}
ALLOWED = {ExitCode.CLEAN, ExitCode.NEEDS_PERSON, ExitCode.IN_DOUBT, ExitCode.NOTHING_SENT}
DEADLINE = 1.0
STAY_IN_DOUBT = {"name_taken", "copied_rename"}
"""A foreign file bears our name: nobody but a person can say whether ours ever had it, so the orders stay held."""


@dataclass
class Night:
    """A merchant on real lines, and what was wrong with what it did."""

    case: Case
    rng: random.Random
    house: House
    relay: Relay
    violations: list[str] = field(default_factory=list)
    strikes_left: int = 0

    def play(self) -> list[str]:
        """Let the case happen. Returns what was violated."""
        if self.case.stage == "call":
            self.house.set(channels={"evaluate": "api", "transmit": "api"})
        self.house.add(*(order(name, payment_token=token) for name, (token, _, _) in ENDS.items()))
        if self.case.stage == "listing":
            self.house.sandbox.faults.switch_on("no_acknowledgement")
            self._run("nightly")
            self.house.pass_time(hours=2)
        self._under_fault("poll" if self.case.stage in ("order", "listing") else "nightly")
        for job, hours in (("nightly", 3), ("poll", 21), ("poll", 1)):
            self._run(job)
            self.house.pass_time(hours=hours)
        return [f"{words} ({self.case.name})" for words in [*self.violations, *self._at_the_end()]]

    def _under_fault(self, job: str) -> None:
        case, faults = self.case, self.house.sandbox.faults
        if case.stage == "order":
            self._run("nightly")
            self.house.pass_time(hours=2)
        self.strikes_left = self.rng.choice((1, 1, 2, 99))
        after = self.rng.choice((0, 1, 50, 500, 2000)) if case.stage == "write" else 0
        if case.fault:
            where = {"where": case.stage} if case.server == "HTTPS" and case.stage != "token" else {}
            faults.switch_on(case.fault, times=self.strikes_left, **(case.given or _endpoint(where)))
        elif case.stage == "connect" or case.kind == "refuse":
            self.relay.strike_next(case.kind, self.rng.choice((0, 30, 1500)) if case.kind != "refuse" else 0)
        watch = watched_api if case.server == "HTTPS" else watched_sftp
        with watch(lambda stage: self._at(stage, after)):
            self._run(job)
        fired = self.relay.fired + (faults.fired(case.fault) if case.fault else 0)
        if not fired:
            self.violations.append("T11: the fault never struck")
        self.relay.heal()
        faults.clear()
        self.house.pass_time(minutes=20)

    def _at(self, stage: str, after: int) -> None:
        if self.case.kind in ("", "refuse") or stage != self.case.stage or self.strikes_left <= 0:
            return
        self.strikes_left -= 1
        self.relay.strike(self.case.kind, after)

    def _run(self, job: str) -> None:
        arrived = len(self._arrived())
        context = ssl.create_default_context(cafile=str(self.house.sandbox.authority_path))
        around = replace(
            of_this_machine(self.house.clock), http_transport=lambda: AiohttpTransport(verify=context, trust_env=False)
        )
        try:
            report = self.house.run(job, surroundings=around, everything=job == "poll")
            code, words = report.code, str([str(problem) for problem in report.findings.problems])
        except MitbatchError as problem:
            code, words = problem.exit_code, str(problem)
        allowed = ALLOWED | ({ExitCode.REFUSED} if self.case.fault_id == "N-08" else set())
        if code not in allowed:
            self.violations.append(f"I20: {job} ended with {int(code)}: {words}")
        if code is ExitCode.NOTHING_SENT and len(self._arrived()) > arrived:
            self.violations.append(f"I20: {job} ended with 20 although something arrived")
        self._may_the_retry_take()

    def _arrived(self) -> list[dict[str, object]]:
        if self.case.stage == "call":
            return self.house.sandbox.accepted("evaluate")
        return [row for row in self.house.sandbox.journal() if row["event"] == "file_received"]

    def _may_the_retry_take(self) -> None:
        for row in self.house.sandbox.orders():
            name = str(row["order_id"])
            cells = self.house.row(name)
            if cells["hold_reference"] is None and ENDS[name][1] != "declined":
                self.violations.append(f"I1: {name} is free for the merchant while the provider has it")

    def _at_the_end(self) -> Iterator[str]:
        accepted = Counter(str(row["order_id"]) for row in self.house.sandbox.accepted("evaluate"))
        states = self.house.states()
        if self.case.fault in STAY_IN_DOUBT and not accepted:
            rows = {name: self.house.row(name)["hold_reference"] for name in ENDS}
            if set(states.values()) != {"in_doubt"} or None in rows.values() or not self.house.items():
                yield f"I12: {states} with the holds {rows} and the items {self.house.items()}"
            return
        for name, (_, state, status) in ENDS.items():
            if self.case.stage == "call" and not accepted[name]:
                yield from self._in_doubt(name)
                continue
            if accepted[name] != 1:
                yield f"I2: {name} was accepted {accepted[name]} times"
            if states.get(name) != state or self.house.row(name)["status"] != status:
                yield f"I13: {name} is {states.get(name)} and its row {self.house.row(name)['status']}, not {state}"
        inbound = [path.name for path in self.house.sandbox.inbound.iterdir()]
        if any(name.endswith(".part") for name in inbound):
            yield f"I12: a part is left: {inbound}"

    def _in_doubt(self, name: str) -> Iterator[str]:
        """A call of which nobody can tell whether it was heard is never made again: it waits, held, for a person."""
        state, hold = self.house.state(name), self.house.row(name)["hold_reference"]
        told = [kind for kind, _ in self.house.items()]
        if state != "in_doubt" or hold is None or "missing_acknowledgement" not in told:
            yield f"I12: the call of {name} never arrived; it is {state}, held by {hold}, with the items {self.house.items()}"


def _endpoint(where: dict[str, str]) -> dict[str, str]:
    names = {"order": "order", "listing": "orders", "call": "evaluate"}
    return {name: names[stage] for name, stage in where.items()}


@contextmanager
def _asyncssh(folder: Path) -> Iterator[tuple[House, int, str]]:
    clock = MovableClock(START)
    with Sandbox(folder / "provider", clock=clock, options=SandboxOptions(https=True)) as sandbox:
        house = House(folder, sandbox, clock)
        line = sandbox.known_hosts_path.read_text(encoding="utf-8").split(None, 1)[1]
        yield house, sandbox.sftp_port, line


@contextmanager
def _openssh(folder: Path) -> Iterator[tuple[House, int, str]]:
    clock = BridgingClock()
    (folder / "openssh").mkdir()
    with (
        openssh_server(folder / "openssh") as server,
        Sandbox(folder / "provider", clock=clock, options=SandboxOptions(https=True)) as sandbox,
    ):
        clock.bridge = Bridge(server, sandbox)
        house = _BridgedHouse(folder, sandbox, clock)
        house.server, house.bridge = server, clock.bridge
        house.set(sftp=_paths(server))
        yield house, server.port, server.known_hosts.read_text(encoding="ascii").split(None, 1)[1]


def _paths(server: OpenSshServer) -> dict[str, object]:
    return {"username": server.user, "private_key": server.client_key}


class _BridgedHouse(House):
    """A house whose provider gets its files from OpenSSH when time passes."""

    server: OpenSshServer
    bridge: Bridge

    def pass_time(self, **step: float) -> None:
        """Let time pass, and files and answers travel."""
        self.bridge.carry()
        super().pass_time(**step)
        self.bridge.carry()


def play(case: Case, seed: int) -> list[str]:
    """One case in a folder of its own, with the seed's choices."""
    make: Callable[[Path], AbstractContextManager[tuple[House, int, str]]]
    make = _openssh if case.server == "OpenSSH" else _asyncssh
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wire")))
        house, port, key = stack.enter_context(make(folder))
        to = int(house.sandbox.https_url.split(":")[2].split("/")[0]) if case.server == "HTTPS" else port
        relay = stack.enter_context(Relay(to))
        hosts = folder / "known_hosts"
        sftp_port = port if case.server == "HTTPS" else relay.port
        hosts.write_text(f"[127.0.0.1]:{sftp_port} {key}", encoding="ascii")
        house.set(sftp={"port": sftp_port, "known_hosts": hosts, "deadline_seconds": DEADLINE})
        url = house.sandbox.https_url.replace(str(to), str(relay.port)) if case.server == "HTTPS" else house.sandbox.https_url
        house.set(provider={"api_url": url})
        return Night(case, random.Random(seed), house, relay).play()  # noqa: S311 - a seed's choices
