"""The archive file of an instance: written under a temporary name, and read as untrusted input.

Zip rather than tar, because the manifest can be read first, links are not followed, and headers are small.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from stat import S_ISLNK
from typing import IO, Self

from ...base.errors import SettingsError, StoreError
from ...instance.backup_key import FILE as KEY
from ...instance.backup_key import is_proven, prove
from ..setup.named_files import name_new_file, open_file_of_caller
from .manifest import FileEntry, Manifest
from .upkeep.upkeep import is_backup, made_at

MANIFEST = "manifest.json"
SETTINGS = "instance.toml"
IMAGES = "images/"
_LARGEST_MANIFEST = 64 * 1024**2  # bytes; an image takes about a hundred
_CHUNK = 1024**2
_RENAMED = timedelta(hours=1)  # between a backup's name and its manifest: several in one second are named later


class ArchiveWriter:
    """Writes an archive, and hashes every file on the way."""

    def __init__(self, zip_file: zipfile.ZipFile) -> None:
        self._packed = zip_file
        self._files: dict[str, FileEntry] = {}

    @contextmanager
    def file(self, name: str, *, stored: bool = False) -> Iterator[_HashingWriter]:
        """Opens a new file of the archive. `stored`: do not compress it, because it is compressed already."""
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o600 << 16
        entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        with self._packed.open(entry, "w", force_zip64=True) as out:
            writer = _HashingWriter(out)
            yield writer
        self._files[name] = FileEntry(writer.size, writer.sha256.hexdigest())

    def add(self, name: str, content: bytes) -> None:
        with self.file(name) as out:
            out.write(content)

    def copy(self, name: str, source: Path, *, stored: bool = False) -> None:
        with source.open("rb") as content, self.file(name, stored=stored) as out:
            while chunk := content.read(_CHUNK):
                out.write(chunk)

    def add_images(self, folder: Path) -> None:
        """Adds all finished images. Images never change, and the names of unfinished ones begin with a dot."""
        for image in sorted(folder.glob("*.webp")):
            if image.is_file() and not image.name.startswith("."):
                self.copy(IMAGES + image.name, image, stored=True)

    def finish(self, manifest: Manifest, key: Path | None = None) -> Manifest:
        """`key`: the file of the instance's key, which proves that the archive is its own."""
        complete = replace(manifest, files=self._files)
        encoded = complete.encode()
        self._packed.writestr(MANIFEST, encoded)
        if key is not None:
            self._packed.comment = prove(encoded, key)
        return complete


class _HashingWriter:
    def __init__(self, out: IO[bytes]) -> None:
        self._out, self.size, self.sha256 = out, 0, hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        self._out.write(chunk)
        self.sha256.update(chunk)
        self.size += len(chunk)


@contextmanager
def new_archive(file: Path) -> Iterator[ArchiveWriter]:
    """A writer of a new archive `file` (mode 0600), which is synced to the disk at the end of the block."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with archive_in(out) as writer:
            yield writer
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def archive_in(out: IO[bytes]) -> Iterator[ArchiveWriter]:
    """A writer of a new archive in an empty file."""
    with zipfile.ZipFile(out, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as zip_file:
        yield ArchiveWriter(zip_file)


def name_finished(unfinished: Path, file: Path) -> None:
    """Renames a finished file. Raises `SettingsError` if `file` exists, so that nothing is overwritten."""
    try:
        name_new_file(unfinished, file)
    except FileExistsError:
        raise exists_already(file) from None


def exists_already(file: Path) -> SettingsError:
    return SettingsError("{file} exists already; nothing was changed.", file=file)


class Archive:
    """Reads an archive. Only files in its manifest are extracted, and only up to their size there."""

    def __init__(self, file: Path, zip_file: zipfile.ZipFile) -> None:
        self.path, self._packed = file, zip_file
        entries = zip_file.infolist()
        names = [entry.filename for entry in entries]
        if len(set(names)) != len(names):
            raise StoreError("{file} holds a file twice; it was not written by Commensal.", file=file)
        self._entries = dict(zip(names, entries, strict=True))
        for entry in entries:
            _refuse(file, entry)
        if MANIFEST not in self._entries:
            raise StoreError("{file} has no {name}; it is not an archive of Commensal.", file=file, name=MANIFEST)
        if self._entries[MANIFEST].file_size > _LARGEST_MANIFEST:
            raise StoreError("The manifest of {file} is too large.", file=file)
        self._encoded = zip_file.read(MANIFEST)
        self.manifest = Manifest.read(self._encoded)
        self._compare_names()

    @classmethod
    @contextmanager
    def open(cls, file: Path) -> Iterator[Self]:
        """Raises `StoreError` for what is not an archive, is truncated, or contains files that no instance has."""
        try:
            stream = open_file_of_caller(file)
        except (FileNotFoundError, IsADirectoryError):
            raise StoreError("There is no {file}.", file=file) from None
        with stream, cls.read(file, stream) as archive:
            yield archive

    @classmethod
    @contextmanager
    def read(cls, file: Path, stream: IO[bytes]) -> Iterator[Self]:
        """The archive in a stream; `file` names it in errors, which are those of `open`."""
        with ExitStack() as stack:
            with _translate_errors(file):
                archive = cls(file, stack.enter_context(zipfile.ZipFile(stream)))
            yield archive

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        if name not in self.manifest.files:
            raise StoreError("{file} has no {name}.", file=self.path, name=name)
        with _translate_errors(self.path), self._packed.open(name) as content:
            yield content

    def refuse_unproven(self, keys: Sequence[Path]) -> None:
        """Raises `StoreError`, with what to do, unless one of the keys has proven this archive, which then bears the
        moment of its manifest where its name is one of a backup."""
        make, take = ("export", "import") if self.manifest.kind == "export" else ("backup", "restore")
        if not self._packed.comment:
            text = (
                "{file} does not prove whose it is: it was written by Commensal {version}, before archives did so, or "
                "somebody has changed it. Make a new one with `commensal {make}`. `commensal {take} --unproven` takes "
                "it; only if nobody else could write where it lay."
            )
            raise StoreError(text, file=self.path, version=self.manifest.commensal, make=make, take=take)
        if not any(is_proven(self._encoded, self._packed.comment, key) for key in keys):
            text = (
                "{file} is no {make} of {keys}: it is another instance's, or somebody has changed it. Name the key of "
                "the instance that made it: `commensal {take} --key keys/backups.key`. Is that key lost, `--unproven` "
                "takes it; only if nobody else could write where it lay."
            )
            raise StoreError(text, file=self.path, keys=", ".join(map(str, keys)) or KEY, make=make, take=take)
        if is_backup(self.path) and abs(made_at(self.path) - self.manifest.made_at) > _RENAMED:
            text = "{file} was made at {at:%Y-%m-%d %H:%M} UTC, and somebody has given it the name of another moment."
            raise StoreError(text, file=self.path, at=self.manifest.made_at)

    def check(self) -> None:
        """Reads every file and compares it with its hash. Raises `StoreError`."""
        for name in self.manifest.files:
            for _ in self._parts(name):
                pass

    def extract(self, name: str, target: Path) -> None:
        """Extracts one file to `target` (mode 0600), and syncs it. Raises `StoreError` if its hash is wrong."""
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            for chunk in self._parts(name):
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())

    def extract_images(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name in self.manifest.files:
            if name.startswith(IMAGES):
                self.extract(name, folder / name.removeprefix(IMAGES))

    def refuse_too_large(self, folder: Path) -> None:
        """Raises `StoreError` if the disk of `folder` has no room for the extracted files."""
        needed, free = sum(entry.size for entry in self.manifest.files.values()), shutil.disk_usage(folder).free
        if needed > free * 9 // 10:
            text = "{file} unpacks to {needed:,} bytes, and {folder} has room for {free:,}."
            raise StoreError(text, file=self.path, needed=needed, folder=folder, free=free)

    def _parts(self, name: str) -> Iterator[bytes]:
        expected, size, sha256 = self.manifest.files[name], 0, hashlib.sha256()
        with self.file(name) as content:
            while chunk := content.read(_CHUNK):
                size += len(chunk)
                if size > expected.size:
                    break
                sha256.update(chunk)
                yield chunk
        if (size, sha256.hexdigest()) != (expected.size, expected.sha256):
            text = "{name} in {file} is not what was written; the archive is damaged."
            raise StoreError(text, name=name, file=self.path)

    def _compare_names(self) -> None:
        archived, listed = set(self._entries) - {MANIFEST}, set(self.manifest.files)
        if differing := sorted(archived ^ listed):
            text = "{file} and its manifest differ about {name!r}; the archive is damaged."
            raise StoreError(text, file=self.path, name=differing[0])
        for name, entry in self.manifest.files.items():
            if self._entries[name].file_size != entry.size:
                text = "{name} in {file} has another size than its manifest says."
                raise StoreError(text, name=name, file=self.path)


@contextmanager
def _translate_errors(file: Path) -> Iterator[None]:
    """Turns the errors of zipfile and zlib into `StoreError`."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        text = "{file} is damaged, or no archive of Commensal: {error}"
        raise StoreError(text, file=file, error=error) from error


def _refuse(file: Path, entry: zipfile.ZipInfo) -> None:
    """Raises `StoreError` for an entry that Commensal never writes, because it may be an attack.

    Our entries have at most one folder, and are not links. Other compression methods may need any amount of memory.
    """
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise StoreError("{file} is packed in a way that Commensal does not use; nothing was unpacked.", file=file)
    parts = entry.filename.split("/")
    safe = all(part and not part.startswith(".") and part.isprintable() and "\\" not in part for part in parts)
    if not safe or len(parts) > 2 or len(entry.filename) > 255 or S_ISLNK(entry.external_attr >> 16):
        text = "{file} holds {name!r}, which is not a file of an instance; nothing was unpacked."
        raise StoreError(text, file=file, name=entry.filename)
