"""A ``.keras`` file from outside, checked and described without building any of it.

    bytes ── archive: three members, their size measured
          ── configuration: config.json against the allow-lists in settings and shapes
          ─> Upload: our own graph, and weights that nobody has opened

The weights are read in a throwaway process, `lab.quarantine`. Needs neither Keras nor HDF5.
"""

from dataclasses import dataclass
from typing import Any

from cnn_core.errors import BadUpload
from cnn_core.networks.upload.archive import MOST_BYTES, read_archive
from cnn_core.networks.upload.configuration import Configured, read_configuration

__all__ = ["MOST_BYTES", "Upload", "read_upload"]


@dataclass(frozen=True)
class Upload:
    """A checked file.

    Attributes
    ----------
    described : its network, in our own words.
    weights : its HDF5 file, unopened.
    """

    described: Configured
    weights: bytes


def read_upload(content: bytes) -> Upload:
    """The network in a ``.keras`` file, as far as it can be told without opening its weights.

    Parameters
    ----------
    content : the file's bytes, up to 64 MB.

    Raises
    ------
    BadUpload : why it is not accepted.
    """
    archive = read_archive(content)
    _check_version(archive.metadata)
    return Upload(read_configuration(archive.config), archive.weights)


def _check_version(metadata: Any) -> None:
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not version.startswith("3."):
        raise BadUpload(
            f"The file was saved by Keras {str(version)[:20]}. Files of Keras 3 are read: load "
            "the model there and save it once more."
        )
