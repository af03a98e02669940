"""Every error that ConvScope raises on purpose.

    ConvScopeError
     ├─ Crowded                   as many visitors are here as there may be
     ├─ LinkError                 part of a link that says nothing known
     ├─ DataError                 digits or lessons on disk are missing or damaged
     ├─ InkError                  a drawing or picture that cannot become a digit
     │   ├─ NoInk                 nothing is drawn
     │   ├─ PictureTooLarge       more bytes or pixels than the stated limit
     │   └─ UnreadablePicture     not a picture, or a broken one
     ├─ NetworkError
     │   ├─ UnknownNetwork
     │   ├─ UnknownStep
     │   ├─ UnknownLayer
     │   ├─ BadLesion             units that cannot be switched off
     │   ├─ BadDesign             a network of one's own that cannot be
     │   ├─ BadUpload             a file that cannot become a network here
     │   ├─ NoTestImages          nothing labelled to test the network with
     │   └─ WrongInput            a digit that does not fit the network
     ├─ TrainingError
     │   ├─ BadConfig             a training that cannot be
     │   ├─ UnknownRun
     │   └─ RunError              a run on disk is damaged, or cannot be written
     │       └─ RunLost           who trained it ended before it was done
     ├─ ProbeError
     │   ├─ UnsupportedLayer      a layer whose arithmetic is not known here
     │   ├─ NoSuchUnit            an index outside a layer's output
     │   ├─ BadOperation          a single operation that cannot be
     │   └─ NothingToExplain      no ink, or no such class
     └─ LabError
         ├─ LabDown               no worker can be started
         ├─ TimeLimit             the answer took longer than allowed
         ├─ Cancelled             somebody asked for it to stop
         ├─ WorkerLost            the process ended while it worked
         └─ WorkFailed            the work itself raised; carries its text only

A message says what is wrong, what was expected, what was received and what to do. Pages show it as
it stands. Anything outside this tree is a bug and stays loud.
"""


class ConvScopeError(Exception):
    """Root of the tree: a sentence that may be shown to a person."""


class Crowded(ConvScopeError):
    """As many visitors are here as there may be."""


class LinkError(ConvScopeError):
    """Part of a link that says nothing known."""


class DataError(ConvScopeError):
    """Digits or lessons on disk are missing or damaged."""


class InkError(ConvScopeError):
    """A drawing or picture that cannot become a digit."""


class NoInk(InkError):
    """Nothing is drawn."""


class PictureTooLarge(InkError):
    """More bytes or pixels than the stated limit."""


class UnreadablePicture(InkError):
    """Not a picture, or a broken one."""


class NetworkError(ConvScopeError):
    """A network, one of its moments or its layers cannot be had."""


class UnknownNetwork(NetworkError):
    """No network of that name."""


class UnknownStep(NetworkError):
    """The network's film has no frame at that step."""


class UnknownLayer(NetworkError):
    """The network has no layer of that name."""


class BadLesion(NetworkError):
    """Units that cannot be switched off."""


class BadDesign(NetworkError):
    """A network of one's own that cannot be."""


class BadUpload(NetworkError):
    """A file from outside that cannot become a network here; says why."""


class NoTestImages(NetworkError):
    """There are no labelled images of the kind that the network was trained on."""


class WrongInput(NetworkError):
    """A digit that does not fit the network's input."""


class TrainingError(ConvScopeError):
    """A training, or what is kept of one, is not to be had."""


class BadConfig(TrainingError):
    """A training that cannot be."""


class UnknownRun(TrainingError):
    """No run of that name."""


class RunError(TrainingError):
    """A run on disk is damaged, or cannot be written."""


class RunLost(RunError):
    """Who trained a run ended before it was done."""


class ProbeError(ConvScopeError):
    """A question about a unit that has no answer."""


class UnsupportedLayer(ProbeError):
    """A layer whose arithmetic is not known here."""


class NoSuchUnit(ProbeError):
    """An index outside a layer's output."""


class BadOperation(ProbeError):
    """A single operation that cannot be."""


class NothingToExplain(ProbeError):
    """An answer that has no reasons to show: no ink, or no such class."""


class LabError(ConvScopeError):
    """The lab gave no answer."""


class LabDown(LabError):
    """No worker can be started."""


class TimeLimit(LabError):
    """The answer took longer than allowed."""


class Cancelled(LabError):
    """Somebody asked for it to stop."""


class WorkerLost(LabError):
    """The process ended while it worked."""


class WorkFailed(LabError):
    """The work itself raised. Carries the text of the error, never the error.

    Parameters
    ----------
    message : one sentence.
    details : the traceback in the worker, as text.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message, details)
        self.details = details

    def __str__(self) -> str:
        return str(self.args[0])
