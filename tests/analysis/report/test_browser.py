"""The report in a real browser: no console error, accessible, tables that sort and save, a 3D view that opens."""

import csv
import shutil

import pytest
from kept_study import kept_study
from magnetoionics.analysis.report.page import report_html
from magnetoionics.workflows.flows.film import film_entries, film_job

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path")]

QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def report(own_study):
    return own_study / "report.html"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        opened = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request, browser, report):
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    made = context.new_page()
    made.problems, made.requests = [], []
    made.on("console", lambda m: made.problems.append(m.text) if m.type in ("error", "warning") else None)
    made.on("pageerror", lambda e: made.problems.append(str(e)))
    made.on("request", lambda r: made.requests.append(r.url))
    made.goto(report.as_uri())
    yield made
    context.close()


def serious(page):
    found = axe.Axe().run(page).response["violations"]
    return [(v["id"], v["nodes"][0]["html"][:120]) for v in found if v["impact"] in ("serious", "critical")]


def test_page_is_quiet_offline_accessible_and_fits(page, report):
    assert page.problems == []
    outside = [u for u in page.requests if not u.startswith(("data:", "blob:")) and u != report.as_uri()]
    assert outside == []
    assert serious(page) == []
    page.evaluate("openForPrint()")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_table_wider_than_the_page_says_so(page):
    table = page.locator("table", has_text="Vacancies in").first
    wider = table.evaluate("t => t.parentElement.scrollWidth > t.parentElement.clientWidth")
    assert wider == (page.viewport_size["width"] == 390)
    cue = page.locator("button.save[aria-label*='Vacancies in'] + .more-columns")
    assert cue.is_visible() == wider


def test_profile_of_a_film_moves_when_it_is_asked_to(browser, tmp_path):
    study = kept_study()
    entries = film_entries("thickness_nm: 2, occupation: 0.02, sites_per_nm2: 0.5")
    hop, cell = study.migration[0], study.host.structure
    study.observables["film"] = film_job.original(hop, cell, None, entries, [0.3, 100.0, 1e-3])
    file = tmp_path / "film.html"
    file.write_text(report_html(study, {}), encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.clock.install()
    page.goto(file.as_uri())
    moving = page.locator(".moving")
    slider, button, line = moving.locator("input"), moving.locator("button"), moving.locator("polyline")
    last, end = slider.get_attribute("max"), line.get_attribute("points")
    assert slider.input_value() == last
    slider.fill("0")
    assert moving.locator("output").inner_text() == "before the first step"
    assert line.get_attribute("points") != end
    button.click()
    assert button.inner_text() == "Stop"
    page.clock.run_for(120 * (int(last) + 2))
    assert (button.inner_text(), slider.input_value(), line.get_attribute("points")) == ("Play", last, end)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.close()


def test_view_opens_with_the_keyboard_and_shows_both_states(page):
    page.focus("#viewer-open")
    page.keyboard.press("Enter")
    page.wait_for_selector("#viewer-structure canvas", timeout=60_000)
    page.wait_for_function("document.getElementById('viewer-state').textContent.startsWith('before')")
    page.focus("#viewer-after")
    page.keyboard.press("Enter")
    assert page.inner_text("#viewer-state").startswith("after")
    assert serious(page) == []
    # Software rendering is allowed to say that it is slow; nothing else.
    assert [p for p in page.problems if "GPU stall" not in p and "WebGL" not in p] == []


def test_tables_sort_and_save(page, tmp_path):
    table = page.locator("table", has_text="Vacancies in").first
    head = table.locator("th", has_text="oxygen-rich")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    column = head.evaluate("h => h.cellIndex")
    values = table.evaluate("(t, c) => [...t.tBodies[0].rows].map(r => parseFloat(r.cells[c].textContent))", column)
    assert values == sorted(values)
    assert len(values) > 3
    with page.expect_download() as waiting:
        page.locator("button.save[aria-label*='Vacancies in']").click()
    saved = tmp_path / "table.csv"
    waiting.value.save_as(saved)
    rows = list(csv.reader(saved.open(encoding="utf-8")))
    assert rows[0][0] == "vacancy"
    assert len(rows) == len(values) + 1
