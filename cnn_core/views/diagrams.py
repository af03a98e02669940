"""Drawn graphs, as text in Graphviz's language (https://graphviz.org/doc/info/lang.html)."""

from collections.abc import Iterable, Sequence


def diagram(
    boxes: Sequence[tuple[str, Sequence[str]]],
    arrows: Iterable[tuple[str, str]],
    dark: bool = False,
) -> str:
    """Boxes with lines of text, joined by arrows from top to bottom.

    Parameters
    ----------
    boxes : name and lines of each.
    arrows : from one name to another; those of unknown names are left out.
    dark : light lines, for a dark page.
    """
    ink = "#e6e6e6" if dark else "#262730"
    known = {name for name, _ in boxes}
    drawn = [
        "digraph {",
        'bgcolor="transparent"; rankdir=TB; nodesep=0.3; ranksep=0.3;',
        f'node [shape=box, style=rounded, fontname="sans-serif", fontsize=11, color="{ink}", '
        f'fontcolor="{ink}", margin="0.12,0.06"];',
        f'edge [color="{ink}", arrowsize=0.6];',
    ]
    for name, lines in boxes:
        text = "\\n".join(map(_escaped, lines))
        drawn.append(f'"{_escaped(name)}" [label="{text}"];')
    for one, other in arrows:
        if one in known and other in known:
            drawn.append(f'"{_escaped(one)}" -> "{_escaped(other)}";')
    return "\n".join([*drawn, "}"])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
