"""What tests of printed pages ask of a PDF."""

import numpy as np
import pypdfium2

INK = 200  # of 255: darker is printed


def text_of(pdf):
    """The text of each page, a string a page."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def filled(pdf):
    """How far down each page is printed, as a share of its height; 0 for an empty page."""
    shares = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            rows = np.squeeze(page.render(scale=0.5, grayscale=True).to_numpy()) < INK
            printed = np.flatnonzero(rows.any(axis=1))
            shares.append(printed[-1] / len(rows) if len(printed) else 0.0)
    return shares
