"""Which network is used, what it is called, and Oxford's own, which comes with Impasto."""

import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
import safetensors.torch
import torch

from impasto_daemon.cli.weights import weights
from impasto_daemon.engine.convolutions import CONVOLUTIONS
from impasto_daemon.engine.network import FeatureNetwork, tensor_shapes
from impasto_daemon.weights import oxford, sources, store
from impasto_protocol.errors import DiskFull, WeightsBad
from impasto_protocol.networks import NETWORKS

SAVE = """
import sys
import numpy as np
import safetensors.numpy
from pathlib import Path
from impasto_daemon.weights import store
tensors = {"b": np.arange(6, dtype="f4").reshape(2, 3), "a": np.ones(2, "f2")}
old = safetensors.numpy.save(tensors, metadata={"source": "a file", "sha256": "abc"})
Path(sys.argv[1]).write_bytes(old)
print(store.hash_tensors(safetensors.numpy.load(old)))
"""


@pytest.fixture(scope="module")
def tensors():
    return {name: torch.full(shape, 0.01).half() for name, shape in CONVOLUTIONS.items()}


@pytest.fixture(scope="module")
def theirs():
    return oxford.unpack()


@pytest.fixture
def own(tmp_path, tensors):
    """A file of the user's."""
    file = tmp_path / "mine.safetensors"
    file.write_bytes(safetensors.torch.save(tensors))
    return file


def test_oxfords_network_is_used_in_a_new_home_and_unpacked_once(tmp_path, monkeypatch, theirs):
    network = sources.open_network("", tmp_path)
    assert network.label == "oxford" and network.identity.hash == oxford.TENSORS_HASH
    assert all(torch.equal(network.tensors[name], theirs[name]) for name in CONVOLUTIONS)
    monkeypatch.setattr(oxford, "unpack", lambda: pytest.fail("it was unpacked again"))
    again = sources.open_network("", tmp_path)
    assert all(torch.equal(again.tensors[name], theirs[name]) for name in CONVOLUTIONS)


def test_oxfords_network_is_called_what_its_tensors_are(theirs):
    arrays = {name: tensor.numpy() for name, tensor in theirs.items()}
    assert store.hash_tensors(arrays) == oxford.TENSORS_HASH


@pytest.mark.weights
def test_oxfords_network_is_that_of_another_copy(theirs, weights_file):
    """The copy is exact in its first eight layers, where 8 bits lose up to 0.9 %."""
    copy = store.load(weights_file)
    for name in list(CONVOLUTIONS)[:16]:
        one, other = theirs[name].float(), copy[name].float()
        assert float((one - other).norm() / other.norm()) < 0.01, name


def test_oxfords_network_is_unpacked_quickly(theirs):
    began = time.process_time()
    oxford.unpack()
    assert time.process_time() - began < 2


def test_damaged_file_of_the_unpacked_network_is_made_anew(tmp_path, theirs):
    sources.open_network("", tmp_path)
    path = sources.find("", tmp_path)
    path.write_bytes(path.read_bytes()[:-4])
    network = sources.open_network("", tmp_path)
    assert all(torch.equal(network.tensors[name], theirs[name]) for name in CONVOLUTIONS)
    assert store.load(path).keys() == theirs.keys()


def test_network_is_used_where_it_cannot_be_unpacked_to(tmp_path, monkeypatch):
    def full(*_):
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(store, "write_file", full)
    assert sources.open_network("", tmp_path).label == "oxford"


@pytest.mark.parametrize("how", ["missing", "damaged", "no package"])
def test_missing_or_damaged_network_is_said_before_it_is_parsed(tmp_path, monkeypatch, how):
    if how == "no package":

        def gone(name):
            raise oxford.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(oxford.metadata, "distribution", gone)
    else:
        file = tmp_path / "vgg.bin"
        if how == "damaged":
            file.write_bytes(b"PK" + oxford.data_file().read_bytes()[2:-1] + b"x")
        monkeypatch.setattr(oxford, "_FILE", file)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was parsed"))
    with pytest.raises(WeightsBad, match=r"missing|damaged") as caught:
        sources.open_network("", tmp_path)
    assert "impasto doctor" in caught.value.next_step


def test_named_network_comes_before_the_chosen_one(tmp_path, own):
    store.adopt(own, tmp_path)
    sources.choose("own", tmp_path)
    assert sources.chosen("", tmp_path) == "own"
    assert sources.open_network("", tmp_path).label == "vgg19_features.safetensors"
    assert sources.open_network("oxford", tmp_path).label == "oxford"
    assert sources.open_network(str(own), tmp_path).label == "mine.safetensors"
    sources.choose("oxford", tmp_path)
    assert sources.chosen("", tmp_path) == "oxford"


def test_hash_beside_a_file_of_the_users_is_not_taken_for_that_of_the_file(tmp_path, own):
    own.with_suffix(".sha256").write_text(f"{'0' * 64}  mine.pth")
    assert sources.open_network(str(own), tmp_path).label == "mine.safetensors"
    store.adopt(own, tmp_path)
    assert sources.open_network("own", tmp_path).label == "vgg19_features.safetensors"


def test_weights_that_were_there_before_there_was_a_choice_are_still_used(tmp_path, own):
    store.adopt(own, tmp_path)
    assert sources.chosen("", tmp_path) == "own"


@pytest.mark.parametrize(("named", "step"), [
    ("/none.safetensors", "setting `weights`"), ("torchvision", "weights fetch torchvision"),
])  # fmt: skip
def test_network_that_is_not_there_is_not_quietly_replaced(tmp_path, named, step):
    with pytest.raises(WeightsBad) as caught:
        sources.open_network(named, tmp_path)
    assert step in caught.value.next_step
    assert sources.identify(named, tmp_path).hash == ""
    if named == "torchvision":
        with pytest.raises(WeightsBad):
            sources.choose(named, tmp_path)
        assert sources.chosen("", tmp_path) == "oxford"


def test_setting_that_names_a_file_of_another_kind_is_what_is_to_be_corrected(tmp_path):
    """`impasto weights use` would not help: the setting comes before it."""
    (tmp_path / "x.safetensors").write_bytes(b"\x89PNG")
    with pytest.raises(WeightsBad, match="safetensors") as caught:
        sources.open_network(str(tmp_path / "x.safetensors"), tmp_path)
    assert "setting `weights`" in caught.value.next_step


def test_network_is_known_without_torch_and_anew_when_its_file_changes(tmp_path, own, tensors):
    one = sources.identify(str(own), tmp_path)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    assert one.hash == store.hash_tensors(arrays)
    own.write_bytes(safetensors.torch.save({n: t * 2 for n, t in tensors.items()}))
    assert sources.identify(str(own), tmp_path).hash not in one.names
    code = (
        "import sys, pathlib; from impasto_daemon.weights import sources\n"
        f"sources.identify({str(own)!r}, pathlib.Path({str(tmp_path)!r}))\n"
        "assert not {'torch', 'torchvision'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_same_values_have_one_name_whatever_their_type_order_and_file(tmp_path, own, tensors):
    wide = {name: tensor.float() for name, tensor in reversed(tensors.items())}
    other = tmp_path / "other.safetensors"
    other.write_bytes(safetensors.torch.save(wide, metadata={"a": "b"}))
    one, same = (sources.identify(str(file), tmp_path) for file in (own, other))
    assert one.hash == same.hash
    assert one.formerly != same.formerly


def test_network_is_known_by_the_name_of_its_file_in_older_versions(tmp_path, own):
    assert (
        hashlib.sha256(own.read_bytes()).hexdigest() in sources.identify(str(own), tmp_path).names
    )


def test_twenty_processes_give_a_network_one_name_and_each_knows_the_others_old_one(tmp_path):
    """safetensors writes two entries of metadata in an order that differs from time to time."""
    files = [tmp_path / f"{number}.safetensors" for number in range(20)]
    said = [
        subprocess.run(
            [sys.executable, "-c", SAVE, file], capture_output=True, text=True, check=True
        ).stdout
        for file in files
    ]
    assert len(set(said)) == 1
    data = [Path(file).read_bytes() for file in files]
    forms = {each for bytes_ in data for each in (bytes_, store.reordered(bytes_))}
    assert len(forms) == 2 and set(data) <= forms
    assert all(store.reordered(store.reordered(each)) == each for each in data)


def test_what_is_kept_has_the_same_bytes_every_time(tmp_path, tensors):
    kept = {
        store.keep(tensors, tmp_path / f"{n}.safetensors", source="a file, sha256 abc").read_bytes()
        for n in range(3)
    }
    assert len(kept) == 1
    assert np.frombuffer(next(iter(kept))[:8], "<u8")[0] > 0


@pytest.mark.parametrize("network", ["vgg16", "googlenet", "resnet50"])
def test_weights_of_another_network_are_taken_in_and_known_by_their_tensors(tmp_path, network):
    with pytest.raises(WeightsBad) as caught:
        sources.open_network("", tmp_path, network)
    assert f"impasto weights fetch {network}" in caught.value.next_step
    assert sources.identify("", tmp_path, network).hash == ""
    made = {name: torch.full(shape, 0.01) for name, shape in tensor_shapes(network).items()}
    file = tmp_path / "made.safetensors"
    file.write_bytes(safetensors.torch.save(made))
    store.adopt(file, tmp_path, network)
    found = sources.open_network("", tmp_path, network)
    assert found.tensors.keys() == made.keys() and found.label == NETWORKS[network].label
    hashed = store.hash_tensors({name: tensor.numpy() for name, tensor in made.items()})
    assert sources.identify("", tmp_path, network).hash == found.identity.hash == hashed
    FeatureNetwork(found.tensors, network=network, weights_hash=hashed)
    assert sources.open_network("", tmp_path).label == "oxford"  # VGG-19's stay what they were


def test_file_of_one_network_is_not_taken_for_another(tmp_path, own):
    for network in ("vgg16", "googlenet"):
        with pytest.raises(WeightsBad, match=NETWORKS[network].label):
            store.adopt(own, tmp_path, network)
        assert not store.torchvision_file(tmp_path, network).exists()


@pytest.mark.parametrize("published", [False, True])
def test_network_taken_from_a_file_is_used_by_the_command_that_is_named(
    home, own, tensors, monkeypatch, capsys, published
):
    file = own
    if published:
        file = own.with_suffix(".pth")
        torch.save(tensors, file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        monkeypatch.setattr(store, "published_url", lambda network: f"vgg19-{digest[:8]}.pth")
    weights.main(["fetch", "torchvision", "--file", str(file)], standalone_mode=False)
    named = re.search("`impasto weights (.*)`", capsys.readouterr().out)[1]
    weights.main(named.split(), standalone_mode=False)
    assert sources.chosen("", home / "data") == ("torchvision" if published else "own")


def test_another_network_is_no_choice_of_vgg_19s_weights(home):
    with pytest.raises(click.UsageError, match="apply --network vgg16"):
        weights.main(["use", "vgg16"], standalone_mode=False)
