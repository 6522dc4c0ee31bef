"""Text that is certain, piece by piece."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.serving.pieces import Pieces


def decode(ids: object) -> str:
    return bytes(ids).decode("utf-8", errors="replace")  # type: ignore[call-overload, no-any-return]


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=3), max_size=3), st.integers(1, 5))
def test_pieces_join_to_the_text_up_to_the_first_stop_string(text: str, stops: list[str], size: int) -> None:
    ids = text.encode("utf-8")
    pieces = Pieces(decode, stops)
    said = [pieces.add(ids[start : start + size]) for start in range(0, len(ids), size)]
    ends = [text.find(stop) for stop in stops if stop in text]
    whole = "".join(said) + pieces.finish()
    assert whole == pieces.text
    if not ends:
        assert whole == text
    else:
        assert pieces.stopped
        assert text.startswith(whole)
        assert not any(stop in whole for stop in stops)


def test_half_a_character_is_held_back() -> None:
    pieces = Pieces(decode)
    first, second = "é".encode()
    assert pieces.add([first]) == ""
    assert pieces.add([second]) == "é"
