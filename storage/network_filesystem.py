"""Refuses a SQLite file on a network file system.

SQLite shares its write-ahead log through memory, which processes of different machines do not have
in common, and relies on locks that network file systems keep only more or less: such a store is
damaged sooner or later.
"""

from pathlib import Path

from rstar_async.errors import BadInput

# As /proc/self/mountinfo names them; those of FUSE with what is behind the dot.
NETWORK = frozenset({
    "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "wekafs",
    "fuse.beegfs", "fuse.ceph", "fuse.glusterfs", "fuse.juicefs", "fuse.s3fs", "fuse.sshfs",
})  # fmt: skip
MOUNTS = Path("/proc/self/mountinfo")


def refuse_network_filesystem(location: str, mounts: str | None = None) -> None:
    """`BadInput` for a SQLite store that is, or would be, on one; `mounts` as in `MOUNTS`."""
    scheme, separator, path = location.partition("://")
    if separator and scheme != "sqlite":
        return
    file = Path(path.removeprefix("/") if separator else location).expanduser().resolve()
    kind = filesystem_of(file, mounts if mounts is not None else _mounts())
    if kind in NETWORK:
        raise BadInput(
            f"the store {file} would be on a network file system ({kind}), where SQLite loses "
            "data: give --database postgresql://…, or a file on a local disk of the machine that "
            "runs coordinator and trainer (docs/clusters.md)"
        )


def filesystem_of(file: Path, mounts: str) -> str:
    """The type of the file system that `file` is on, "" if it is not known. Pure."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, types = before.split(), after.split()
        if len(fields) < 5 or not types:
            continue
        place = _decoded(fields[4])
        # Of two mounts at one place, the later one hides the earlier.
        if file.is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), types[0]
    return kind


def _decoded(text: str) -> Path:
    """The kernel writes blanks and backslashes as octal numbers."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return Path(text)


def _mounts() -> str:
    try:
        return MOUNTS.read_text(errors="surrogateescape")
    except OSError:  # not Linux
        return ""
