"""Orders for the work under way in this worker, on their way from its connection."""

import queue

from cnn_core.training.control import Order

ORDERS: "queue.SimpleQueue[Order]" = queue.SimpleQueue()
