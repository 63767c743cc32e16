"""jobflow's store over a study's SQLite file, without the walks over documents that are plain already.

jobflow reads a document three times to resolve a reference to it, looks through it for references in it, and decodes
it anew for every job that takes it. Here each is read once for all jobs of a process; what a job is given is a copy of
its own.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import Any

from jobflow import JobStore
from jobflow.core.reference import OnMissing
from jobflow.core.schemas import JobStoreDocument
from monty.json import MontyDecoder, jsanitize

from .sqlite_documents import Row, may_hold
from .sqlite_store import SqliteStore

# Outputs that are kept decoded: as many as the jobs of one stage take in common.
_KEPT = 32


class StudyStore(JobStore):
    """A `JobStore` whose documents lie in a `SqliteStore` and in no other.

    Parameters
    ----------
    docs_store
        The file.
    """

    def __init__(self, docs_store: SqliteStore) -> None:
        super().__init__(docs_store)
        self._file = docs_store
        self._decoded: OrderedDict[Row, bytes] = OrderedDict()

    def get_output(
        self,
        uuid: str,
        which: str | int = "last",
        load: Any = False,
        cache: Any = None,
        on_missing: OnMissing = OnMissing.ERROR,
    ) -> Any:
        """The last output of a job, decoded; of others, and of those that hold references, what jobflow gives."""
        row = self._file.last_row(uuid) if which == "last" else None
        if row is None or may_hold(row, "OutputReference"):
            return super().get_output(uuid, which, load, cache, on_missing)
        if row not in self._decoded:
            output = self._file.decoded(row)["output"]
            try:
                output_object = MontyDecoder().process_decoded(output)
            except Exception:  # jobflow decodes it again, and says what fails
                return output
            self._decoded[row] = pickle.dumps(output_object, pickle.HIGHEST_PROTOCOL)
            if len(self._decoded) > _KEPT:
                self._decoded.popitem(last=False)
        return pickle.loads(self._decoded[row])

    def update(self, docs: Any, key: Any = None, save: Any = None) -> None:
        """Write documents; the output of a job has been made plain by jobflow's `Job.run`."""
        if not isinstance(docs, JobStoreDocument) or save:
            super().update(docs, key, save)
            return
        plain = jsanitize(docs.model_copy(update={"output": None}), strict=True)
        self._file.update({**plain, "output": docs.output})
