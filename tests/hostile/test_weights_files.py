"""Weights that are not what they seem, and networks that fail half-way: what is kept, what said."""

import contextlib
import errno
import hashlib
import http.server
import ssl
import threading

import pytest
import torch

from impasto_daemon.engine.convolutions import CONVOLUTIONS
from impasto_daemon.weights import download
from impasto_daemon.weights import store as weights
from impasto_daemon.weights.download import fetch
from impasto_protocol.errors import DiskFull, DownloadFailed, WeightsBad


@pytest.fixture(scope="module")
def tensors():
    return {name: torch.full(shape, 0.01).half() for name, shape in CONVOLUTIONS.items()}


@pytest.fixture(scope="module")
def published(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("published") / "vgg19.pth"
    torch.save(tensors, path)
    return path.read_bytes()


@pytest.fixture
def server(published):
    """Serves what its `answer` holds, from where it is asked to, as its `kind`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests += 1
            wanted = self.headers.get("Range", "bytes=0-")
            first = int(wanted[6:-1]) if self.server.kind.startswith("application/") else 0
            self.send_response(206 if first else 200)
            self.send_header("Content-Type", self.server.kind)
            self.send_header("Content-Length", str(len(self.server.answer) - first))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(self.server.answer[first : self.server.cut])

        def log_message(self, *_):
            pass

    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.answer, serving.kind, serving.cut = published, "application/octet-stream", None
    serving.requests = 0
    serving.prefix = hashlib.sha256(published).hexdigest()[:8]
    serving.url = f"http://127.0.0.1:{serving.server_port}/vgg19-{serving.prefix}.pth"
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield serving
    serving.shutdown()
    serving.server_close()


def part(data_dir):
    return data_dir / "weights" / "download.part"


def test_login_page_in_the_middle_keeps_what_was_downloaded(tmp_path, server, published):
    server.cut = 20_000_000
    with pytest.raises(DownloadFailed):
        fetch(tmp_path, url=server.url)
    server.answer, server.kind, server.cut = b"<html>Please log in</html>", "text/html", None
    with pytest.raises(DownloadFailed, match="web page"):
        fetch(tmp_path, url=server.url)
    assert part(tmp_path).read_bytes() == published[:20_000_000]
    server.answer, server.kind = published, "application/octet-stream"
    assert weights.load(fetch(tmp_path, url=server.url))
    assert not part(tmp_path).exists()


def test_disk_that_fills_up_while_unpacking_keeps_the_download(tmp_path, server, monkeypatch):
    def full(*_):
        raise DiskFull("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(weights, "write_file", full)
        with pytest.raises(DiskFull):
            fetch(tmp_path, url=server.url)
    assert part(tmp_path).stat().st_size == len(server.answer)


@pytest.mark.parametrize(
    "fault",
    [ssl.SSLError(1, "bad record mac"), OSError(errno.EHOSTUNREACH, "No route to host")],
    ids=["tls", "no route"],
)
def test_lost_network_is_not_called_a_full_disk(tmp_path, server, monkeypatch, fault):
    urlopen = download.urllib.request.urlopen

    def breaking(*args, **options):
        response = urlopen(*args, **options)
        read, left = response.read, iter([1])

        def piece(size):
            if next(left, 0):
                return read(size)
            response.close()
            raise fault

        response.read = piece
        return response

    monkeypatch.setattr(download.urllib.request, "urlopen", breaking)
    with pytest.raises(DownloadFailed):
        fetch(tmp_path, url=server.url)
    assert part(tmp_path).stat().st_size > 0


def test_address_without_a_hash_is_refused_before_the_download(tmp_path, server):
    with pytest.raises(WeightsBad):
        fetch(tmp_path, url=server.url.replace(f"-{server.prefix}", ""))
    assert server.requests == 0


@pytest.mark.parametrize("what", ["list", "no tensor", "float64", "undefined number", "no pickle"])
def test_right_hash_of_wrong_content_is_refused(tmp_path, tensors, what):
    path = tmp_path / "vgg19.pth"
    first = "features.0.bias"
    content = {
        "list": [1, 2],
        "no tensor": {**tensors, first: [1]},
        "float64": {**tensors, first: torch.zeros(64, dtype=torch.float64)},
        "undefined number": {**tensors, first: torch.full((64,), torch.nan)},
    }
    if what == "no pickle":
        path.write_bytes(b"<html>")
    else:
        torch.save(content[what], path)
    prefix = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    with pytest.raises(WeightsBad):
        weights.convert(path, tmp_path / "data", prefix)
    assert not (tmp_path / "data").exists()


def test_endless_header_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    header = b'{"__metadata__":{' + b",".join(b'"%d":""' % i for i in range(10_000)) + b"}}"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    monkeypatch.setattr("safetensors.torch.load", lambda _: pytest.fail("it was parsed"))
    with pytest.raises(WeightsBad):
        weights.load(path)
