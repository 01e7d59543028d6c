"""What the web page costs: bytes, milliseconds and questions to the API, beside its budgets.

    .venv/bin/python benchmarks/page.py [--runs 1000000] [--rounds 5] [--peers] [--work FOLDER]

Serves a generated history of 30 days, and drives Debian's chromium over it at twice as many pixels. Figures are medians
of the rounds. With --peers the wheels of other systems are fetched by pip, and the bytes of their scripts compared.
Exit code 1 when the page has more bytes than its budget; times depend on the machine, so they are only shown.
"""

from __future__ import annotations

import argparse
import gzip
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "helpers"))

from playwright.sync_api import Browser, BrowserContext, Page
from screens import UNTIL, launched
from support import Server, record, runlake

from runlake.ui import pages

STATIC: Final = Path(pages.__file__).parent / "static"
PEERS: Final = ("apache-airflow-core==3.3.2", "prefect==3.9.1", "flower==2.2.0", "datasette==0.65.5")
WEEK: Final = f"/ui/runs?start_time=2026-11-08T12:00:00Z&end_time={UNTIL}"
WIDE: Final = str(uuid.UUID(int=1))  # a run with an output of a megabyte
IMPORT: Final = re.compile(rb'(?:from|import)"\./([\w.-]+)"')  # not those that a page loads later: import("./…")
ONCE: Final = ("/about", "/tasks/names")  # asked once a visit, by no screen
# All answers of a screen are there. Animation frames are looked at, so times are right within one of them.
SETTLED: Final = (
    "() => document.querySelector('.head [data-total]') && !document.querySelector('.stale, .waiting, tr.coming')"
)
# How long each picture takes: from the call that gives its canvas until the next one, or until the script ends.
WATCH_DRAWING: Final = """
window.drawn = {};
const original = HTMLCanvasElement.prototype.getContext;
let label = null, begin = 0;
const end = () => { if (label) (window.drawn[label] ??= []).push(performance.now() - begin); label = null; };
HTMLCanvasElement.prototype.getContext = function (...given) {
  const name = this.getAttribute('aria-label');
  if (name) { end(); label = name.split(':')[0]; begin = performance.now(); queueMicrotask(end); }
  return original.apply(this, given);
};
"""
PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]"
PARSING: Final = """async path => {
  const text = await (await fetch(path)).text(), begin = performance.now();
  JSON.parse(text);
  return performance.now() - begin;
}"""
# When the tree of an output is there, after its answer came.
WATCH_TREE: Final = """
new MutationObserver(() => {
  window.opened ??= document.querySelector('.tree .value') ? performance.now() : undefined;
}).observe(document, {childList: true, subtree: true});
"""


class Figure(NamedTuple):
    """A line of the report; the budget and what was measured are in the same unit."""

    what: str
    budget: float | None
    measured: float
    unit: str


def main() -> int:
    """Measure and print; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", action="store_true", help="fetch the wheels of other systems, too")
    parser.add_argument("--work", type=Path, help="where the lake is kept [a temporary folder]")
    options = parser.parse_args()
    sizes = sizes_of_first_load()
    with served(options.runs, options.work) as server, launched() as browser:
        figures = [*sizes, *loading(browser, server, options.rounds), *working(browser, server, options.rounds)]
    print(f"{options.runs:,} runs of 30 days, median of {options.rounds}\n")
    print_table(figures)
    if options.peers:
        print_peers(sum(figure.measured for figure in sizes if figure.what.endswith("JS")))
    return 1 if any(size.budget is not None and size.measured > size.budget for size in sizes) else 0


def sizes_of_first_load() -> list[Figure]:
    """Bytes after gzip of what the first screen loads: index.html, what it names, and what these scripts import."""
    html = (STATIC / "index.html").read_bytes()
    named = [file for file in (STATIC / "assets").iterdir() if file.name.encode() in html]
    for file in named:  # it grows meanwhile
        imported = IMPORT.findall(file.read_bytes()) if file.suffix == ".js" else []
        named += [found for name in imported if (found := file.parent / name.decode()) not in named]
    packed = {"HTML": kilobytes(html), "JS": 0.0, "CSS": 0.0}
    for file in named:
        kind = file.suffix[1:].upper()
        if kind in packed:
            packed[kind] += kilobytes(file.read_bytes())
    budgets = {"JS": 55.0, "CSS": 10.0, "HTML": 1.0}
    return [Figure(f"first load: {kind}", budgets[kind], packed[kind], "KB") for kind in budgets]


def kilobytes(content: bytes) -> float:
    """KB of 1,024 bytes after gzip."""
    return len(gzip.compress(content, 9)) / 1024


@contextmanager
def served(runs: int, work: Path | None) -> Iterator[Server]:
    """A service over the history, with the run of a large output."""
    with tempfile.TemporaryDirectory(prefix="runlake-page-") as scratch:
        lake = (work or Path(scratch)) / f"page-{runs}"
        if not lake.exists():
            shape = ["--runs", str(runs), "--days", "30", "--tasks", "2000", "--seed", "7", "--incidents"]
            made = runlake("generate", *shape, "--until", UNTIL, "--data", str(lake))
            if made.returncode != 0:
                raise SystemExit(made.stderr)
        with Server(lake) as server:
            output = [[n, f"row {n}"] for n in range(52_000)]
            answer = server.post(record(1, output=output))
            if answer.status_code != 200:
                raise SystemExit(answer.text)
            yield server


def context_of(browser: Browser) -> BrowserContext:
    """An empty profile at twice as many pixels."""
    return browser.new_context(viewport={"width": 1440, "height": 900}, device_scale_factor=2, timezone_id="UTC")


def opened(context: BrowserContext, url: str, script: str = "") -> Page:
    """A page of the profile; `script` runs in it first."""
    page = context.new_page()
    if script:
        page.add_init_script(script)
    page.goto(url, wait_until="commit")
    return page


def settled(page: Page) -> float:
    """Wait for all answers of the screen; the milliseconds since the navigation began."""
    page.wait_for_function(SETTLED, polling="raf")
    return elapsed(page)


def elapsed(page: Page) -> float:
    """Milliseconds since the navigation began."""
    return float(page.evaluate("performance.now()"))


def repeated(rounds: int, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """The median of each figure; a round before them warms up service and browser."""
    measure()
    all_rounds = [measure() for _ in range(rounds)]
    return {name: statistics.median(one[name] for one in all_rounds) for name in all_rounds[0]}


def loading(browser: Browser, server: Server, rounds: int) -> list[Figure]:
    """Figures of a page that is opened by somebody who was never there before."""

    def runs() -> dict[str, float]:
        context = context_of(browser)
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = opened(context, server.url + WEEK, WATCH_DRAWING)
        settled(page)
        page.wait_for_function("() => window.drawn['Runs over time'] && window.drawn['Durations']", polling="raf")
        whole = elapsed(page)
        paint = page.evaluate(f"{PAINT}.startTime")
        drawn: dict[str, list[float]] = page.evaluate("window.drawn")
        questions = [url for url in asked if not url.endswith(ONCE) and "/ui/" not in url]
        found = {
            "paint": paint,
            "whole": whole,
            "bars": statistics.median(drawn["Runs over time"]),
            "density": statistics.median(drawn["Durations"]),
            "questions": float(len(questions)),
        }
        context.close()
        return found

    def output() -> dict[str, float]:
        context = context_of(browser)
        page = opened(context, f"{server.url}/ui/runs/{WIDE}", WATCH_TREE)
        page.wait_for_function("() => window.opened !== undefined")
        came = page.evaluate(f"performance.getEntriesByName('{server.url}/runs/{WIDE}')[0].responseEnd")
        parsing = page.evaluate(PARSING, f"/runs/{WIDE}")
        found = {"tree": page.evaluate("window.opened") - came, "parsing": parsing}
        context.close()
        return found

    def plain() -> dict[str, float]:
        context = context_of(browser)
        page = opened(context, f"{server.url}/docs/")
        page.wait_for_function(f"() => {PAINT}", polling="raf")
        found = {"plain": float(page.evaluate(f"{PAINT}.startTime"))}
        context.close()
        return found

    found = repeated(rounds, runs) | repeated(rounds, output) | repeated(rounds, plain)
    return [
        Figure("first contentful paint", 150, found["paint"], "ms"),
        Figure("the same of a page of the handbook, which is plain HTML", None, found["plain"], "ms"),
        Figure("navigation to numbers and pictures (Runs, 7 days)", 300, found["whole"], "ms"),
        Figure("draw the histogram, twice as many pixels", 4, found["bars"], "ms"),
        Figure("draw the density, twice as many pixels", 16, found["density"], "ms"),
        Figure("questions to the API of a screen", 4, found["questions"], ""),
        Figure("an output of a megabyte, from its answer to its tree", 100, found["tree"], "ms"),
        Figure("the same output by JSON.parse alone", None, found["parsing"], "ms"),
    ]


def working(browser: Browser, server: Server, rounds: int) -> list[Figure]:
    """Figures of a page that is open."""
    context = context_of(browser)
    page = opened(context, server.url + WEEK)
    settled(page)
    metrics = context.new_cdp_session(page)
    metrics.send("Performance.enable")

    def changes() -> dict[str, float]:
        return {
            "filter": until_settled(page, lambda: page.keyboard.press("F")),
            "back": until_settled(page, page.go_back),
            "brush": until_settled(page, lambda: drag(page)),
            "unbrush": until_settled(page, lambda: page.keyboard.press("Escape")),
        }

    found = repeated(rounds, changes)
    hover = repeated(rounds, lambda: {"frame": hovering(page, metrics)})["frame"]
    page.mouse.move(5, 5)
    idle = busy_milliseconds(metrics)
    time.sleep(5)
    idle = (busy_milliseconds(metrics) - idle) / 5
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    context.close()
    return [
        Figure("failed runs only, until all panels show them", 150, found["filter"], "ms"),
        Figure("a selection of times, until all panels show it", 150, found["brush"], "ms"),
        Figure("hover, script and layout of a move", 4, hover, "ms"),
        Figure("idle page, script and layout of a second", 5, idle, "ms"),
        Figure("memory of the scripts", 80, heap, "MB"),
    ]


def until_settled(page: Page, act: Callable[[], Any]) -> float:
    """Milliseconds from an act until all panels show what it asks for."""
    begin = elapsed(page)
    act()
    return settled(page) - begin


def drag(page: Page) -> None:
    """Select a day in the histogram."""
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.69, box["y"] + 50, steps=2)
    page.mouse.up()


def hovering(page: Page, metrics: Any) -> float:
    """Milliseconds of script and layout that a move over the histogram costs."""
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    moves = 60
    before = busy_milliseconds(metrics)
    page.mouse.move(box["x"] + 10, box["y"] + 40)
    page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 60, steps=moves)
    return (busy_milliseconds(metrics) - before) / moves


def busy_milliseconds(metrics: Any) -> float:
    """How long scripts, styles and layout have kept the page busy."""
    found = {one["name"]: one["value"] for one in metrics.send("Performance.getMetrics")["metrics"]}
    return 1000.0 * float(found["ScriptDuration"] + found["LayoutDuration"] + found["RecalcStyleDuration"])


def print_table(figures: list[Figure]) -> None:
    """One line a figure: measured, budget, and the first by the second."""
    print("| what | measured | budget | of the budget |\n|---|---|---|---|")
    for what, budget, measured, unit in figures:
        wanted = "-" if budget is None else f"{budget:,.0f} {unit}"
        share = "-" if budget is None else f"{measured / budget:.2f}"
        print(f"| {what} | {measured:,.1f} {unit} | {wanted} | {share} |")


def print_peers(ours: float) -> None:
    """The scripts in the wheels of other systems, after gzip, beside those of our first load."""
    print("\n| scripts, after gzip | KB | times runlake |\n|---|---|---|")
    print(f"| runlake, first load | {ours:,.0f} | 1.0 |")
    with tempfile.TemporaryDirectory(prefix="runlake-peers-") as folder:
        for peer in PEERS:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--quiet",
                "--quiet",
                "--no-deps",
                "--dest",
                folder,
                peer,
            ]
            subprocess.run(command, check=True)
        for wheel in sorted(Path(folder).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                scripts = [name for name in archive.namelist() if name.endswith((".js", ".mjs"))]
                sizes = [kilobytes(archive.read(name)) for name in scripts]
            name = wheel.name.split("-")[0]
            print(f"| {name}, all | {sum(sizes):,.0f} | {sum(sizes) / ours:.1f} |")
            print(f"| {name}, the largest file | {max(sizes):,.0f} | {max(sizes) / ours:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
