"""Two arms with names of their own, in the words of a command line."""

ARMS = (
    "study.arms={he: {model.activation: relu, model.init: he}, glorot: {model.activation: sigmoid, model.init: xavier}}"
)
