import json

from actsweep.live.parts import Parts


def test_only_what_has_changed_is_sent() -> None:
    before = Parts({"one": "<p>1</p>", "two": "<p>2</p>"}, '{"a":1}')
    after = Parts({"one": "<p>1</p>", "two": "<p>3</p>"}, '{"a":1}')
    assert json.loads(after.since(before.version) or "") == {"version": after.version, "parts": {"two": "<p>3</p>"}}
    assert after.since(after.version) is None


def test_a_browser_that_has_nothing_or_another_page_gets_all() -> None:
    parts = Parts({"one": "<p>1</p>"}, '{"a":1}')
    for seen in ("", "x", "a-b-c", "-" * 1000):
        answer = json.loads(parts.since(seen) or "")
        assert (answer["parts"], answer["data"]) == ({"one": "<p>1</p>"}, {"a": 1})


def test_the_same_content_has_the_same_version_after_a_new_beginning() -> None:
    assert Parts({"one": "1"}).version == Parts({"one": "1"}).version != Parts({"one": "2"}).version


def test_the_data_alone_may_change() -> None:
    before, after = Parts({"one": "1"}, "[1]"), Parts({"one": "1"}, "[2]")
    assert json.loads(after.since(before.version) or "") == {"version": after.version, "parts": {}, "data": [2]}


def test_a_page_that_was_loaded_whole_lacks_the_data_alone() -> None:
    parts = Parts({"one": "1"}, "[1]")
    assert json.loads(parts.since(parts.loaded) or "") == {"version": parts.version, "parts": {}, "data": [1]}


def test_the_data_comes_with_the_part_that_it_is_drawn_in() -> None:
    before, after = Parts({"report": "1", "x": "1"}, "[1]"), Parts({"report": "2", "x": "1"}, "[1]")
    assert json.loads(after.since(before.version) or "")["data"] == [1]
    assert "data" not in json.loads(Parts({"report": "1", "x": "2"}, "[1]").since(before.version) or "")
