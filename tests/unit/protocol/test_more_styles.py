"""What an editor keeps of the styles and masks of a painting."""

from impasto_protocol.more_styles import MoreStyle, Places


def test_masks_count_one_and_a_map_as_many_as_it_may_have_colours():
    another = MoreStyle("preset", "Ink", mask="layer:1")
    assert Places("layer:0", "layer:2", (another, MoreStyle("preset", "Dusk"))).planes == 3
    assert Places(strength_mask="layer:2", picture_map="layer:3", style_map="file:m").planes == 17
