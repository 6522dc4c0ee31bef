"""From tokens that come one by one to text that can be shown: whole characters, and nothing of a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Pieces:
    """The text of one answer in the making.

    Args:
        decode: from all ids of an answer to its text.
        stops: strings that end the answer; they are not part of it.

    >>> pieces = Pieces(lambda ids: "".join(map(chr, ids)), ["END"])
    >>> [pieces.add(map(ord, word)) for word in ("Hello E", "ND of it")], pieces.stopped, pieces.finish()
    (['Hello ', ''], True, '')
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str] = ()) -> None:
        self._decode = decode
        self._stops = tuple(stops)
        self._ids: list[int] = []
        self._said = 0
        self.text = ""
        self.stopped = False

    def add(self, ids: Sequence[int]) -> str:
        """Take tokens, and return the text that is certain now."""
        if self.stopped:
            return ""
        self._ids.extend(ids)
        self.text = self._decode(self._ids)
        places = [place for stop in self._stops if (place := self.text.find(stop)) >= 0]
        if places:
            self.text, self.stopped = self.text[: min(places)], True
            return self._until(len(self.text))
        # Held back: a character that is half done (it reads as U+FFFD), and what may become a stop string.
        whole = len(self.text.rstrip("\ufffd"))
        return self._until(whole - self._beginning_of_a_stop(self.text[:whole]))

    def finish(self) -> str:
        """Return what was held back."""
        return self._until(len(self.text))

    def _until(self, end: int) -> str:
        piece = self.text[self._said : end]
        self._said = max(self._said, end)
        return piece

    def _beginning_of_a_stop(self, text: str) -> int:
        sizes = (size for stop in self._stops for size in range(len(stop) - 1, 0, -1) if text.endswith(stop[:size]))
        return max(sizes, default=0)
