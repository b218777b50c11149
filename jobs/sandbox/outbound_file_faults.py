"""Faults in how outbound files appear. `where` limits one to acknowledgement or outcomes."""

from dataclasses import replace
from datetime import timedelta

from jobs.sandbox.faults import fault
from jobs.sandbox.outbound_faults import Post, PostCall

SOON = timedelta(seconds=10)
_HUGE_BYTES = 2 * 1024**3


def _is_acknowledgement(call: PostCall) -> bool:
    return call.where == "acknowledgement"


def other_name(name: str) -> str:
    """Another name that is as good as this one: `a_response.json` becomes `a-again_response.json`."""
    stem, dot, ending = name.rpartition(".")
    head, answer, _ = stem.rpartition("_response")
    return f"{head}-again{answer}{dot}{ending}" if answer else f"{stem}-again{dot}{ending}"


@fault("outbound.file", wants=_is_acknowledgement)
def no_acknowledgement(call: PostCall) -> None:
    """The file is taken, and its acknowledgement never appears (F-06)."""
    call.posts = []


@fault("outbound.file", wants=_is_acknowledgement)
def partial_acknowledgement(call: PostCall) -> None:
    """The acknowledgement appears cut half-way, and is whole only ten sandbox seconds later (F-01)."""
    whole = call.posts[0]
    half = replace(whole, content=whole.content[: len(whole.content) // 2])
    call.posts = [half, replace(whole, after=SOON)]


@fault("outbound.file")
def growing_file(call: PostCall) -> None:
    """The file appears with a quarter of its bytes and grows by another every ten seconds (F-02)."""
    whole = call.posts[0]
    ends = [len(whole.content) * quarters // 4 for quarters in (1, 2, 3, 4)]
    call.posts = [replace(whole, content=whole.content[:end], after=n * SOON) for n, end in enumerate(ends)]


@fault("outbound.file")
def late_file(call: PostCall) -> None:
    """The file appears two days late, after files that were written after it (F-07)."""
    call.posts = [replace(post, after=post.after + timedelta(days=2)) for post in call.posts]


@fault("outbound.file")
def repeated_file(call: PostCall) -> None:
    """The same file is put there once more ten seconds later (F-08)."""
    call.posts.append(replace(call.posts[0], after=SOON))


@fault("outbound.file")
def same_content_other_name(call: PostCall) -> None:
    """The same content appears under a second name too (F-08)."""
    call.posts.append(replace(call.posts[0], name=other_name(call.posts[0].name)))


@fault("outbound.file")
def folder_instead_of_file(call: PostCall) -> None:
    """A folder bears the file's name (F-16)."""
    call.posts = [Post(call.posts[0].name, shape="folder")]


@fault("outbound.file")
def link_instead_of_file(call: PostCall) -> None:
    """A symbolic link bears the file's name; it leads to the content (F-16)."""
    call.posts = [replace(call.posts[0], shape="link")]


@fault("outbound.file")
def huge_file(call: PostCall) -> None:
    """The file has two gigabytes, or as many bytes as `after` says; what follows its text is NUL (F-18)."""
    call.posts = [replace(call.posts[0], size=call.after or _HUGE_BYTES)]
