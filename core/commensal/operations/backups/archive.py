"""The one file that holds an instance: written under another name, read with distrust.

Zip and not tar: a reader takes the manifest first wherever it stands, links have no standing, and no header is large.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from stat import S_ISLNK
from typing import IO, Self

from ...base.errors import SettingsError, StoreError
from .manifest import Kept, Manifest

MANIFEST = "manifest.json"
SETTINGS = "instance.toml"
IMAGES = "images/"
_LARGEST_MANIFEST = 64 * 1024**2  # bytes; a hundred for each image
_CHUNK = 1024**2


class Writing:
    """An archive that is being written. What is added is hashed on its way."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed
        self._files: dict[str, Kept] = {}

    @contextmanager
    def file(self, name: str, *, stored: bool = False) -> Iterator[_Hashing]:
        """Opens a new file of the archive. `stored`: it is compressed already."""
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o600 << 16
        entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        with self._packed.open(entry, "w", force_zip64=True) as out:
            hashing = _Hashing(out)
            yield hashing
        self._files[name] = Kept(hashing.size, hashing.sha256.hexdigest())

    def add(self, name: str, content: bytes) -> None:
        with self.file(name) as out:
            out.write(content)

    def copy(self, name: str, source: Path, *, stored: bool = False) -> None:
        with source.open("rb") as content, self.file(name, stored=stored) as out:
            while part := content.read(_CHUNK):
                out.write(part)

    def add_images(self, folder: Path) -> None:
        """Images never change, so that whatever is there is whole; unfinished ones begin with a dot."""
        for one in sorted(folder.glob("*.webp")):
            if one.is_file() and not one.name.startswith("."):
                self.copy(IMAGES + one.name, one, stored=True)

    def finish(self, manifest: Manifest) -> Manifest:
        whole = replace(manifest, files=self._files)
        self._packed.writestr(MANIFEST, whole.written())
        return whole


class _Hashing:
    def __init__(self, out: IO[bytes]) -> None:
        self._out, self.size, self.sha256 = out, 0, hashlib.sha256()

    def write(self, part: bytes) -> None:
        self._out.write(part)
        self.sha256.update(part)
        self.size += len(part)


@contextmanager
def writing(file: Path) -> Iterator[Writing]:
    """A new archive in `file`, its owner's alone, on the disk when this is left without an error."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with zipfile.ZipFile(out, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
            yield Writing(packed)
        out.flush()
        os.fsync(out.fileno())


def name_finished(unfinished: Path, file: Path) -> None:
    """Gives a finished file its name. Raises `SettingsError` where there is one already: nothing is overwritten."""
    try:
        os.link(unfinished, file)  # unlike a rename, this refuses a name that is taken
        unfinished.unlink()
    except FileExistsError:
        raise SettingsError("{file} exists already; nothing was changed.", file=file) from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        unfinished.rename(file)  # a disk without hard links, like those that are carried away
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Names in `folder` survive a power cut from here on."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Archive:
    """An archive that is being read. Only what its manifest names comes out, in the size that it names."""

    def __init__(self, file: Path, packed: zipfile.ZipFile) -> None:
        self.path, self._packed = file, packed
        entries = packed.infolist()
        names = [one.filename for one in entries]
        if len(set(names)) != len(names):
            raise StoreError("{file} holds a file twice; it was not written by Commensal.", file=file)
        self._entries = dict(zip(names, entries, strict=True))
        for entry in entries:
            _refuse(file, entry)
        if MANIFEST not in self._entries:
            raise StoreError("{file} has no {name}; it is no archive of Commensal.", file=file, name=MANIFEST)
        if self._entries[MANIFEST].file_size > _LARGEST_MANIFEST:
            raise StoreError("The manifest of {file} is too large.", file=file)
        self.manifest = Manifest.read(packed.read(MANIFEST))
        self._compare_names()

    @classmethod
    @contextmanager
    def open(cls, file: Path) -> Iterator[Self]:
        """Raises `StoreError` for what is no archive, is cut off, or names files that cannot be one's own."""
        if not file.is_file():
            raise StoreError("There is no {file}.", file=file)
        with ExitStack() as stack:
            with _damage(file):
                archive = cls(file, stack.enter_context(zipfile.ZipFile(file)))
            yield archive

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        if name not in self.manifest.files:
            raise StoreError("{file} has no {name}.", file=self.path, name=name)
        with _damage(self.path), self._packed.open(name) as content:
            yield content

    def check(self) -> None:
        """Reads every file and compares it with its hash. Raises `StoreError`."""
        for name in self.manifest.files:
            for _ in self._parts(name):
                pass

    def extract(self, name: str, target: Path) -> None:
        """Writes one file, its owner's alone, to the disk. Raises `StoreError` where it is not what was written."""
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            for part in self._parts(name):
                out.write(part)
            out.flush()
            os.fsync(out.fileno())

    def extract_images(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name in self.manifest.files:
            if name.startswith(IMAGES):
                self.extract(name, folder / name.removeprefix(IMAGES))

    def refuse_too_large(self, folder: Path) -> None:
        """Raises `StoreError` where the disk of `folder` has no room for all that is in the archive."""
        needed, free = sum(one.size for one in self.manifest.files.values()), shutil.disk_usage(folder).free
        if needed > free * 9 // 10:
            text = "{file} unpacks to {needed:,} bytes, and {folder} has room for {free:,}."
            raise StoreError(text, file=self.path, needed=needed, folder=folder, free=free)

    def _parts(self, name: str) -> Iterator[bytes]:
        wanted, seen, sha256 = self.manifest.files[name], 0, hashlib.sha256()
        with self.file(name) as content:
            while part := content.read(_CHUNK):
                seen += len(part)
                if seen > wanted.size:
                    break
                sha256.update(part)
                yield part
        if (seen, sha256.hexdigest()) != (wanted.size, wanted.sha256):
            text = "{name} in {file} is not what was written; the archive is damaged."
            raise StoreError(text, name=name, file=self.path)

    def _compare_names(self) -> None:
        there, named = set(self._entries) - {MANIFEST}, set(self.manifest.files)
        if odd := sorted(there ^ named):
            text = "{file} and its manifest differ about {name!r}; the archive is damaged."
            raise StoreError(text, file=self.path, name=odd[0])
        for name, one in self.manifest.files.items():
            if self._entries[name].file_size != one.size:
                text = "{name} in {file} has another size than its manifest says."
                raise StoreError(text, name=name, file=self.path)


@contextmanager
def _damage(file: Path) -> Iterator[None]:
    """Says in our words what the reader of zip files finds wrong."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        text = "{file} is damaged, or no archive of Commensal: {error}"
        raise StoreError(text, file=file, error=error) from error


def _refuse(file: Path, entry: zipfile.ZipInfo) -> None:
    """Names of ours have at most one folder. What leaves it, or is a link, was made to do harm.

    So may be what is packed otherwise than ours: some ways take as much memory as the packer wished.
    """
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise StoreError("{file} is packed in a way that Commensal does not use; nothing was unpacked.", file=file)
    parts = entry.filename.split("/")
    safe = all(part and not part.startswith(".") and part.isprintable() and "\\" not in part for part in parts)
    if not safe or len(parts) > 2 or len(entry.filename) > 255 or S_ISLNK(entry.external_attr >> 16):
        text = "{file} holds {name!r}, which is no file of an instance; nothing was unpacked."
        raise StoreError(text, file=file, name=entry.filename)
