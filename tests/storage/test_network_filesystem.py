from pathlib import Path

import pytest

from rstar_async.errors import BadInput
from storage.network_filesystem import filesystem_of, refuse_network_filesystem

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /home rw,relatime shared:20 - nfs4 server:/export/home rw,vers=4.2
41 40 0:41 / /home/scratch\040disk rw - xfs /dev/sdb1 rw
42 22 0:42 / /work rw - lustre 10.0.0.1@tcp:/work rw
43 42 0:43 / /work rw - ext4 /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/tmp/rstar.db", "ext4"),
        ("/home/ann/runs/demo/rstar.db", "nfs4"),
        ("/homeless/rstar.db", "ext4"),
        ("/home/scratch disk/rstar.db", "xfs"),
        ("/work/rstar.db", "ext4"),
    ],
)
def test_a_file_is_on_the_deepest_and_latest_mount_above_it(file: str, kind: str) -> None:
    assert filesystem_of(Path(file), MOUNTS) == kind


@pytest.mark.parametrize("location", ["/home/ann/rstar.db", "sqlite:////home/ann/rstar.db"])
def test_sqlite_on_a_network_file_system_is_refused_with_what_to_do(location: str) -> None:
    with pytest.raises(BadInput, match=r"^the store /home/ann/rstar.db .*nfs4.*postgresql://"):
        refuse_network_filesystem(location, MOUNTS)


@pytest.mark.parametrize("location", ["/tmp/rstar.db", "postgresql://db/home"])
def test_a_local_file_and_a_server_are_not_refused(location: str) -> None:
    refuse_network_filesystem(location, MOUNTS)


def test_where_nothing_is_known_of_mounts_nothing_is_refused() -> None:
    refuse_network_filesystem("/home/ann/rstar.db", "")
