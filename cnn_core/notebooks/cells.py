"""Cells of text and code → the bytes of a notebook."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A cell for reading, in Markdown."""

    markdown: str


@dataclass(frozen=True)
class Code:
    """A cell for running, in Python."""

    source: str


Cell = Text | Code


def notebook_file(cells: Iterable[Cell]) -> bytes:
    """A notebook of these cells, not run yet, as a file: the same cells make the same bytes.

    A lesson becomes a notebook by putting `opening.set_up()` before its texts and its code.

    Examples
    --------
    >>> import nbformat
    >>> file = notebook_file([Text("# Two and two"), Code("2 + 2")])
    >>> nbformat.reads(file.decode(), as_version=4).cells[1].source
    '2 + 2'
    """
    # Here, not above: it takes a fifth of a second, and only a download needs it.
    import nbformat
    from nbformat import v4

    made = [
        # Numbered, where nbformat would draw a random name.
        v4.new_markdown_cell(cell.markdown, id=f"cell-{k}")
        if isinstance(cell, Text)
        else v4.new_code_cell(cell.source, id=f"cell-{k}")
        for k, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = v4.new_notebook(cells=made, metadata=metadata)
    nbformat.validate(notebook)
    return nbformat.writes(notebook).encode()
