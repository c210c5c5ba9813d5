"""What a cell prints is joined as it was printed."""

from nbformat import v4

import streams


def printed(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def test_pieces_of_a_line_stay_one_line():
    value = v4.new_output("display_data", data={"text/plain": "3"})
    outputs = [printed("73 iterations,"), printed(" done\n\nnext\n"), value, printed("end")]
    joined = streams.joined([*outputs, printed("careful", "stderr")])
    assert [each.get("text") for each in joined] == [
        "73 iterations, done\n\nnext\nend",
        None,
        "careful",
    ]
