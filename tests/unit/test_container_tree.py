"""The files that a container found, as a tree."""

from __future__ import annotations

from typing import Any

from emulator.web.container_tree import roots


def directory(mode: str = "0755") -> dict[str, Any]:
    return {"type": "directory", "mode": mode, "size": 4096}


def file(size: int, mode: str = "0644") -> dict[str, Any]:
    return {"type": "file", "mode": mode, "size": size}


def test_entries_are_below_their_directories_which_say_what_is_below() -> None:
    tree = {
        "/opt/ml/input": directory(),
        "/opt/ml/input/config": directory(),
        "/opt/ml/input/config/hyperparameters.json": file(2),
        "/opt/ml/input/readme": file(5),
        "/opt/ml/input/config-2": directory("0777"),
        "/opt/ml/model": directory("0777"),
    }
    top, model = roots(tree, {"/opt/ml/input/config/hyperparameters.json": "{}"})
    assert (top.name, top.files, top.size, top.mode) == ("/opt/ml/input", 2, 7, "0755")
    assert [one.name for one in top.children] == ["config", "config-2", "readme"]
    config = top.children[0]
    assert (config.files, config.size, config.children[0].text) == (1, 2, "{}")
    assert (model.name, model.children, model.files) == ("/opt/ml/model", [], 0)


def test_links_say_where_they_lead_and_weigh_nothing() -> None:
    tree = {"/opt/ml": directory(), "/opt/ml/x": {"type": "symlink", "mode": "0777", "size": 9, "target": "../<b>"}}
    (top,) = roots(tree, {})
    assert (top.children[0].target, top.children[0].size, top.size) == ("../<b>", 0, 0)


def test_of_a_directory_with_very_many_entries_the_first_are_shown_and_all_are_counted() -> None:
    tree = {"/data": directory(), **{f"/data/{number:05}": file(1) for number in range(5000)}}
    (top,) = roots(tree, {}, most=200)
    assert (len(top.children), top.not_shown, top.files, top.size) == (200, 4800, 5000, 5000)


def test_names_that_are_no_utf_8_are_told() -> None:
    tree = {"/opt/ml": directory(), "/opt/ml/\udcff": file(1)}
    assert roots(tree, {})[0].children[0].name == "\\udcff"


def test_names_that_would_turn_text_around_are_told() -> None:
    tree = {"/opt/ml": directory(), "/opt/ml/a": {"type": "symlink", "mode": "0777", "size": 1, "target": "\u202ex"}}
    assert roots(tree, {})[0].children[0].target == "\\u202ex"


def test_nothing_is_nothing() -> None:
    assert roots({}, {}) == []
