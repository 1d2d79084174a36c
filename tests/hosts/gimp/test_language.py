"""The words in the language of GIMP's preferences, which it puts into LANGUAGE."""

import pytest


@pytest.mark.parametrize(
    ("language", "label", "said"),
    [
        ("de", "Impasto-_Stilübertragung…", "Es ist keine Ebene ausgewählt."),
        ("ja", "Impasto スタイル変換(_S)…", "レイヤーが選択されていません。"),
        ("tlh", "Impasto _Style Transfer…", "No layer is selected."),
    ],
)
def test_menu_and_errors(own_gimp, changed_profile, pictures, language, label, said):
    profile, _ = changed_profile
    (profile / "pluginrc").unlink(
        missing_ok=True
    )  # or GIMP would not ask again what things are called
    host = own_gimp(profile=profile, LANGUAGE=language)
    found, error = host.run(
        """
image = load(photo)
procedure = Gimp.get_pdb().lookup_procedure("plug-in-impasto-stylize")
status, _, error = call("stylize", image, [], style_file=style)
answer = procedure.get_menu_label(), error
""",
        **pictures,
    )
    assert found == label
    assert said in error
