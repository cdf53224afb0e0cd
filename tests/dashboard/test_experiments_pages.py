"""Pages of experiments as they come over HTTP, without a browser."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest

from tests.dashboard.experiment import MATRIX, ROC, Experiment
from tests.jobs import Clients, TrainingJobs, experiment_config

HOSTILE = "<img src=x onerror=alert(1)>"
Get = Callable[..., str]


class Tags(HTMLParser):
    """Which elements a page has, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def get(ui: str) -> Get:
    """Returns the text of a page."""

    def get(path: str, **arguments: Any) -> str:
        address = f"{ui}/{path}?{urlencode(arguments, doseq=True)}" if arguments else f"{ui}/{path}"
        with urlopen(address, timeout=60) as answer:
            return str(answer.read().decode())

    return get


@pytest.fixture
def experiment(clients: Clients) -> Experiment:
    return Experiment(clients, description="ranks <b>ads</b>")


def order(page: str) -> list[str]:
    """Return the components of a runs table in order."""
    return [str(attributes["value"]) for tag, attributes in Tags(page).elements if attributes.get("name") == "run"]


def test_the_list_of_experiments(experiment: Experiment, get: Get) -> None:
    for name in ("a", "b"):
        experiment.run(name)
    page = get("experiments", q=experiment.name)

    assert experiment.name in page
    assert "ranks &lt;b&gt;ads&lt;/b&gt;" in page
    cells = re.findall(r'<td class="number">(\d+)</td>', page)
    assert cells == ["1", "2"]
    assert "No experiment is called so" in get("experiments", q="no-such-thing-at-all")


def test_where_there_is_nothing_the_page_teaches(endpoint: Any) -> None:
    with urlopen(f"{endpoint.url}/_emulator/ui/999988887777/eu-west-1/experiments", timeout=60) as answer:
        page = Tags(answer.read().decode())

    assert "from sagemaker.experiments import Run" in page.text
    assert f"sagemaker-emulator exec --port {endpoint.url.rpartition(':')[2]} -- python" in page.text


def test_runs_are_sorted_and_filtered_by_the_server(experiment: Experiment, get: Get) -> None:
    names = [
        experiment.run(f"r{place}", {"lr": place}, {"auc": [0.1, value]}) for place, value in enumerate((0.7, 0.9, 0.8))
    ]
    path = f"experiments/{experiment.name}"

    assert order(get(path)) == [*reversed(names)]
    best = get(path, sort="Metrics.auc.Max")
    assert order(best) == [names[1], names[2], names[0]]
    assert 'aria-sort="descending"' in best
    assert order(get(path, sort="Metrics.auc.Last", order="Ascending", where="Parameters.lr", value="0")) == [
        names[2],
        names[1],
    ]
    assert order(get(path, q="lr=1")) == [names[1]]
    assert order(get(path, stat="Min")) == [*reversed(names)]
    assert "Unknown property name: Nonsense" in get(path, where="Nonsense", value="1")
    assert "No run is like that" in get(path, q="lr=77")


def test_pages_of_many_runs(experiment: Experiment, get: Get) -> None:
    for number in range(103):
        experiment.run(f"r{number:03}")
    path = f"experiments/{experiment.name}"

    first, second = order(get(path, sort="DisplayName")), order(get(path, sort="DisplayName", page=2))
    assert (len(first), len(second)) == (100, 3)
    assert second[-1].endswith("-r000")
    assert 'rel="next"' in get(path)
    assert order(get(path, page=9)) == []


def test_the_csv_has_all_rows_and_no_formulas(experiment: Experiment, get: Get) -> None:
    for number in range(101):
        experiment.run(f"r{number:03}", {"=cmd()": "@evil", "lr": -0.5}, {"auc": [0.5]} if number == 7 else None)
    text = get(f"experiments/{experiment.name}/runs.csv", sort="DisplayName", order="Ascending")
    header, *rows = csv.reader(text.splitlines())
    table = [dict(zip(header, row, strict=True)) for row in rows]

    assert [one["DisplayName"] for one in table] == [f"r{number:03}" for number in range(101)]
    assert (table[7]["auc - Last"], table[8]["auc - Last"]) == ("0.5", "")
    assert (table[0]["'=cmd()"], table[0]["lr"]) == ("'@evil", "-0.5")
    assert (table[0]["Trials"], table[0]["Experiments"]) == (experiment.trial, experiment.name)
    assert len(list(csv.reader(get(f"experiments/{experiment.name}/runs.csv", q="r007").splitlines()))) == 2


def test_what_a_run_says_of_itself_stays_text(experiment: Experiment, bucket: str, get: Get) -> None:
    names = [
        experiment.run(
            name, {HOSTILE: f"{HOSTILE}{name}"}, {HOSTILE: [1, 2]}, artifacts={HOSTILE: "javascript:alert(1)"}
        )
        for name in ("a", "b")
    ]
    experiment.chart(names[0], bucket, "hostile", {**MATRIX, "title": "</script>" + HOSTILE})
    experiment.chart(names[0], bucket, "hostile-roc", {**ROC, "title": "</script>" + HOSTILE})
    for page in (
        get(f"experiments/{experiment.name}"),
        get(f"experiments/{experiment.name}", q=HOSTILE, where=HOSTILE, value=HOSTILE, sort=HOSTILE),
        get(f"runs/{names[0]}"),
        get("compare", run=[*names, HOSTILE]),
    ):
        read = Tags(page)
        assert [tag for tag, attributes in read.elements if tag == "img" or "onerror" in attributes] == []
        assert HOSTILE in read.text
        assert not [one for tag, one in read.elements if str(one.get("href")).startswith("javascript:")]


def test_charts_are_read_from_the_store(experiment: Experiment, bucket: str, get: Get) -> None:
    names = [experiment.run(name) for name in ("a", "b")]
    for name in names:
        experiment.chart(name, bucket, "clicks", MATRIX)
        experiment.chart(name, bucket, "clicks-roc", ROC)
    experiment.chart_of_bytes(names[0], bucket, "broken", b"[not json", "ROCCurve")
    page = get("compare", run=names)

    assert page.count('class="matrix"') == 2
    assert "accuracy" in page
    assert "This chart cannot be shown: it is no JSON" in Tags(page).text
    (drawn,) = [json.loads(found) for found in re.findall(r'id="rates-\d+">(.*?)</script>', page)]
    assert drawn["labels"] == ["a", "b"]
    assert [(one["run"], one["score"], one["x"]) for one in drawn["curves"]] == [
        (0, 0.85, [0, 0.1, 1]),
        (1, 0.85, [0, 0.1, 1]),
    ]
    assert 'class="matrix"' in get(f"runs/{names[1]}")


def test_a_chart_whose_object_is_gone_says_so(experiment: Experiment, bucket: str, get: Get, clients: Clients) -> None:
    name = experiment.run("a")
    experiment.chart(name, bucket, "clicks", MATRIX)
    clients.s3.delete_object(Bucket=bucket, Key=f"trial-component-artifacts/{name}/clicks.json")

    assert "its object is not in S3 any more" in get(f"runs/{name}")


def test_of_many_charts_each_is_shown_or_says_why_it_is_not(experiment: Experiment, bucket: str, get: Get) -> None:
    name = experiment.run("a")
    experiment.chart(name, bucket, "oldest", MATRIX)
    for number in range(101):
        experiment.chart(name, bucket, f"roc-{number}", ROC)
    page = get(f"runs/{name}")
    assert page.count('class="matrix"') == 1
    assert page.count('data-kind="ROCCurve"') == 101

    for number in range(3):
        experiment.chart(name, bucket, f"large-{number}", {**MATRIX, "padding": "x" * 15 * 2**20})
    page = get(f"runs/{name}")
    assert Tags(page).text.count("the charts of this page would have more than 33,554,432") == 1
    assert page.count('class="matrix"') == 3


def test_a_part_that_is_asked_for_every_two_seconds_reads_no_charts(
    experiment: Experiment, bucket: str, ui: str
) -> None:
    name = experiment.run("a", status="Stopping")
    experiment.chart_of_bytes(name, bucket, "slow", b"[" * 15 * 2**20, "ROCCurve")
    with urlopen(Request(f"{ui}/runs/{name}", headers={"HX-Target": "run"}), timeout=60) as answer:
        part = answer.read().decode()
    assert 'hx-trigger="every 2s"' in part
    assert "Charts" not in part


def test_an_experiment_with_a_run_that_stops_is_live(experiment: Experiment, get: Get) -> None:
    experiment.run("a", status="Stopping")
    assert "every 5s" in get(f"experiments/{experiment.name}")


def test_curves_of_several_runs_at_once(experiment: Experiment, get: Get) -> None:
    names = [experiment.run(name, metrics={"auc": [0.1, 0.9, 0.5]}) for name in ("a", "b")]
    timed = experiment.run("c", metrics={"auc": [0.2, 0.3]}, steps=False)
    found = json.loads(get("series.json", component=[*names, timed, "not-here"], metric="auc"))["series"]

    assert [one["label"] for one in found] == ["a", "b", "c"]
    assert found[0]["steps"] == [0, 1, 2]
    assert found[0]["values"] == [0.1, 0.9, 0.5]
    assert (found[0]["first"], found[0]["last"], found[0]["min"], found[0]["max"]) == (0.1, 0.5, 0.1, 0.9)
    assert found[2]["steps"] is None
    assert found[2]["times"][1] - found[2]["times"][0] == 1
    assert json.loads(get("series.json", component="not-here"))["series"] == []


def test_a_long_curve_is_drawn_by_few_values(experiment: Experiment, get: Get) -> None:
    values = [float(place % 50) for place in range(300)]
    values[123] = 1000.0
    name = experiment.run("long", metrics={"loss": values})
    (found,) = json.loads(get("series.json", component=name, points=20))["series"]

    assert (found["count"], len(found["values"]) <= 20) == (300, True)
    assert (found["steps"][0], found["steps"][-1], max(found["values"])) == (0, 299, 1000.0)
    assert found["steps"] == sorted(found["steps"])


def test_jobs_and_runs_lead_to_one_another(jobs: TrainingJobs, clients: Clients, get: Get) -> None:
    config = experiment_config(clients)
    job = jobs.running("echo done", ExperimentConfig=config).ended()
    path = f"experiments/{config['ExperimentName']}"

    assert order(get(path)) == [f"{job.name}-aws-training-job"]
    assert 'class="badge">job<' in get(path, show="all")
    page = get(f"runs/{job.name}-aws-training-job")
    assert job.name in Tags(page).text
    assert "Training job" in Tags(page).text
    assert job.name in get(f"runs/{config['RunName']}")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("experiments/none", "does not exist"),
        ("runs/none", "does not exist"),
        ("experiments/none/runs.csv", "does not exist"),
    ],
)
def test_what_is_not_there_is_said(ui: str, path: str, words: str) -> None:
    with pytest.raises(HTTPError) as error:
        urlopen(f"{ui}/{path}", timeout=60)
    with error.value as answer:
        assert answer.code in (400, 404)
        assert words in answer.read().decode()


def test_comparing_nothing_and_too_much(experiment: Experiment, get: Get) -> None:
    assert "Nothing to compare yet" in get("compare")
    assert "Not here (any more): gone" in get("compare", run=["gone", experiment.run("a")])
    many = get("compare", run=[experiment.run(f"r{place}") for place in range(22)])
    assert "2 more were picked" in many


def test_strange_arguments_do_no_harm(experiment: Experiment, get: Get) -> None:
    name = experiment.run("a", metrics={"auc": [1]})
    for query in (
        "page=x",
        "page=-1",
        f"page={'9' * 5000}",
        "stat=Nope",
        "is=Nope&where=Metrics.auc",
        "column=Nope",
        "sort=Metrics.",
        "order=x",
        "sort=.",
    ):
        get(f"experiments/{experiment.name}?{query}")
    for query in ("points=x", "points=-5", "points=99999999", f"metric={quote('…')}"):
        assert "series" in json.loads(get(f"series.json?component={name}&{query}"))
    for query in ("page=x", "page=-3", "page=99999999999999"):
        get(f"experiments?{query}")
    get(f"compare?run={name}&run={name}&x=%00&smooth=nan&log=%22")
