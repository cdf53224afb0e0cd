"""Experiments in the browser: runs picked and compared, sorted, taken along as CSV, watched while they go on."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.accessibility import findings, reached_by_tab, sideways
from tests.dashboard.experiment import MATRIX, ROC, Experiment
from tests.jobs import Clients

HOSTILE = "<img src=x onerror=alert(1)>"
INK = """canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let place = 0; place < pixels.length; place += 4)
    if (pixels[place + 3] > 200) colours.add(pixels.slice(place, place + 3).join());
  return colours.size;
}"""


@pytest.fixture(scope="module")
def experiment(clients: Clients) -> Experiment:
    """Three runs with curves, parameters and charts; the name of a metric and a parameter are hostile."""
    made = Experiment(clients)
    bucket = made.name
    clients.s3.create_bucket(Bucket=bucket)
    for place, name in enumerate(("narrow", "deep", "wide")):
        run = made.run(
            name,
            {"lr": 0.1 * (place + 1), "optimizer": "sgd" if place == 2 else "adam", "seed": 1, HOSTILE: HOSTILE},
            {
                "auc": [0.5 + 0.01 * step * (place + 1) for step in range(20)],
                HOSTILE: [1.0, 0.0, 2.0],
            },
        )
        made.chart(run, bucket, "clicks", MATRIX)
        made.chart(run, bucket, "clicks-roc", ROC)
    return made


def drawn(chart: Locator) -> None:
    """Require that a chart shows something: more colours than those of a background and its grid."""
    chart.scroll_into_view_if_needed()
    expect(chart).to_have_attribute("data-drawn", "true")
    assert chart.locator("canvas").first.evaluate(INK) > 10


def test_three_runs_are_picked_and_compared(
    experiment: Experiment, ui: str, open_page: Callable[..., Page], screenshot: Callable[[Page, str], Path]
) -> None:
    page = open_page(f"{ui}/experiments")
    page.get_by_role("link", name=experiment.name).click()
    for name in ("narrow", "deep"):
        page.get_by_label(f"Pick {name}").check()
    page.get_by_label("Find").fill("wide")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Pick wide").check()
    screenshot(page, "experiments-runs")
    page.get_by_role("button", name="Compare 3 picked runs").click()

    expect(page.get_by_role("heading", name="Compare 3 runs")).to_be_visible()
    auc = page.locator(".chart[aria-label='auc of 3 runs'], .chart:has([aria-label='auc of 3 runs'])").first
    drawn(auc)
    expect(auc.locator(".legend button")).to_have_text(["narrow", "deep", "wide"])
    auc.get_by_text("Values as a table").click()
    expect(auc.locator("tbody tr").nth(2)).to_have_text(re.compile("wide.*20.*0.5.*1.07"))

    rows = page.locator("#parameters tbody tr:visible")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("≠ not as narrow: sgd")
    page.get_by_label("Only those that differ").uncheck()
    expect(rows).to_have_count(4)
    expect(page.locator("#metrics tbody tr").filter(has_text="auc")).to_contain_text("highest")
    for kind in ("parallel", "scatter", "rates"):
        drawn(page.locator(f".chart[data-{kind}]"))
    expect(page.locator("table.matrix")).to_have_count(3)
    screenshot(page, "experiments-compare")


def test_curves_obey_keyboard_and_controls(experiment: Experiment, ui: str, open_page: Callable[..., Page]) -> None:
    names = [f"{experiment.name}-{name}" for name in ("narrow", "deep")]
    page = open_page(f"{ui}/compare?run={names[0]}&run={names[1]}")
    auc = page.locator(".chart:has([aria-label='auc of 2 runs'])")
    drawn(auc)
    button = auc.get_by_role("button", name="deep")
    button.focus()
    page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.get_by_label("Logarithmic").check()
    page.get_by_label("Smoothing").fill("0.5")
    page.get_by_label("Horizontal axis").select_option("elapsed")
    expect(page).to_have_url(re.compile(r"x=elapsed.*log=1.*smooth=0\.5|log=1.*smooth=0\.5.*x=elapsed"))
    hostile = page.locator(".chart").nth(0)
    expect(hostile.locator(".note")).to_contain_text("not above 0")
    before = auc.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")
    page.get_by_role("button", name="Switch between light and dark").click()
    drawn(auc)
    assert auc.locator("canvas").first.evaluate("canvas => canvas.toDataURL()") != before
    page.reload()
    expect(page.get_by_label("Smoothing")).to_have_value("0.5")


def test_names_of_a_run_stay_text(experiment: Experiment, ui: str, open_page: Callable[..., Page]) -> None:
    run = f"{experiment.name}-narrow"
    page = open_page(f"{ui}/compare?run={run}&run={experiment.name}-wide")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    chart = page.locator(".chart").nth(0)
    drawn(chart)
    chart.locator("canvas").first.hover()
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    for kind in ("parallel", "scatter"):
        drawn(page.locator(f".chart[data-{kind}]"))
        page.locator(f".chart[data-{kind}] canvas").first.hover()
    assert page.locator("img").count() == 0
    page.goto(f"{ui}/experiments/{experiment.name}")
    expect(page.locator("thead")).to_contain_text(HOSTILE)
    page.goto(f"{ui}/runs/{run}")
    drawn(page.locator(".chart").nth(0))
    assert page.locator("img").count() == 0


def test_a_click_on_a_column_sorts(experiment: Experiment, ui: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{ui}/experiments/{experiment.name}")
    for direction, first in (("descending", "wide"), ("ascending", "narrow")):
        page.get_by_role("link", name="auc").click()
        expect(page.get_by_role("columnheader", name="auc")).to_have_attribute("aria-sort", direction)
        expect(page.locator("tbody tr").first).to_contain_text(first)


def test_back_leads_to_the_whole_page_and_picks_stay(
    experiment: Experiment, ui: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{ui}/experiments/{experiment.name}")
    page.get_by_label("Pick narrow").check()
    page.get_by_label("Find").fill("deep")
    expect(page).to_have_url(re.compile("q=deep"))
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    page.go_back()
    expect(page.locator("#runs tbody tr")).to_have_count(3)
    expect(page.get_by_role("heading", name=experiment.name)).to_be_visible()
    expect(page.get_by_label("Pick narrow")).to_be_checked()
    expect(page.get_by_role("button", name="Compare 1 picked run")).to_be_visible()


def test_runs_are_taken_along_as_csv(experiment: Experiment, ui: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{ui}/experiments/{experiment.name}?sort=Metrics.auc.Last")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download CSV").click()
    assert downloading.value.suggested_filename == f"{experiment.name}-runs.csv"
    with Path(downloading.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [one["DisplayName"] for one in rows] == ["wide", "deep", "narrow"]
    assert float(rows[0]["auc - Max"]) == pytest.approx(1.07)
    page.get_by_text("These runs as a DataFrame").click()
    page.get_by_role("button", name="Copy").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'ExperimentAnalytics(experiment_name="{experiment.name}").dataframe()' in copied


def test_a_run_is_watched_while_it_goes_on(clients: Clients, ui: str, open_page: Callable[..., Page]) -> None:
    made = Experiment(clients)
    run = made.run("live", metrics={"loss": [3.0, 2.0]}, status="InProgress")
    page = open_page(f"{ui}/runs/{run}")
    page.evaluate("window.loadedOnce = true")
    drawn(page.locator(".chart"))
    made.measure(run, "loss", [1.0], start=2)
    made.measure(run, "auc", [0.5, 0.6])
    expect(page.locator(".chart")).to_have_count(2)
    page.locator(".chart:has([aria-label='loss of live'])").get_by_text("Values as a table").click()
    expect(page.locator(".chart:has([aria-label='loss of live']) tbody tr")).to_have_text(re.compile("live.*3.*3.*1"))
    clients.sagemaker.update_trial_component(TrialComponentName=run, Status={"PrimaryStatus": "Completed"})
    expect(page.locator(".status")).to_have_text("Completed")
    expect(page.locator("#run")).not_to_have_attribute("hx-trigger", re.compile("."))
    assert page.evaluate("window.loadedOnce")


def test_pages_work_without_scripts(experiment: Experiment, ui: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{ui}/experiments/{experiment.name}", javascript=False)
    page.get_by_label("Find").fill("deep")
    page.get_by_label("Find").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Pick deep").check()
    page.get_by_role("button", name="Compare picked runs").click()
    expect(page.get_by_role("heading", name="Compare 1 run")).to_be_visible()
    expect(page.locator("#metrics")).to_contain_text("0.88")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["light", "dark", "phone"])
def test_pages_are_accessible_by_eye_ear_and_keyboard(
    *, experiment: Experiment, ui: str, open_page: Callable[..., Page], width: int, dark: bool
) -> None:
    names = [f"{experiment.name}-{name}" for name in ("narrow", "deep", "wide")]
    page = open_page("about:blank", width=width, dark=dark)
    found = {}
    for path in (
        "experiments",
        f"experiments/{experiment.name}",
        f"experiments/{experiment.name}?q=no-such-run",
        f"runs/{names[0]}",
        f"compare?run={'&run='.join(names)}",
        "compare",
    ):
        page.goto(f"{ui}/{path}")
        for chart in page.locator(".chart").all():
            drawn(chart)
        for folded in page.locator("details > summary").all():
            folded.click()
        found[path] = findings(page) + sideways(page)
        page.goto(f"{ui}/{path}")
        page.wait_for_load_state("networkidle")
        first, reached = reached_by_tab(page)
        shown = "a[href]:visible, button:visible, input:visible, select:visible"
        controls = page.locator("main").locator(shown).count()
        assert first == "Skip to the content"
        assert reached >= min(controls, 30), path
    assert {path: said for path, said in found.items() if said} == {}
