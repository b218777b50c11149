"""The folder with everything of a certification: a folder for each pack, the evidence that people gave, and the events.

A pack is written as `certification.json` and `certification.html`, each whole before it has its name; then an event with their
SHA-256 is chained to the others. Only a pack with such an event counts, so one that died half way, or that was edited, does not.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from batch.disk import Disk
from batch.pace import utc_text
from jobs.certify.attestation import Attestation, attestations
from jobs.certify.chain import START, Chain
from jobs.certify.compared import newest
from jobs.certify.pack import Head, Past, leaks, pack, settled
from jobs.report.drawing import INSTALL
from schemas.certification import Shown
from schemas.errors import CertificationChanged, ConfigurationError, FileNotWritten, PackUnfit
from schemas.settings import Settings

JSON, HTML = "certification.json", "certification.html"


@dataclass(frozen=True, slots=True)
class Written:
    """A pack that was written: the object, the items with what people attested, and where both files lie."""

    pack: Mapping[str, Any]
    shown: tuple[Shown, ...]
    json: Path
    html: Path


def draw_page() -> Callable[[Mapping[str, Any]], bytes]:
    """What draws the page of a pack. Raises ConfigurationError without the extra `report`."""
    try:
        from jobs.certify.pack_page import page
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "The pack's page needs Jinja2, which is not installed.", next_step=f"Install it: {INSTALL}"
        ) from error
    return page


class PackFolder:
    """`<data_dir>/certification` of the sandbox settings."""

    def __init__(self, settings: Settings, disk: Disk) -> None:
        self.root, self.disk = settings.data_dir / "certification", disk
        self.mid = settings.provider.mid
        self.chain = Chain(self.root, disk)

    def packs(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """This account's packs, oldest first, each as it was written. Raises CertificationChanged for one that is not."""
        found = []
        for event in events:
            if event["kind"] != "pack" or event["mid"] != self.mid[:8]:
                continue
            path = self.root / event["folder"] / JSON
            content = self.disk.read(path)
            if content is None:
                continue  # who clears old packs away takes nothing from the newer ones
            if sha256(content).hexdigest() != event["json"]:
                raise CertificationChanged(f"The pack {path} is not as it was written.")
            found.append(json.loads(content))
        return found

    def attested(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Attestation]:
        """What people attested for this account, their evidence looked at again. Raises CertificationChanged."""
        return attestations(self.root, self.disk, events, self.mid)

    def past(self) -> Past:
        """What a new pack is compared with. Raises CertificationChanged."""
        events = self.chain.events()
        packs = self.packs(events)
        last = packs[-1]["generated_at"] if packs else ""
        return Past(newest(packs), last, self.attested(events), events[-1]["digest"] if events else START)

    def write(self, head: Head, shown: Sequence[Shown], *, folder: Path | None = None, secrets: Iterable[str] = ()) -> Written:
        """Put a run's pack together, look through it once more for what may not be in it, write it, and chain it.

        `folder` is the run's own below `certification`. `secrets` are values that may stand nowhere in it: keys, payment
        tokens, access tokens. Raises PackUnfit, CertificationChanged, FileNotWritten.
        """
        past = self.past()
        shown = settled(shown, past)
        found = pack(head, shown, past)
        if places := list(leaks(found, secrets)):
            raise PackUnfit(f"The pack would hold a card number, a token or a secret at {places[0]}.")
        folder = folder or self.root / utc_text(head.started_at).replace("-", "").replace(":", "")
        contents = {JSON: (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode(), HTML: draw_page()(found)}
        try:
            self.disk.make_folder(folder, 0o700)
            for name, content in contents.items():
                self._write(folder / name, content)
            self.disk.sync_folder(folder)
        except OSError as error:
            raise FileNotWritten(f"The pack could not be written to {folder} ({error.strerror or error}).") from error
        digests = {"json": sha256(contents[JSON]).hexdigest(), "html": sha256(contents[HTML]).hexdigest()}
        fields = {"folder": folder.name, "mid": self.mid[:8], "run_id": head.run_id, **digests}
        self.chain.add("pack", utc_text(head.made_at), fields)
        return Written(found, tuple(shown), folder / JSON, folder / HTML)

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_name(f".{path.name}.new")
        file = self.disk.create(part, 0o640)
        file.write(content)
        file.close()
        self.disk.replace(part, path)
