"""A drafted host as YAML that a person reads: each guess with its reason behind it."""

from __future__ import annotations

from typing import Any

import yaml

from .draft import Draft

_HEAD = """# Host file drafted from a structure. Every line behind a # is the reason of a guess: read it, correct it.
# Run it with: magnetoionics run {key}.yaml
"""


def draft_text(draft: Draft, structure_name: str | None = None) -> str:
    """The host file's text.

    Parameters
    ----------
    draft
        See `draft.draft_host`.
    structure_name
        Name of the structure file as the host file shall have it; as read by default.
    """
    entries = dict(draft.entries)
    if structure_name is not None:
        entries["structures"] = dict.fromkeys(entries["structures"], structure_name)
    lines = [_HEAD.format(key=entries["key"]).rstrip()]
    lines += [f"# note of the reader: {note}" for note in draft.notes]
    for name, value in entries.items():
        reason = draft.reasons.get(name, "")
        if isinstance(value, list) and value and isinstance(value[0], dict | list):
            lines.append(_with_reason(f"{name}:", reason))
            lines += [
                _with_reason(f"  - {_plain(item)}", draft.reasons.get(f"{name}.{i}", ""))
                for i, item in enumerate(value)
            ]
        else:
            lines.append(_with_reason(f"{name}: {_plain(value)}", reason))
    return "\n".join(lines) + "\n"


def _with_reason(text: str, reason: str) -> str:
    return f"{text}  # {reason}" if reason else text


def _plain(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    return text.removesuffix("...\n").strip()
