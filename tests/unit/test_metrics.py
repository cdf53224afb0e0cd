"""Metric definitions on log lines: training.md 7.4."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.contract import metrics
from emulator.contract.metrics import MetricDefinition, MetricScanner, MetricValue, final_metric_data, float32
from emulator.errors import ValidationError
from tests.cpu_time import at_most

# Pieces of expressions, whole and broken, in Python's dialect and in others.
PIECES = (
    *"()[]{}|*+?.^$\\abd1, :=-",
    "(?",
    "(?:",
    "(?P<n>",
    "(?i)",
    "(?u)",
    "(?a)",
    "(?L)",
    "(?>",
    "(?<=",
    "(?|",
    "\\p{L}",
    "\\N{",
    "\\1",
    "\\L<x>",
    "[[:alpha:]]",
    "[[a]--b]",
    "([0-9.]+)",
    "{2,3}",
    "{e}",
    "é",
)


def found(regex: str, line: str) -> list[float]:
    return list(MetricDefinition("m", regex).values(line))


def value(name: str, number: float, timestamp: float = 1.0) -> MetricValue:
    return MetricValue(name=name, value=number, timestamp=timestamp)


@pytest.mark.parametrize(
    ("regex", "line", "numbers"),
    [
        ("loss: ([0-9\\.]+)", "epoch 1 loss: 0.25", [0.25]),
        ("loss: ([0-9\\.]+)", "epoch 1", []),
        ("loss: (.*?);", "loss: -1e-3;", [-0.001]),
        (
            "#quality_metric: host=\\S+, train rmse <loss>=(\\S+)",
            "#quality_metric: host=algo-1, train rmse <loss>=7",
            [7],
        ),
        ("acc=(\\d+) f1=(\\d+)", "acc=1 f1=2", [1]),  # the first group
        ("(?:loss|error)=(\\d+)", "loss=1 error=2", [1, 2]),  # every match on the line
        ("m=(\\S+)", "m=abc m=3 m=", [3]),  # what is no number is ignored
        ("m=(\\S+)", "m=nan m=inf m=-Infinity", []),
        ("a=(\\d)|b=(\\d)", "b=1 a=2", [2]),  # a group that took no part
        ("loss: [0-9]+", "loss: 1", []),  # nothing to take
    ],
)
def test_values_on_a_line(regex: str, line: str, numbers: list[float]) -> None:
    assert found(regex, line) == numbers


@pytest.mark.parametrize("regex", ["(", "a**", "[z-a]", "(?P<n>a)(?P=other)", "\\", "(?u)(?a)(x)"])
def test_what_is_no_expression_is_refused_by_name(regex: str) -> None:
    with pytest.raises(ValidationError, match="Invalid regular expression for the metric 'train:loss'"):
        _ = MetricDefinition("train:loss", regex).pattern


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text("ab1,.-é\n", max_size=30))
@settings(deadline=None)
def test_any_expression_is_refused_or_can_be_searched_for(regex: str, line: str) -> None:
    definition = MetricDefinition("m", regex)
    try:
        _ = definition.pattern
    except ValidationError:
        return
    MetricScanner([definition]).scan(line, 1.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_SECONDS_PER_LINE", 0.05)


@pytest.mark.parametrize("regex", ["(a+)+$", "(?R)\\X(a)"])
def test_an_expression_without_end_times_out(impatient: None, regex: str) -> None:
    with pytest.raises(TimeoutError):
        found(regex, "a" * 5000 + "b")


def test_a_definition_that_always_times_out_is_given_up_and_the_others_go_on(impatient: None) -> None:
    scanner = MetricScanner([MetricDefinition("hangs", "(a+)+$"), MetricDefinition("n", "n=(\\d+)")])
    line = "a" * 5000 + "b n=1"
    with at_most(1):  # a hundred times 0.05 s would be five
        assert [scanner.scan(line, 1.0) for _ in range(100)] == [[value("n", 1)]] * 100


def test_a_scan_gives_every_definition_its_own_values() -> None:
    scanner = MetricScanner([MetricDefinition("train:a", "a=(\\d)"), MetricDefinition("b", "b=(\\d)")])
    assert scanner.scan("b=1 a=2 b=3", 5.5) == [value("train:a", 2, 5.5), value("b", 1, 5.5), value("b", 3, 5.5)]
    assert scanner.scan("nothing", 6) == []


# FinalMetricDataList


def test_final_metric_data_is_in_the_order_of_the_definitions_and_only_of_metrics_seen() -> None:
    definitions = [MetricDefinition(name, "x") for name in ("z", "never", "a")]
    last = {"a": value("a", 0.5, 1645000000.999), "z": value("z", 2, 1645000001.5)}
    assert final_metric_data(definitions, last) == [
        {"MetricName": "z", "Value": 2.0, "Timestamp": 1645000001},
        {"MetricName": "a", "Value": 0.5, "Timestamp": 1645000000},
    ]


def test_two_definitions_of_one_metric_are_one_metric() -> None:
    definitions = [MetricDefinition("m", "a=(.)"), MetricDefinition("m", "b=(.)")]
    assert len(final_metric_data(definitions, {"m": value("m", 1)})) == 1


def test_values_are_32_bit_floats() -> None:
    assert float32(0.3730886) == 0.3730885982513428


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_value_becomes_a_finite_32_bit_float(number: float) -> None:
    narrowed = float32(number)
    assert struct.unpack("<f", struct.pack("<f", narrowed)) == (narrowed,)
    assert abs(narrowed) <= 3.4028234663852886e38
    assert float32(narrowed) == narrowed
