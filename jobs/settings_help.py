"""`mitbatch help settings`: what the keys of the settings mean, for people and for programs."""

import difflib

from jobs.output import Options, answer, say
from jobs.settings_reference import all_settings, heading, sections
from schemas.errors import UsageRefused


def show_settings(options: Options, key: str) -> int:
    """Print what a key, or every key of a section, means. Raises UsageRefused, with the nearest name, for another word."""
    every = list(all_settings())
    chosen = [each for each in every if key in {"", each.key, each.section}]
    if not chosen:
        names = [*(each.key for each in every), *(each.name for each in every), *(name for name, _ in sections())]
        near = difflib.get_close_matches(key, names, n=1)
        full = [each.key for each in every if near and each.name == near[0]] or near
        meant = f" Did you mean {full[0]}?" if full else ""
        raise UsageRefused(f"No setting and no section is called {key!r}.{meant}", next_step="See: mitbatch help settings")
    last = None
    for each in chosen:
        if each.section != last:
            say(
                options,
                [*([""] if last is not None else []), heading(each.section) if each.section else "at the top of the file"],
            )
            last = each.section
        stands = "secret, never in the file" if each.is_secret else "required" if each.is_required else each.default or "none"
        say(options, [f"  {each.name} = {stands}", f"      {each.meaning} ({each.values}) {each.environment}".rstrip()])
    fields = ("key", "meaning", "values", "default", "is_required", "environment", "is_secret")
    answer(
        options,
        {
            "schema": "mitbatch.settings/1",
            "settings": [{name: getattr(each, name) for name in fields} for each in chosen],
        },
    )
    return 0
