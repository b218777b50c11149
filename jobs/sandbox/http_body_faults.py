"""Faults in the body of an answer: broken, endless or contradictory, after the effect."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator

from jobs.sandbox.faults import fault
from jobs.sandbox.http_faults import Answer, ApiCall, json_answer

_MEBIBYTE = 1024 * 1024
_HUGE_MEBIBYTES = 64
_BOMB_MEBIBYTES = 256
_DEEP = 100_000


def _has_object(call: ApiCall) -> bool:
    return call.answer is not None and call.answer.status == 200 and bool(call.document())


def _body(call: ApiCall) -> bytes:
    return call.answer.body if call.answer else b""


@fault("api.after", wants=_has_object)
def malformed_json(call: ApiCall) -> None:
    """200 with JSON whose first colon is missing (H-11)."""
    call.answer = Answer(200, _body(call).replace(b":", b" ", 1))


@fault("api.after", wants=_has_object)
def truncated_json(call: ApiCall) -> None:
    """200 with the first half of the JSON and a Content-Length to match (H-11)."""
    call.answer = Answer(200, _body(call)[: len(_body(call)) // 2])


@fault("api.after", wants=_has_object)
def not_utf8_json(call: ApiCall) -> None:
    """200 with JSON that holds bytes which are no UTF-8 (H-11)."""
    call.answer = Answer(200, _body(call)[:-1] + b', "note": "\xff\xfe\xc3("}')


@fault("api.after", wants=_has_object)
def duplicate_key_json(call: ApiCall) -> None:
    """200 with JSON that names its first property twice, the second time as something else (H-11)."""
    first = json.dumps(next(iter(call.document())))
    call.answer = Answer(200, _body(call)[:-1] + f', {first}: "another"}}'.encode())


@fault("api.after", wants=_has_object)
def deep_json(call: ApiCall) -> None:
    """200 with JSON that has a list nested `after` (or 100000) deep beside its properties (H-11)."""
    depth = _DEEP if call.after is None else call.after
    call.answer = Answer(200, _body(call)[:-1] + b', "deep": ' + b"[" * depth + b"]" * depth + b"}")


@fault("api.after", wants=_has_object)
def huge_json(call: ApiCall) -> None:
    """200 with JSON of `after` (or 64) mebibytes (H-11)."""
    size = (_HUGE_MEBIBYTES if call.after is None else call.after) * _MEBIBYTE
    call.answer = Answer(200, _body(call)[:-1] + b', "padding": "' + b"x" * size + b'"}')


@fault("api.after", wants=_has_object)
def failure_in_200(call: ApiCall) -> None:
    """200 with success false beside an unchanged status (H-12)."""
    call.answer = json_answer(200, {**call.document(), "success": False, "result": "Failed"})


@fault("api.after", wants=lambda call: _has_object(call) and call.where == "evaluate")
def success_and_declined(call: ApiCall) -> None:
    """200 to an evaluate with success false, result Failed and status APPROVED (H-12)."""
    call.answer = json_answer(200, {**call.document(), "success": False, "result": "Failed", "status": "APPROVED"})


@fault("api.after", wants=_has_object)
def gzip_bomb(call: ApiCall) -> None:
    """200 with a gzip body that unpacks to JSON of `after` (or 256) mebibytes (H-20)."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream:
        stream.write(_body(call)[:-1] + b', "padding": "')
        for _ in range(_BOMB_MEBIBYTES if call.after is None else call.after):
            stream.write(b"x" * _MEBIBYTE)
        stream.write(b'"}')
    call.answer = Answer(200, packed.getvalue(), headers={"Content-Encoding": "gzip"})


@fault("api.after", wants=_has_object)
def endless_body(call: ApiCall) -> None:
    """200 with a chunked body that never ends (H-20)."""
    start = _body(call)[:-1]

    async def chunks() -> AsyncIterator[bytes]:
        yield start
        while True:
            yield b" " * 65_536
            await asyncio.sleep(0.001)

    call.answer = Answer(200, stream=chunks)
