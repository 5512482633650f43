"""One prompt of ours in ComfyUI's queue, behind all others."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import Mapping
from functools import wraps
from typing import Any

import execution
from server import PromptServer

from ..modelsearch_core.errors import ModelSearchError

LAST = 1e9  # a user's prompts are numbered from 0 on
CLIENT = "model-search-indexing"  # nobody listens there: our progress stays out of the users' windows


def others() -> int:
    """How many prompts wait or run."""
    return _queue().get_tasks_remaining()


def running() -> Mapping[str, Any]:
    """The prompt that runs, its nodes by id; nothing between two of them."""
    items = _queue().get_current_queue_volatile()[0]
    return items[0][2] if items else {}


def keep_out_of_history(queue: Any) -> None:
    """Ours would be announced as a job of the user's that is done; they are forgotten before anybody can look."""
    done = queue.task_done
    if getattr(done, "client", None) == CLIENT:
        return

    @wraps(done)
    def task_done(item_id: Any, *args: Any, **more: Any) -> None:
        with queue.mutex:  # may be taken again by whoever has it
            item = queue.currently_running.get(item_id)
            done(item_id, *args, **more)
            if item is not None and item[3].get("client_id") == CLIENT:
                queue.history.pop(item[1], None)

    task_done.client = CLIENT  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue]  a mark, so that it is wrapped once
    queue.task_done = task_done


def put(prompt: Mapping[str, Any]) -> str:
    """The prompt's id. ComfyUI validates it, but no request is made: no check that is meant for clients, no proxy and
    no password stands in between."""
    prompt_id = str(uuid.uuid4())
    valid, error, outputs, node_errors = _validated(prompt_id, prompt)
    if not valid:
        raise ModelSearchError(f"ComfyUI refuses the indexing prompt: {_in_words(error, node_errors)}")
    keep_out_of_history(_queue())
    _queue().put(_item(prompt_id, prompt, outputs))
    return prompt_id


def is_there(prompt_id: str) -> bool:
    running, waiting = _queue().get_current_queue_volatile()
    return any(item[1] == prompt_id for item in (*running, *waiting))


def drop(prompt_id: str) -> None:
    """Out of the queue, if it still waits there."""
    _queue().delete_queue_item(lambda item: item[1] == prompt_id)


def wait_for(prompt_id: str, seconds: float = 0.1) -> None:
    """Until it is through or gone."""
    while is_there(prompt_id):
        time.sleep(seconds)


def _queue() -> Any:
    return PromptServer.instance.prompt_queue


def _validated(
    prompt_id: str, prompt: Mapping[str, Any]
) -> tuple[bool, Mapping[str, Any], list[str], Mapping[str, Any]]:
    """(valid, error, output nodes, errors by node), from a function that took the prompt alone once."""
    given = {"prompt_id": prompt_id, "prompt": prompt}
    takes = inspect.signature(execution.validate_prompt).parameters
    found = execution.validate_prompt(**{name: given.get(name) for name in takes})
    return asyncio.run(found) if inspect.iscoroutine(found) else found


def _item(prompt_id: str, prompt: Mapping[str, Any], outputs: list[str]) -> tuple[Any, ...]:
    """As this version's worker takes it from the queue. Secrets lie apart since core 8cf2ba4b (October 2025)."""
    more = {"client_id": CLIENT, "create_time": int(time.time() * 1000)}
    item = LAST, prompt_id, prompt, more, outputs
    secrets_apart = "process_item" in inspect.signature(_queue().task_done).parameters
    return (*item, {}) if secrets_apart else item


def _in_words(error: Mapping[str, Any], node_errors: Mapping[str, Any]) -> str:
    """In words: the prompt's error, then those of its nodes."""
    found = [error, *(each for node in node_errors.values() for each in node.get("errors", []))]
    said = (" ".join(filter(None, (one.get("message"), one.get("details")))) for one in found)
    return "; ".join(dict.fromkeys(said))
