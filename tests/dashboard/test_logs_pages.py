"""Pages of logs over HTTP: what they show, lead to and refuse, and how long a log of a million lines takes."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from html import unescape
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from emulator.endpoint import Endpoint
from tests.builders import SCOPE
from tests.jobs import LOG_GROUP, Clients, TrainingJobs

HOSTILE = "<script>alert(1)</script></pre>{{7*7}}\x1b[31mred\x1b[0m\u202e\x00"


class Pages:
    """Asks for pages of logs; the log of one test is its own."""

    def __init__(self, endpoint: Endpoint, ui: str) -> None:
        self.endpoint = endpoint
        self.ui = ui
        self.prefix = f"log-{uuid.uuid4().hex[:8]}/"

    def write(self, stream: str, events: list[tuple[int, str]]) -> None:
        self.endpoint.emulator.logs.write(SCOPE, LOG_GROUP, self.prefix + stream, events)

    def open(self, page: str, headers: Mapping[str, str] | None = None, /, **wanted: object) -> HTTPResponse:
        address = f"{self.ui}/{page}?{urlencode({'group': LOG_GROUP, 'prefix': self.prefix, **wanted})}"
        answer: HTTPResponse = urlopen(Request(address, headers=dict(headers or {})), timeout=60)
        return answer

    def part(self, page: str, **wanted: object) -> str:
        """Return what htmx gets."""
        with self.open(page, {"HX-Request": "true"}, **wanted) as answer:
            return answer.read().decode()

    def whole(self, page: str, **wanted: object) -> str:
        with self.open(page, **wanted) as answer:
            return answer.read().decode()

    def refused(self, page: str, **wanted: object) -> tuple[int, str]:
        with pytest.raises(HTTPError) as error:
            self.open(page, **wanted)
        with error.value as answer:
            return answer.code, answer.read().decode()


@pytest.fixture
def pages(endpoint: Endpoint, ui: str) -> Pages:
    return Pages(endpoint, ui)


def lines(page: str) -> list[tuple[int, str]]:
    """Return the numbers and texts of the lines of a page."""
    found = re.findall(r'<div class="line[^"]*".*?>(\d+)</a>.*?<span class="x">(.*?)</span></div>', page, re.DOTALL)
    return [(int(number), unescape(re.sub(r"<[^>]+>", "", text)).strip("\n")) for number, text in found]


def link(page: str, text: str) -> dict[str, str]:
    """Return the wishes in the address of the link of htmx with a text."""
    match = re.search(rf'hx-get="[^"]*\?([^"]*)"[^>]*>(?:<span[^>]*>)?{text}', page)
    assert match is not None, text
    return dict(pair.split("=", 1) for pair in unescape(match[1]).split("&"))


def test_groups_are_listed_with_those_of_other_services(pages: Pages, clients: Clients) -> None:
    pages.write("algo-1-1", [(1, "one")])
    other = f"/other/{uuid.uuid4().hex[:8]}"
    clients.logs.create_log_group(logGroupName=other)
    page = pages.whole("logs")
    assert LOG_GROUP in page
    assert other in page


def test_streams_are_listed_newest_first_searched_and_paged(pages: Pages) -> None:
    for number in range(60):
        pages.write(f"algo-{number}-1", [(1000 + number, "text")])
    page = pages.whole("logs/streams")
    names = re.findall(rf"{pages.prefix}(algo-\d+)-1</a>", page)
    assert names == [f"algo-{number}" for number in range(59, 9, -1)]
    match = re.search(r'href="[^"]*\?([^"]*)">Older streams', page)
    assert match is not None
    with urlopen(f"{pages.ui}/logs/streams?{unescape(match[1])}", timeout=60) as answer:
        older = re.findall(rf"{pages.prefix}(algo-\d+)-1</a>", answer.read().decode())
    assert older == [f"algo-{number}" for number in range(9, -1, -1)]
    assert "No  stream" not in page
    assert "begins with" in pages.whole("logs/streams", prefix="no-such-job")


def test_hosts_are_one_log_in_order_or_each_by_itself(pages: Pages) -> None:
    pages.write("algo-1-1700000000", [(1, "a"), (3, "c"), (3, "d")])
    pages.write("algo-2-1700000000", [(2, "b"), (3, "e"), (4, "f")])
    page = pages.whole("logs/viewer")
    assert [text for _, text in lines(page)] == list("abcdef")
    assert [number for number, _ in lines(page)] == [1, 2, 3, 4, 5, 6]
    assert re.findall(r'class="h h\d">(.*?)<', page) == ["algo-1", "algo-2", "algo-1", "algo-1", "algo-2", "algo-2"]
    one = pages.whole("logs/viewer", stream=f"{pages.prefix}algo-2-1700000000")
    assert lines(one) == [(1, "b"), (2, "e"), (3, "f")]


def test_a_job_whose_name_begins_alike_is_another_log(pages: Pages) -> None:
    pages.write("algo-1-1", [(1, "mine")])
    pages.endpoint.emulator.logs.write(SCOPE, LOG_GROUP, pages.prefix.replace("/", "2/algo-1-1"), [(1, "other")])
    assert [text for _, text in lines(pages.whole("logs/viewer", prefix=pages.prefix.rstrip("/")))] == ["mine"]


def test_older_and_newer_lines_follow_without_a_gap(pages: Pages) -> None:
    for host in (1, 2):
        pages.write(f"algo-{host}-1", [(number // 7, f"{host} {number}") for number in range(900)])
    newest = pages.part("logs/viewer")
    seen = lines(newest)
    assert len(seen) == 500
    page = newest
    while "Older lines" in page:
        page = pages.part("logs/lines", **link(page, "Older lines"))
        seen = lines(page) + seen
    assert [number for number, _ in seen] == list(range(1, 1801))
    assert len({text for _, text in seen}) == 1800
    middle = pages.part("logs/viewer", line=700)
    down = lines(middle)
    assert down[0] == seen[599]
    assert 'class="line current"' in middle
    while "Newer lines" in middle:
        middle = pages.part("logs/lines", **link(middle, "Newer lines"))
        down += lines(middle)
    assert down == seen[599:]
    assert "End of the log" in middle


def test_a_link_leads_to_a_line_or_a_time(pages: Pages) -> None:
    start = 1_700_000_000_000  # 2023-11-14T22:13:20Z
    pages.write("algo-1-1", [(start + number * 1000, f"line {number}") for number in range(2000)])

    def current(**wanted: object) -> str:
        page = pages.whole("logs/stream", stream=f"{pages.prefix}algo-1-1", **wanted)
        match = re.search(r'class="line current".*?<bdi>(.*?)</bdi>', page, re.DOTALL)
        return match[1] if match else ""

    assert current(line=1001) == "line 1000"
    assert current(goto="2023-11-14T22:14:20") == "line 60"
    assert current(time=start + 60_500) == "line 61"
    place = re.search(r'id="L([^"]+)"', pages.whole("logs/viewer", line=5))
    assert place is not None
    assert current(at=place[1]) == "line 0"
    assert current(line=99999) == ""
    assert current(line="9" * 5000) == ""
    assert pages.refused("logs/viewer", time="9" * 5000)[0] == 400
    assert "algo-1-1" in pages.whole("logs/streams", after="9" * 5000)
    assert pages.refused("logs/viewer", goto="yesterday")[0] == 400
    assert pages.refused("logs/viewer", at="../etc")[0] == 400


def test_a_search_counts_marks_and_walks_through_its_matches(pages: Pages) -> None:
    for host in (1, 2):
        pages.write(
            f"algo-{host}-1",
            [(number, f"line {number}" + (" An Error!" if number % 100 == 0 else "")) for number in range(1000)],
        )
    page = pages.part("logs/viewer", q="ERROR")
    assert "<strong>20</strong> lines have" in page
    seen = []
    while True:
        assert "<mark>Error</mark>" in page
        match = re.search(r'class="line current".*?>(\d+)</a>', page)
        assert match is not None
        seen.append(int(match[1]))
        if ">Next</a>" not in page:
            break
        page = pages.part("logs/viewer", **link(page, "Next"))
    assert seen == [1 + hundred * 200 + host for hundred in range(10) for host in (0, 1)]
    assert [int(one) for one in re.findall(r">Line (\d+)</a>", page)] == seen
    assert "No line has" in pages.part("logs/viewer", q="<nothing>")


def test_hostile_lines_are_text(pages: Pages) -> None:
    pages.write("algo-1-1", [(1, HOSTILE), (2, "half \udc80 of a character")])
    for page in (pages.whole("logs/viewer"), pages.part("logs/viewer", q="script"), pages.part("logs/around")):
        assert "<script>alert" not in page
        assert "</pre>{{7*7}}" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
        assert "\x00" not in page
        assert "[U+202E]\u2400" in page
        assert "[U+DC80]" in page


def test_names_are_text_too(pages: Pages) -> None:
    pages.prefix = f"<b>{uuid.uuid4().hex[:6]}</b>\"'/"
    pages.write("algo-1-1", [(1, "text")])
    for page in (pages.whole("logs/viewer"), pages.whole("logs/streams"), pages.part("logs/lines", after="")):
        assert "<b>" not in page
    assert lines(pages.part("logs/viewer")) == [(1, "text")]


def test_a_long_line_is_cut_until_all_of_it_is_wanted(pages: Pages) -> None:
    pages.write("algo-1-1", [(1, "x" * 5000 + "\x07<end>")])
    page = pages.part("logs/viewer")
    assert "x" * 1001 not in page
    wanted = link(page, "Show all 5006 characters")
    assert f'{"x" * 5000}<span class="unseen">\u2407</span>&lt;end&gt;' in pages.part("logs/line", **wanted)
    with pages.open("logs/line", **wanted) as answer:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.read().decode() == "x" * 5000 + "\x07<end>"


def test_a_download_is_what_cloudwatch_has(pages: Pages, clients: Clients) -> None:
    pages.write("algo-1-1", [(number, f"one {number} é") for number in range(3000)])
    pages.write("algo-2-1", [(1, HOSTILE)])
    stream = f"{pages.prefix}algo-1-1"
    events = clients.logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True)["events"]
    with pages.open("logs/download", stream=stream) as answer:
        assert answer.headers.get_content_disposition() == "attachment"
        assert answer.headers.get_filename() == f"{stream.replace('/', '-')}.log"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.read().decode() == "".join(f"{event['message']}\n" for event in events)
    with pages.open("logs/download") as answer:
        text = answer.read().decode()
    assert text.startswith(f"[algo-1] one 0 é\n[algo-1] one 1 é\n[algo-2] {HOSTILE}\n[algo-1] one 2 é\n")


def test_new_lines_alone_are_sent_while_the_job_runs(pages: Pages, jobs: TrainingJobs) -> None:
    job = jobs.running("echo one; sleep 3600").wrote("one")
    pages.prefix = f"{job.name}/"
    wanted = link(pages.part("logs/viewer", live=1), "The job goes on")
    with pages.open("logs/lines", {"HX-Request": "true"}, **wanted) as answer:
        assert answer.status == 204
    (stream,) = pages.endpoint.emulator.logs.streams_by_name(
        SCOPE, LOG_GROUP, prefix=pages.prefix, after=None, descending=False, limit=9
    )
    pages.endpoint.emulator.logs.write(SCOPE, LOG_GROUP, stream.name, [(int(time.time() * 1000), "two")])
    page = pages.part("logs/lines", **wanted)
    assert lines(page) == [(2, "two")]
    job.stop().ended()
    last = pages.part("logs/lines", **link(page, "The job goes on"))
    assert lines(last) == []
    assert "The job is Stopped" in last
    assert 'hx-swap-oob="true" class="status stopped"' in last


def test_a_job_without_lines_has_a_log_that_waits_for_them(pages: Pages, jobs: TrainingJobs) -> None:
    job = jobs.running("sleep 3600").training()
    pages.prefix = f"{job.name}/"
    assert "No lines yet" in pages.part("logs/viewer", live=1)
    job.stop().ended()
    assert "This log has no lines." in pages.part("logs/viewer")


def test_lines_of_an_earlier_job_of_the_same_name_are_not_shown(pages: Pages, jobs: TrainingJobs) -> None:
    name = f"again-{uuid.uuid4().hex[:8]}"
    pages.prefix = f"{name}/"
    pages.write("algo-1-1500000000", [(1500000000_000, "of long ago")])
    jobs.running("echo of now", TrainingJobName=name).ended()
    assert [text for _, text in lines(pages.part("logs/viewer"))] == ["of now"]


def test_what_explains_a_failure_is_the_traceback_of_the_first_host(pages: Pages) -> None:
    trace = ["Traceback (most recent call last):", '  File "a.py", line 1, in <module>', "ValueError: <b>"]
    pages.write("algo-1-1", [(50, text) for text in [*trace, "goes down"]])
    pages.write("algo-2-1", [(40, text) for text in ["starts", *trace]])
    pages.write("algo-3-1", [(60, "lost the others")])
    page = pages.part("logs/around")
    assert re.findall(r"<h3>(.*?)</h3>", page) == ["Traceback of algo-2", "Traceback of algo-1"]
    assert "<summary>Last lines of algo-3</summary>" in page
    assert "ValueError: &lt;b&gt;" in page
    place = re.search(r"at=([0-9-]+)#L", page)
    assert place is not None
    log = lines(pages.whole("logs/viewer", at=place[1]))
    assert log[1] == (2, trace[0])


def test_without_a_traceback_it_is_the_last_lines(pages: Pages) -> None:
    pages.write("algo-1-1", [(number, f"line {number}") for number in range(100)])
    page = pages.part("logs/around")
    assert re.findall(r"<bdi>(.*?)</bdi>", page) == [f"line {number}" for number in range(70, 100)]
    assert "have written nothing" in pages.part("logs/around", prefix="no-such-job/")


def test_what_is_not_there_is_said(pages: Pages) -> None:
    assert pages.refused("logs/streams", group="/aws/sagemaker/None")[0] == 400
    assert pages.refused("logs/viewer", group="")[0] == 400
    code, page = pages.refused("logs/stream", stream="none", prefix="")
    assert code == 400
    assert "The specified log" in page
    pages.write("algo-1-1", [(1, "a")])
    assert pages.refused("logs/line", at="5-1-1")[0] == 404


def test_a_log_of_a_million_lines_is_there_at_once(pages: Pages) -> None:
    for start in range(0, 1_000_000, 20_000):
        pages.write(
            "algo-1-1", [(number * 3, f"epoch {number} loss: 0.25 " * 3) for number in range(start, start + 20_000)]
        )
    took: dict[str, float] = {}

    def timed(name: str, page: str, **wanted: object) -> str:
        started = time.process_time()  # the emulator is in this process
        found = pages.part(page, **wanted)
        took[name] = time.process_time() - started
        return found

    newest = timed("newest", "logs/viewer")
    timed("older", "logs/lines", **link(newest, "Older lines"))
    assert lines(timed("line", "logs/viewer", line=500_000))[100][0] == 500_000
    assert "<strong>1</strong> line has" in timed("search", "logs/viewer", q="EPOCH 777777 ")
    # It is less than a tenth of this; a look at each line would take more.
    assert took["newest"] < 1 and took["older"] < 1 and took["line"] < 1 and took["search"] < 5, took  # noqa: PT018
