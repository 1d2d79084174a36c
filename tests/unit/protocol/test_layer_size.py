"""How much of a layer is painted at once."""

import pytest

from impasto_protocol import layer_size
from impasto_protocol.errors import TooLarge


def test_what_is_painted_at_once_fits_into_a_frame():
    layer_size.check(32768, 16384, 4)
    with pytest.raises(TooLarge, match="32769 x 16384 pixels are too many") as refused:
        layer_size.check(32769, 16384, 4)
    assert refused.value.next_step == "Select a part of the layer and paint that."
