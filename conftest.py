"""What tests and the notebooks that pytest runs share."""

import book

book.own_sockets()
