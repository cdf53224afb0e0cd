"""Tests of the programs, for the image that has their libraries. From the pipeline's folder:

docker run --rm -v $PWD/tests:/tests -w /tests ctr-processing python3 -m unittest -v
"""

import gzip
import json
import socket
import tempfile
import threading
import unittest
from datetime import date
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

import cluster
from charts import POINTS, charts, thinned
from cluster import Cluster
from features import features, words
from impressions import COLUMNS, CUT_SHORT, BadDataError, problems, read_log
from model import read_features
from preprocess import check_quality, run, split_of

DAY = "2026-03-05"
GOOD = {
    "impression_id": "i1",
    "timestamp": f"{DAY}T18:30:00Z",
    "site": "a.example",
    "ad_id": "ad1",
    "category": "food",
    "format": "video",
    "position": "top",
    "device": "phone",
    "os": "ios",
    "country": "jp",
    "segment": None,
    "seen_before": 3,
    "bid_price": 0.7,
    "viewability": None,
    "clicked": 1,
}
HEADER = ",".join([*COLUMNS, "clicked"])


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
        return path


class ReadingLogs(Folder):
    def test_both_formats_give_the_same_rows(self) -> None:
        csv_line = ",".join("" if value is None else str(value) for value in GOOD.values())
        from_csv, _ = read_log(self.write("a.csv.gz", HEADER, csv_line))
        from_json, _ = read_log(self.write("a.jsonl.gz", json.dumps(GOOD)))
        self.assertEqual(from_csv.to_dict("records"), from_json.to_dict("records"))
        self.assertEqual(from_csv.loc[0, "segment"], "")

    def test_lines_that_are_cut_short_are_counted_and_spoil_no_others(self) -> None:
        line = ",".join("" if value is None else str(value) for value in GOOD.values())
        rows, cut_short = read_log(self.write("a.csv.gz", HEADER, line, '"' + line[:20], line))
        self.assertEqual((len(rows), cut_short), (2, 1))
        rows, cut_short = read_log(self.write("a.jsonl.gz", json.dumps(GOOD)[:50], "[]", "", json.dumps(GOOD)))
        self.assertEqual((len(rows), cut_short), (1, 3))

    def test_a_file_that_was_not_stored_as_a_whole(self) -> None:
        path = self.write("a.csv.gz", HEADER, "x" * 1000)
        path.write_bytes(path.read_bytes()[:-10])
        with self.assertRaisesRegex(BadDataError, "cannot be unpacked"):
            read_log(path)

    def test_columns_may_stand_in_another_order(self) -> None:
        names, values = zip(*reversed(GOOD.items()), strict=True)
        line = ",".join("" if value is None else str(value) for value in values)
        rows, _ = read_log(self.write("a.csv.gz", ",".join(names), line))
        self.assertEqual(rows.loc[0, "site"], "a.example")


class Problems(unittest.TestCase):
    def problem_of(self, **changes: str) -> str:
        row = {name: "" if value is None else str(value) for name, value in {**GOOD, **changes}.items()}
        return problems(pd.DataFrame([row], dtype="str"), DAY)[0]

    def test_each_has_a_name(self) -> None:
        for name, value, expected in [
            ("os", "", ""),
            ("impression_id", "", "impression_id is missing"),
            ("timestamp", "05/03/2026 18:30:00", "timestamp is not like 2026-03-01T00:00:00Z"),
            ("timestamp", "2026-03-04T23:59:59Z", "timestamp is of another day"),
            ("ad_id", "", "site or ad_id is missing"),
            ("bid_price", "0,45", "bid_price is not a positive number"),
            ("bid_price", "-1", "bid_price is not a positive number"),
            ("clicked", "?", "clicked is neither 0 nor 1"),
        ]:
            with self.subTest(name=name, value=value):
                self.assertEqual(self.problem_of(**{name: value}), expected)

    def test_the_second_of_two_with_the_same_id(self) -> None:
        row = {name: str(value) for name, value in GOOD.items()}
        found = problems(pd.DataFrame([row, row], dtype="str"), DAY)
        self.assertEqual(found.to_list(), ["", "impression_id is there already"])


class Features(Folder):
    def test_scoring_sees_the_same_words_as_training(self) -> None:
        rows, _ = read_log(self.write("a.jsonl.gz", json.dumps(GOOD), json.dumps({**GOOD, "clicked": 0})))
        made = features(rows)
        made.to_csv(self.folder / "part.csv.gz", index=False)
        trained_on, clicks = read_features(self.folder)
        self.assertEqual(words(trained_on), words(made))
        self.assertEqual(words(made), words(features(rows.drop(columns="clicked"))))
        self.assertEqual(clicks.tolist(), [1, 0])

    def test_missing_values_and_numbers_are_words_too(self) -> None:
        rows, _ = read_log(self.write("a.jsonl.gz", json.dumps(GOOD)))
        self.assertLessEqual(
            {"segment=missing", "viewability=missing", "hour=18", "seen_before=2", "bid_price=-1"},
            set(words(features(rows))[0]),
        )


class Charts(unittest.TestCase):
    CLICKS = np.array([0, 0, 1, 0, 1])
    PROBABILITIES = np.array([0.01, 0.02, 0.03, 0.04, 0.3])

    def test_as_many_are_called_clicks_as_there_were(self) -> None:
        matrix, roc, precision_recall = charts("some", self.CLICKS, self.PROBABILITIES)
        self.assertEqual(matrix["confusionMatrix"], [[2, 1], [1, 1]])
        self.assertAlmostEqual(roc["areaUnderCurve"], 5 / 6)
        self.assertEqual(precision_recall["noSkill"], 0.4)
        self.assertEqual([one["title"] for one in (matrix, roc)], ["some-confusion-matrix", "some-roc-curve"])

    def test_a_long_curve_keeps_its_ends(self) -> None:
        kept = thinned(np.arange(10_000))
        self.assertEqual((kept[0], kept[-1], len(kept)), (0, 9_999, POINTS))
        self.assertEqual(thinned(np.array([0.0, 1.0])), [0, 1])


class Preprocessing(Folder):
    def test_days_are_split_by_their_age(self) -> None:
        day = date.fromisoformat(DAY)
        days = ["2026-03-01", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"]
        self.assertEqual([split_of(one, day) for one in days], ["train", "train", "validation", "evaluation", ""])

    def test_a_dirty_file_is_named_with_its_share_and_problems(self) -> None:
        quality = {"good.csv.gz": {"": 99, CUT_SHORT: 1}, "bad.csv.gz": {"": 60, CUT_SHORT: 10, "worse": 30}}
        check_quality(quality, 0.5)
        with self.assertRaises(BadDataError) as caught:
            check_quality(quality, 0.05)
        self.assertEqual(
            str(caught.exception),
            "bad.csv.gz: 40.0% of its 100 rows are rejected, 5% may be: worse (30.0%), the line is cut short (10.0%). "
            "Files over the limit: 1 of 2.",
        )

    def test_a_file_in_no_day_s_folder_is_refused(self) -> None:
        self.write("processing/input/raw/a.jsonl.gz", json.dumps(GOOD))
        with self.assertRaisesRegex(BadDataError, "a.jsonl.gz: 100.0% of its 1 rows .* in no folder of a day"):
            run(self.folder, Cluster("algo-1", ("algo-1",)), date.fromisoformat(DAY), 0.05)

    def test_no_logs_at_all(self) -> None:
        with self.assertRaisesRegex(BadDataError, "no logs"):
            run(self.folder, Cluster("algo-1", ("algo-1",)), date.fromisoformat(DAY), 0.05)


class Clusters(unittest.TestCase):
    def setUp(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.enterContext(mock.patch.object(cluster, "PORT", free.getsockname()[1]))

    def test_all_hosts_learn_what_each_has(self) -> None:
        hosts = ("localhost", "algo-2", "algo-3")
        learnt = {}

        def gather(host: str) -> None:
            learnt[host] = Cluster(host, hosts).gather({"from": host})

        threads = [threading.Thread(target=gather, args=[host]) for host in reversed(hosts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        everything = {host: {"from": host} for host in hosts}
        self.assertEqual(learnt, dict.fromkeys(hosts, everything))

    def test_a_host_that_never_reports_is_named(self) -> None:
        with mock.patch.object(cluster, "SECONDS", 0.2), self.assertRaisesRegex(TimeoutError, "algo-2 did not report"):
            Cluster("localhost", ("localhost", "algo-2")).gather({})


if __name__ == "__main__":
    unittest.main()
