"""Bytes that are nearly right, at every place where bytes of others are read.

`tests/proofs/fuzz.py` does the same by the million, led by what of the code is reached.
"""

from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile.targets import TARGETS
from tests.unit.daemon.images import picture_kinds

from impasto_protocol.errors import ImpastoError

EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4), st.binary(max_size=4)), max_size=6)
SEEDS = {name: target.seeds() for name, target in TARGETS.items()}
REFUSED = [make() for make in picture_kinds.REFUSED.values()]


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_read(name):
    """Or most of what is tried would be refused for one and the same reason."""
    for seed in SEEDS[name]:
        with pytest.raises(ImpastoError) if seed in REFUSED else nullcontext():
            TARGETS[name].read(seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=200)
@given(data=st.data())
def test_bytes_are_read_or_refused_with_a_code(name, data):
    made = bytearray(data.draw(st.sampled_from(SEEDS[name])))
    for place, cut, put in data.draw(EDITS):
        at = int(place * len(made))
        made[at : at + cut] = put
    TARGETS[name](bytes(made))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=50)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_with_a_code(name, data):
    TARGETS[name](data)
