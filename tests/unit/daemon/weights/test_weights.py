"""Weights: found in order, checked before they are parsed, downloaded whole or not at all."""

import contextlib
import hashlib
import http.server
import json
import os
import pickle
import threading

import pytest
import safetensors.torch
import torch

from impasto_daemon.engine.convolutions import CONVOLUTIONS
from impasto_daemon.engine.network import tensor_shapes
from impasto_daemon.weights import store as weights
from impasto_daemon.weights.download import fetch
from impasto_protocol.connection import lock_file
from impasto_protocol.errors import DownloadFailed, WeightsBad


@pytest.fixture(scope="session")
def tensors():
    return {name: torch.full(shape, 0.01).half() for name, shape in CONVOLUTIONS.items()}


@pytest.fixture(scope="session")
def good(tensors):
    return safetensors.torch.save(tensors)


@pytest.fixture(scope="session")
def published(tmp_path_factory, tensors):
    """A file like torchvision's, classifier and all but smaller, and the start of its hash."""
    path = tmp_path_factory.mktemp("published") / "vgg19.pth"
    torch.save({**tensors, "classifier.0.weight": torch.zeros(5)}, path)
    data = path.read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:8]


def test_good_file_is_loaded(tmp_path, good, tensors):
    path = tmp_path / "w.safetensors"
    path.write_bytes(good)
    assert weights.load(path).keys() == tensors.keys()


def spoil(how, tensors, good):
    changed = dict(tensors)
    if how == "empty":
        return b""
    if how == "truncated":
        return good[:-1000]
    if how == "error page":
        return b"<!doctype html><title>404 Not Found</title>"
    if how == "header that lies":
        return (2**60).to_bytes(8, "little") + good[8:]
    if how == "overlapping tensors":
        length = int.from_bytes(good[:8], "little")
        header = json.loads(good[8 : 8 + length])
        header["features.0.bias"]["data_offsets"] = header["features.2.bias"]["data_offsets"]
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + good[8 + length :]
    if how == "missing tensor":
        del changed["features.0.bias"]
    elif how == "superfluous tensor":
        changed["features.99.weight"] = torch.zeros(1)
    elif how == "dotted name":
        changed["features.__class__.x"] = torch.zeros(1)
    elif how == "wrong shape":
        changed["features.0.bias"] = torch.zeros(65).half()
    elif how == "wrong type":
        changed["features.0.bias"] = torch.zeros(64, dtype=torch.int16)
    elif how == "bfloat16":
        changed["features.0.bias"] = torch.zeros(64, dtype=torch.bfloat16)
    elif how == "undefined number":
        changed["features.0.bias"] = torch.full((64,), torch.nan).half()
    return safetensors.torch.save(changed)


@pytest.mark.parametrize("how", [
    "empty", "truncated", "error page", "header that lies", "overlapping tensors",
    "missing tensor", "superfluous tensor", "dotted name", "wrong shape", "wrong type", "bfloat16",
    "undefined number",
])  # fmt: skip
def test_file_that_is_not_vgg19_is_refused(tmp_path, tensors, good, how):
    path = tmp_path / "w.safetensors"
    path.write_bytes(spoil(how, tensors, good))
    with pytest.raises(WeightsBad) as caught:
        weights.load(path)
    assert "impasto weights use oxford" in caught.value.next_step
    with pytest.raises(WeightsBad):
        weights.adopt(path, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_refused_without_waiting(tmp_path, kind):
    path = tmp_path / "w"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(WeightsBad):
        weights.load(path)


class Planted:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return (open, (str(self.canary), "w"))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_planted_pickle_is_never_loaded(tmp_path, suffix):
    canary, path = tmp_path / "canary", tmp_path / f"w{suffix}"
    path.write_bytes(pickle.dumps(Planted(canary)))
    for call in (weights.load, lambda p: weights.adopt(p, tmp_path / "data")):
        with pytest.raises(WeightsBad):
            call(path)
    assert not canary.exists()


def test_published_file_is_known_by_its_hash_and_only_the_convolutions_kept(tmp_path, published):
    data, prefix = published
    path = tmp_path / "vgg.pth"
    path.write_bytes(data)
    stored = weights.convert(path, tmp_path / "data", prefix)
    assert weights.load(stored).keys() == CONVOLUTIONS.keys()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    with pytest.raises(WeightsBad, match="hash"):
        weights.convert(path, tmp_path / "other", prefix)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("how", ["adopted", "converted"])
def test_one_flipped_bit_of_what_was_put_there_is_noticed(tmp_path, good, published, how):
    """Also where every number is still finite."""
    file = tmp_path / ("w.safetensors" if how == "adopted" else "w.pth")
    file.write_bytes(good if how == "adopted" else published[0])

    def put():
        if how == "adopted":
            return weights.adopt(file, tmp_path)
        return weights.convert(file, tmp_path, published[1])

    stored = put()
    data = bytearray(stored.read_bytes())
    data[-2] ^= 1
    stored.write_bytes(data)
    with pytest.raises(WeightsBad, match="damaged") as caught:
        weights.load(stored, data_dir=tmp_path)
    assert "impasto weights use oxford" in caught.value.next_step
    assert weights.load(put(), data_dir=tmp_path)


def test_copy_that_is_cut_short_before_its_hash_is_not_taken_for_damaged(
    tmp_path, good, tensors, monkeypatch
):
    file = tmp_path / "w.safetensors"
    file.write_bytes(good)
    weights.adopt(file, tmp_path)
    file.write_bytes(safetensors.torch.save({name: t * 2 for name, t in tensors.items()}))
    write = weights.write_file

    def stop_at_the_hash(target, content):
        if target.suffix == ".sha256":
            raise KeyboardInterrupt
        return write(target, content)

    monkeypatch.setattr(weights, "write_file", stop_at_the_hash)
    with pytest.raises(KeyboardInterrupt):
        weights.adopt(file, tmp_path)
    found = weights.load(weights.own_file(tmp_path), data_dir=tmp_path)
    assert torch.equal(found["features.0.weight"], tensors["features.0.weight"] * 2)


def test_hash_in_the_published_name():
    assert weights.published_prefix(weights.published_url()) == "dcbb9e9d"
    assert weights.published_url().startswith("https://")


class Server:
    """A web server that serves one file, well or badly."""

    def __init__(self, data):
        self.data, self.cut, self.ranges, self.answer = data, None, True, None
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.serve(self)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def serve(self, request):
        wanted = request.headers.get("Range")
        self.requests.append(wanted)
        data, first = self.answer or self.data, 0
        if wanted and self.ranges:
            first = int(wanted.removeprefix("bytes=").rstrip("-"))
        if first and first >= len(data):
            request.send_error(416)
            return
        request.send_response(206 if first else 200)
        request.send_header("Content-Length", str(len(data) - first))
        request.end_headers()
        with contextlib.suppress(ConnectionError):  # a stopped download hangs up
            request.wfile.write(data[first : self.cut])

    def url(self, prefix):
        return f"http://127.0.0.1:{self.http.server_port}/vgg19-{prefix}.pth"


@pytest.fixture
def server(published):
    serving = Server(published[0])
    yield serving
    serving.http.shutdown()
    serving.http.server_close()


def files(folder):
    return sorted(path.name for path in (folder / "weights").iterdir())


def test_download_is_shown_checked_and_kept(tmp_path, server, published):
    seen = []
    path = fetch(tmp_path, lambda *at: seen.append(at), url=server.url(published[1]))
    assert seen[-1] == (len(server.data), len(server.data)) and seen == sorted(seen)
    assert weights.torchvision_file(tmp_path) == path
    assert files(tmp_path) == [
        "download.lock", "torchvision.safetensors", "torchvision.sha256",
    ]  # fmt: skip
    assert weights.load(path)


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_download_resumes(tmp_path, server, published, ranges):
    server.cut, server.ranges = 3_000_000, ranges
    with pytest.raises(DownloadFailed, match="ended after 2 of"):
        fetch(tmp_path, url=server.url(published[1]))
    assert files(tmp_path) == ["download.lock", "download.part"]
    server.cut = None
    assert weights.load(fetch(tmp_path, url=server.url(published[1])))
    assert server.requests == [None, "bytes=3000000-"]


def test_download_that_was_complete_but_not_unpacked_is_not_repeated(tmp_path, server, published):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "download.part").write_bytes(server.data)
    assert weights.load(fetch(tmp_path, url=server.url(published[1])))


def test_stopped_download_keeps_its_part(tmp_path, server, published):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, interrupt, url=server.url(published[1]))
    assert files(tmp_path) == ["download.lock", "download.part"]


def test_page_of_a_proxy_is_not_taken_for_weights(tmp_path, server, published):
    server.answer = b"<html>Please log in</html>"
    with pytest.raises(WeightsBad, match="hash") as caught:
        fetch(tmp_path, url=server.url(published[1]))
    assert "proxy" in caught.value.next_step
    assert files(tmp_path) == ["download.lock"]


def test_no_network_is_said_quickly(tmp_path):
    with pytest.raises(DownloadFailed) as caught:
        fetch(tmp_path, url="http://127.0.0.1:1/vgg19-dcbb9e9d.pth")
    assert "resumes" in caught.value.next_step


def test_second_download_at_once_is_refused(tmp_path, server, published):
    (tmp_path / "weights").mkdir()
    with (tmp_path / "weights" / "download.lock").open("ab") as lock:
        assert lock_file(lock)
        with pytest.raises(DownloadFailed, match="already"):
            fetch(tmp_path, url=server.url(published[1]))


def test_full_disk_is_noticed_before_the_download(tmp_path, server, published, monkeypatch):
    from impasto_protocol.errors import DiskFull

    monkeypatch.setattr("shutil.disk_usage", lambda path: _Usage)
    with pytest.raises(DiskFull, match="MiB"):
        fetch(tmp_path, url=server.url(published[1]))


class _Usage:
    free = 1000


@pytest.mark.weights
def test_real_weights_are_accepted(weights_file):
    assert len(weights.load(weights_file)) == 32


def test_download_of_another_network_keeps_what_is_used_of_it(tmp_path):
    made = {name: torch.full(shape, 0.01) for name, shape in tensor_shapes("googlenet").items()}
    path = tmp_path / "published.pth"
    torch.save({**made, "conv1.bn.num_batches_tracked": torch.tensor(1), "fc.bias": torch.zeros(9)},
               path)  # fmt: skip
    prefix = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    kept = weights.convert(path, tmp_path, prefix, "googlenet")
    assert weights.load(kept, "googlenet").keys() == made.keys()
    with pytest.raises(WeightsBad, match="ResNet-50"):
        weights.convert(path, tmp_path, prefix, "resnet50")
