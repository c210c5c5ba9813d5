"""What a cell prints is one text, as it was printed, however its kernel sent it.

A kernel sends printed text piece by piece, by the clock. myst-nb joins the pieces
(``nb_merge_streams``) but ends each with a new line, so a line that was cut in two stays cut, on a
slow machine more often than on a fast one. Here the pieces are joined as they are.
"""

import myst_nb.core.render


def joined(outputs: list) -> list:
    """The outputs of a cell with each stream's texts joined where the first of them stands."""
    kept, first = [], {}
    for output in outputs:
        if output["output_type"] != "stream":
            kept.append(output)
        elif output["name"] in first:
            first[output["name"]]["text"] += output["text"]
        else:
            first[output["name"]] = output
            kept.append(output)
    return kept


def setup(app):
    myst_nb.core.render.coalesce_streams = joined
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
