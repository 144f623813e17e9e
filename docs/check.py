"""Open every page of the built site in Chromium, wide and narrow: `make docs-check`.

A page fails if a link or an image leads nowhere, if it is wider than the window, or if the
browser's console has an error. Screenshots lie below `out/docs-check`.
"""

import argparse
import functools
import http.server
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
SITE = ROOT / "out" / "site"
SHOTS = ROOT / "out" / "docs-check"
WIDTHS = 1280, 390
"""Of a desk and of a phone [px]."""

TALLEST = 6000
"""Of a screenshot [px]."""

WHAT_STICKS_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  const sticks = e => {
    const box = e.getBoundingClientRect();
    if (box.width === 0 || box.right <= wide + 1) return false;
    for (let p = e.parentElement; p; p = p.parentElement)
      if (getComputedStyle(p).overflowX !== "visible") return false;
    return true;
  };
  const over = document.documentElement.scrollWidth - wide;
  const found = [...document.querySelectorAll("article *")].filter(sticks);
  return {over, found: found.slice(0, 3).map(e => e.outerHTML.slice(0, 120))};
}"""
"""Of the page, and which elements no box around them holds."""

BROKEN_IMAGES = """() => [...document.images]
  .filter(i => i.complete && i.naturalWidth === 0).map(i => i.getAttribute("src"))"""

LINKS = "() => [...document.querySelectorAll('a[href]')].map(a => a.href)"
IDS = "() => [...document.querySelectorAll('[id], a[name]')].map(e => e.id || e.name)"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing."""


def main() -> int:
    """Check; returns 1 if there are faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default=_chromium(), help="path of Chromium")
    parser.add_argument("--shots", action="store_true", help="keep screenshots of all")
    parser.add_argument("--only", default="", help="pages whose names begin so")
    given = parser.parse_args()
    if given.browser is None:
        print("no Chromium found: apt-get install chromium, or give --browser")
        return 1
    handler = functools.partial(_Quiet, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}/"
    pages = sorted(p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html"))
    pages = [name for name in pages if name.startswith(given.only)]
    if not pages:
        print(f"no pages below {SITE}: run make docs")
        return 1
    faults: list[str] = []
    ids: dict[str, set[str]] = {}
    links: dict[str, set[str]] = {}
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=given.browser, args=sandbox)
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            said: list[str] = []
            page.on("console", lambda m, said=said: _heard(m, said))
            page.on("pageerror", lambda e, said=said: said.append(str(e)))
            page.on("requestfailed", lambda r, said=said: _lost(r, said))
            for name in pages:
                said.clear()
                page.goto(root + name, wait_until="load")
                found = [*said, *_faults(page)]
                faults += [f"{name} at {width} px: {fault}" for fault in found]
                ids[name] = set(page.evaluate(IDS))
                links[name] = set(page.evaluate(LINKS))
                if given.shots or found:
                    _shoot(page, name, width)
            page.close()
        browser.close()
    server.shutdown()
    faults += _dead_links(root, ids, links)
    print(*faults, sep="\n")
    n_links = sum(map(len, links.values()))
    print(
        f"{len(pages)} pages at {' and '.join(map(str, WIDTHS))} px, {n_links} links: "
        f"{len(faults)} faults"
    )
    return int(bool(faults))


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def _heard(message, said: list[str]) -> None:
    if message.type == "error":
        said.append(f"console: {message.text}")


def _lost(request, said: list[str]) -> None:
    """What the browser drops because the next page is opened is no fault."""
    if request.failure != "net::ERR_ABORTED":
        said.append(f"{request.url}: {request.failure}")


def _faults(page: Page) -> Iterator[str]:
    out = page.evaluate(WHAT_STICKS_OUT)
    if out["over"] > 0:
        yield f"{out['over']} px too wide: {out['found']}"
    elif out["found"]:
        yield f"cut off: {out['found']}"
    for src in page.evaluate(BROKEN_IMAGES):
        yield f"no image {src}"


def _shoot(page: Page, name: str, width: int) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    height = min(page.evaluate("() => document.documentElement.scrollHeight"), TALLEST)
    file = SHOTS / f"{name.replace('/', '_').removesuffix('.html')}-{width}.png"
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    page.screenshot(path=file, full_page=True, clip=clip)


def _dead_links(
    root: str, ids: dict[str, set[str]], links: dict[str, set[str]]
) -> Iterator[str]:
    """Links to pages and places that there are not; those to other sites are not followed."""
    for name, found in links.items():
        for link in sorted(found):
            address, place = urldefrag(urljoin(root + name, link))
            if not address.startswith(root):
                continue
            target = unquote(address.removeprefix(root)) or "index.html"
            if not (SITE / target).is_file():
                yield f"{name}: link to {target}, which is not there"
            elif place and target in ids and unquote(place) not in ids[target]:
                yield f"{name}: link to {target}#{place}, which has no such place"


if __name__ == "__main__":
    sys.exit(main())
