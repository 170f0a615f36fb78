"""The state machines of ticket and window as tables; `evolve` moves through them and the diagrams are drawn from them."""

from queue_server.wire.common import TicketState, WindowState

T = TicketState
W = WindowState

TICKET_TRANSITIONS: dict[TicketState, dict[str, TicketState]] = {
    T.WAITING: {
        "TicketCalled": T.CALLED,
        "TicketRestored": T.CALLED,
        "TicketDelayed": T.WAITING,
        "TicketCancelled": T.CANCELLED,
        "TicketUncalled": T.UNCALLED,
        "NoShowUndone": T.CALLED,
        "FinishUndone": T.SERVING,
    },
    T.CALLED: {
        "TicketRecalled": T.CALLED,
        "CitizenArrived": T.SERVING,
        "TicketRequeued": T.WAITING,
        "TicketPassed": T.PASSED,
        "TicketVoided": T.VOID,
        "TicketTransferred": T.WAITING,
        "TicketParked": T.PARKED,
        "TicketCancelled": T.CANCELLED,
    },
    T.SERVING: {
        "ServiceFinished": T.DONE,
        "StopFinished": T.WAITING,
        "TicketTransferred": T.WAITING,
        "TicketParked": T.PARKED,
    },
    T.PARKED: {"TicketUnparked": T.SERVING, "TicketCancelled": T.CANCELLED, "TicketUncalled": T.UNCALLED},
    T.PASSED: {
        "TicketRestored": T.CALLED,
        "TicketReactivated": T.WAITING,
        "TicketCancelled": T.CANCELLED,
        "NoShowUndone": T.CALLED,
    },
    T.VOID: {"NoShowUndone": T.CALLED},
    T.DONE: {"FinishUndone": T.SERVING},
    T.CANCELLED: {},
    T.UNCALLED: {},
}

WINDOW_TRANSITIONS: dict[WindowState, dict[str, WindowState]] = {
    W.CLOSED: {"WindowOpened": W.IDLE},
    W.IDLE: {
        "WindowPaused": W.PAUSED,
        "WindowClosed": W.CLOSED,
        "TicketCalled": W.CALLED,
        "TicketRestored": W.CALLED,
        "TicketUnparked": W.SERVING,
        "DirectServiceStarted": W.SERVING,
        "FinishUndone": W.SERVING,
        "NoShowUndone": W.CALLED,
    },
    W.CALLED: {
        "CitizenArrived": W.SERVING,
        "TicketRequeued": W.IDLE,
        "TicketPassed": W.IDLE,
        "TicketVoided": W.IDLE,
        "TicketTransferred": W.IDLE,
        "TicketParked": W.IDLE,
        "TicketCancelled": W.IDLE,
    },
    W.SERVING: {
        "ServiceFinished": W.IDLE,
        "StopFinished": W.IDLE,
        "TicketTransferred": W.IDLE,
        "TicketParked": W.IDLE,
    },
    W.PAUSED: {"WindowResumed": W.IDLE, "WindowClosed": W.CLOSED},
}

OVER = frozenset({T.DONE, T.CANCELLED, T.VOID, T.UNCALLED})
