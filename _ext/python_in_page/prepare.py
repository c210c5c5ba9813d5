"""What Python in the page has imported before it starts; run once, when the book is built."""

import sys

import matplotlib

sys.path.append("/lib/python3.14/site-packages/page")
matplotlib.use("agg")

import numpy as np  # noqa: F401
import page_kernel
from matplotlib import pyplot as plt

page_kernel.install_modules()
matplotlib.use("module://page_figures")

import IPython.lib.pretty  # noqa: E402, F401
import numpy.random  # noqa: E402

from gmm_lib import check, plotting, widgets, worksheet  # noqa: E402, F401
from gmm_lib.widgets import explorer_class  # noqa: E402

for kind in widgets.EXPLORERS:
    explorer_class(kind)
check.e_step(lambda x, weights, means, variances: np.ones((len(x), len(weights))))

# A first figure fills caches (fonts, mathematics) that every later one uses.
figure, axes = plt.subplots()
axes.plot([1, 2], [3, 4], "o-", label=r"$\phi_1$")
axes.set_title(r"$\mathcal{N}(x; \mu, \sigma^2)$")
axes.legend()
page_kernel.Cell.shown = False
page_kernel.show_figure(figure)
page_kernel.Cell.shown = True
page_kernel.html_of_markdown("| a |\n|---|\n| $b$ |")
