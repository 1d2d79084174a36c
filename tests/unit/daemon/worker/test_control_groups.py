"""What a container or a batch system lets a process use."""

import pytest

from impasto_daemon.worker import control_groups, memory


@pytest.fixture
def group(tmp_path):
    """group(line of /proc/self/cgroup, {file: content}): where both are."""

    def make(line, files):
        own = tmp_path / "own"
        own.write_text(f"9:name=systemd:/\n{line}\n")
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        return tmp_path, own

    return make


@pytest.mark.parametrize(("line", "files", "cores"), [
    ("0::/", {"cpu.max": "100000 100000\n"}, 1.0),
    ("0::/", {"cpu.max": "max 100000\n"}, 0.0),
    ("0::/a/b", {"a/cpu.max": "150000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1.5),
    ("0::/a/b", {"a/cpu.max": "150000 100000\n", "a/b/cpu.max": "50000 100000\n"}, 0.5),
    ("4:cpu,cpuacct:/a", {"cpu,cpuacct/a/cpu.cfs_quota_us": "200000\n",
                          "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"}, 2.0),
    ("4:cpu:/a", {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 0.0),
    ("4:cpu:/a", {}, 0.0),
])  # fmt: skip
def test_quota_of_a_container_is_read(group, line, files, cores):
    assert control_groups.cores(*group(line, files)) == cores


def test_without_control_groups_there_is_no_limit(tmp_path):
    places = tmp_path, tmp_path / "none"
    assert control_groups.cores(*places) == 0.0 and control_groups.free_bytes(*places) is None


def in_2(name, limit, used, inactive=0):
    return {
        f"{name}memory.max": f"{limit}\n", f"{name}memory.current": f"{used}\n",
        f"{name}memory.stat": f"anon 1\ninactive_file {inactive}\nactive_file 7\n",
    }  # fmt: skip


def in_1(name, limit, used, inactive=0):
    return {
        f"memory/{name}memory.limit_in_bytes": f"{limit}\n",
        f"memory/{name}memory.usage_in_bytes": f"{used}\n",
        f"memory/{name}memory.stat": f"inactive_file 5\ntotal_inactive_file {inactive}\n",
    }


@pytest.mark.parametrize(("line", "files", "free"), [
    ("0::/", in_2("", 900, 300), 600),
    ("0::/", in_2("", 900, 300, 100), 700),
    ("0::/", in_2("", 900, 1000), 0),
    ("0::/", in_2("", "max", 300), None),
    ("0::/a/b", in_2("a/", 900, 300) | in_2("a/b/", "max", 200), 600),
    ("0::/a/b", in_2("a/", 900, 800) | in_2("a/b/", 500, 200), 100),
    ("4:memory:/a", in_1("a/", 900, 300, 50) | in_1("", 2**63 - 4096, 5000), 650),
    ("4:memory:/gone", in_1("", 2**63 - 4096, 5000), None),
    ("4:memory:/gone", in_1("", 800, 500), 300),
    ("4:memory:/a", {}, None),
])  # fmt: skip
def test_memory_of_a_container_is_read(group, line, files, free):
    assert control_groups.free_bytes(*group(line, files)) == free


def test_job_takes_no_more_than_a_container_leaves(monkeypatch):
    monkeypatch.setattr(control_groups, "free_bytes", lambda: 1000 << 20)
    assert memory.free_mib() == memory.rounded_mib(700)
