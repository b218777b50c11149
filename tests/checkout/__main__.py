"""Walk every flow of the reference checkout and keep a picture of each page: `python -m tests.checkout FOLDER`.

Example: python -m tests.checkout evidence
The pictures of the success screen and of the widget can be handed to `mitbatch certify attest`.
"""

import sys
import tempfile
from pathlib import Path

from jobs.sandbox import Sandbox
from jobs.sandbox.checkout import Checkout
from tests.checkout.walking import CHALLENGE, DECLINED, Walk
from tests.sandbox.browser import browsing


def walk_all(folder: Path, width: int, scheme: str) -> list[Path]:
    """Every page of every flow, on a screen of this width; where the pictures are."""
    with tempfile.TemporaryDirectory() as scratch, Sandbox(Path(scratch) / "sandbox") as sandbox, Checkout(sandbox) as shop:
        sandbox.register_webhook(shop.webhook_url)
        with browsing(Path(scratch) / "profile") as browser:
            walk = Walk(browser, shop)
            walk.screen(width, scheme)
            return list(_pictures(walk, sandbox, folder, f"{width}-{scheme}"))


def _pictures(walk: Walk, sandbox: Sandbox, folder: Path, name: str) -> list[Path]:
    taken = []

    def keep(what: str) -> None:
        taken.append(walk.picture(folder / f"{what}-{name}.png"))

    walk.browser.call("POST", "url", url=walk.shop.url)
    keep("shop")
    walk.choose()
    keep("cit.standard.order_id")
    walk.fill("4242424242424242")
    walk.browser.click("#pay-button")
    walk.until("document.querySelector('.error') !== null")
    keep("card_refused")
    walk.pay()
    walk.reaches("success")
    keep("cit.standard.success_screen")
    walk.pay(DECLINED)
    walk.reaches("declined")
    keep("declined")
    walk.pay(CHALLENGE)
    walk.reaches("widget")
    keep("challenge")
    walk.pay(flow="advanced")
    walk.reaches("widget")
    walk.into_widget()
    walk.out_of_widget()
    keep("cit.advanced.widget")
    walk.answer()
    walk.reaches("success")
    keep("cit.advanced.success_screen")
    sandbox.faults.switch_on("too_many_requests", where="evaluate")
    walk.pay()
    walk.reaches("later")
    keep("later")
    sandbox.faults.switch_on("server_error_before", where="evaluate")
    walk.pay()
    walk.reaches("busy")
    keep("busy")
    return taken


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("checkout-pictures")
    target.mkdir(parents=True, exist_ok=True)
    for size, liking in ((1200, "light"), (390, "dark")):
        for picture in walk_all(target, size, liking):
            sys.stdout.write(f"{picture}\n")
