"""Our prompt in the queue, without a ComfyUI: cores of three ages, and what is said where the prompt is refused."""

from __future__ import annotations

import importlib
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.comfyui.pack import NAME, load

PROMPT = {"1": {"class_type": "ModelSearchIndexOne", "inputs": {}}}
CANONICAL = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
WRONG = {"message": "Prompt outputs failed validation", "details": ""}
AT_NODE = {"1": {"errors": [{"message": "Value not in list", "details": "samples: -1"}]}}


class OldQueue:
    def __init__(self) -> None:
        self.items: list[tuple[Any, ...]] = []
        self.mutex = threading.RLock()
        self.currently_running: dict[int, tuple[Any, ...]] = {}
        self.history: dict[str, Any] = {}

    def put(self, item: tuple[Any, ...]) -> None:
        self.items.append(item)

    def task_done(self, item_id: int, history_result: Any, status: Any) -> None:
        prompt = self.currently_running.pop(item_id)
        self.history[prompt[1]] = history_result


class NewQueue(OldQueue):
    def task_done(self, item_id: int, history_result: Any, status: Any, process_item: Any = None) -> None:
        super().task_done(item_id, history_result, status)


def first(prompt: Any) -> Any:
    return (True, None, ["1"], {})


async def now(prompt_id: str, prompt: Any, partial_execution_list: Any) -> Any:
    assert re.fullmatch(CANONICAL, prompt_id)
    assert partial_execution_list is None
    return (True, None, ["1"], {})


async def refusing(prompt_id: str, prompt: Any, partial_execution_list: Any) -> Any:
    return (False, WRONG, [], AT_NODE)


@pytest.fixture
def queue_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def loaded(queue: OldQueue, validate: Any) -> Any:
        server, execution = ModuleType("server"), ModuleType("execution")
        server.__dict__["PromptServer"] = SimpleNamespace(instance=SimpleNamespace(prompt_queue=queue))
        execution.__dict__["validate_prompt"] = validate
        monkeypatch.setitem(sys.modules, "server", server)
        monkeypatch.setitem(sys.modules, "execution", execution)
        load(monkeypatch, tmp_path)
        return importlib.import_module(f"{NAME}.nodes.queue")

    return loaded


def put(queue: Any) -> str:
    """In a thread of its own, as the indexer's is: no event loop runs there."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(queue.put, PROMPT).result()


@pytest.mark.parametrize(("made", "validate", "length"), [(OldQueue, first, 5), (OldQueue, now, 5), (NewQueue, now, 6)])
def test_it_lies_there_as_the_worker_takes_it(queue_of: Any, made: Any, validate: Any, length: int):
    queue = made()
    prompt_id = put(queue_of(queue, validate))
    (item,) = queue.items
    assert re.fullmatch(CANONICAL, prompt_id)
    assert (item[1], item[2], item[4], len(item)) == (prompt_id, PROMPT, ["1"], length)
    assert item[5:] == ({},) * (length - 5)


def test_it_comes_after_every_prompt_of_a_user(queue_of: Any):
    queue = OldQueue()
    put(queue_of(queue, now))
    assert min([(5000.0, "of a user"), queue.items[0]])[1] == "of a user"


@pytest.mark.parametrize("made", [OldQueue, NewQueue])
def test_it_is_never_in_the_history_and_a_users_prompt_is(queue_of: Any, made: Any):
    """A frontend that asks while it ends waits for the queue's lock."""
    queue = made()
    ours = queue_of(queue, now)
    ids = [put(ours), put(ours)]
    users = (1.0, "of a user", {}, {"client_id": "a window"}, [])
    queue.currently_running = dict(enumerate([*queue.items, users]))
    for number in range(3):
        queue.task_done(number, {}, None)
    assert queue.history == {"of a user": {}}
    assert set(ids).isdisjoint(queue.history)


def test_a_refusal_is_told_in_words_and_nothing_is_queued(queue_of: Any):
    queue = NewQueue()
    ours = queue_of(queue, refusing)
    with pytest.raises(Exception, match=r"refuses the indexing prompt: .*failed validation; Value not in list samples"):
        put(ours)
    assert queue.items == []
