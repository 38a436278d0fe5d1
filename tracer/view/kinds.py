"""The kinds of moments as a Markdown table, for the documentation: ``python -m tracer.view.kinds`` prints it."""

from __future__ import annotations

from tracer.kinds import Kind

__all__ = ["table"]


def table() -> str:
    """A row for each kind, in causal order; ends with a line end."""
    rows = [
        "| kind | shown as | what it means | caused by | what comes next | source |",
        "|---|---|---|---|---|---|",
    ]
    for kind in Kind:
        info = kind.info
        shown = info.phrase.format(who="ada")
        rows.append(f"| `{kind}` | {shown} | {info.meaning} | {info.cause} | {info.following} | {info.source} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
