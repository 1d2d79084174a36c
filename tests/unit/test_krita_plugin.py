"""What can be said of Krita's plug-in without Krita: the recipes of layers."""

import json
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from impasto_protocol.errors import BadField, VersionSkew

FOLDER = Path(__file__).resolve().parents[2] / "plugins/krita/pykrita/impasto"
OWN, ANOTHER = "impasto/recipe/own", "impasto/recipe/another"


@pytest.fixture
def layer_recipes(monkeypatch):
    """The module, with nothing of Krita behind it."""
    package = types.ModuleType("impasto")
    package.__path__ = [str(FOLDER)]
    monkeypatch.setitem(sys.modules, "impasto", package)
    for name in ("krita", "impasto.landmarks", "impasto.qt"):
        monkeypatch.setitem(sys.modules, name, MagicMock())
    from impasto import layer_recipes

    yield layer_recipes
    del sys.modules["impasto.recipe"], sys.modules["impasto.layer_recipes"]


@pytest.mark.parametrize(("key", "told"), [(OWN, VersionSkew), (ANOTHER, BadField)])
def test_recipe_of_a_newer_version_asks_for_an_update_where_it_is_wanted(layer_recipes, key, told):
    kept = {"recipe": json.dumps({"settings": {"later": 1}}), "pixels": ""}
    document, layer = MagicMock(), MagicMock()
    document.annotationTypes.return_value = [key]
    document.annotation.return_value = json.dumps(kept).encode()
    layer.uniqueId().toString.return_value = "own"
    with pytest.raises(told):
        layer_recipes.to_edit(document, layer)
    assert layer_recipes.last(document) is None
