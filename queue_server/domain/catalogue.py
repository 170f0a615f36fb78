"""A configuration by name: look-ups that rules and views need in one step."""

from collections import defaultdict

from queue_server.domain.configuration import (
    KIOSK_PAGE,
    Bundle,
    Configuration,
    Department,
    Device,
    Domain,
    Matter,
    Priority,
    Window,
    Zone,
)
from queue_server.domain.errors import Rejected
from queue_server.domain.serving import Serving


class Catalogue:
    """Everything of a configuration by its id, and the mean minutes of a service in each queue."""

    __slots__ = (
        "__weakref__",
        "bundles",
        "departments",
        "device_names",
        "devices",
        "domains",
        "hall_typical_min",
        "matters",
        "policy",
        "priorities",
        "rating_pads",
        "typical",
        "windows",
        "zones",
    )

    def __init__(self, configuration: Configuration, serving: Serving) -> None:
        self.policy = configuration.policy
        self.matters: dict[str, Matter] = {each.id: each for each in configuration.matter}
        self.bundles: dict[str, Bundle] = {each.id: each for each in configuration.bundle}
        self.departments: dict[str, Department] = {each.id: each for each in configuration.department}
        self.domains: dict[str, Domain] = {each.id: each for each in configuration.domain}
        self.windows: dict[str, Window] = {each.id: each for each in configuration.window}
        self.zones: dict[str, Zone] = {each.id: each for each in configuration.zone}
        self.priorities: dict[str, Priority] = {each.id: each for each in configuration.priority}
        self.devices: dict[str, Device] = {each.id: each for each in configuration.device}
        # Chinese and English, "" where nobody gave one. A printer without a name of its own is known by the kiosk it stands in.
        kiosks = {each.printer: (each.name, each.name_en) for each in configuration.kiosk if each.printer}
        self.device_names: dict[str, tuple[str, str]] = {
            each.id: (each.name, each.name_en) if each.name else kiosks.get(each.id, ("", ""))
            for each in configuration.device
        }
        # A kiosk's page is looked after as a device of its own (RULES 89).
        self.device_names |= {f"{KIOSK_PAGE}{each.id}": (each.name, each.name_en) for each in configuration.kiosk}
        self.rating_pads: dict[str, list[str]] = defaultdict(list)
        for device in configuration.device:
            if device.kind == "rating_pad" and device.window:
                self.rating_pads[device.window].append(device.id)
        sums: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for matter in configuration.matter:
            weight = matter.share or 0.01
            queue = serving.queue_of([matter.id])
            minutes, weights = sums[queue]
            sums[queue] = (minutes + weight * matter.minutes, weights + weight)
        self.typical: dict[str, float] = {queue: total / weights for queue, (total, weights) in sums.items()}
        weights = sum(weight for _, weight in sums.values())
        self.hall_typical_min = sum(total for total, _ in sums.values()) / weights if weights else 10.0

    def typical_min(self, queue: str) -> float:
        """Mean minutes of one service among those who wait in the queue, weighted by how often each matter comes."""
        return self.typical.get(queue, self.hall_typical_min)

    def require(self, matters: tuple[str, ...]) -> None:
        """Rejected when one of the matters is not offered in this hall."""
        for name in matters:
            matter = self.matters.get(name)
            if matter is None or not matter.offered:
                raise Rejected("matter-unknown", matter=name)

    def require_bundle(self, name: str) -> None:
        if name not in self.bundles:
            raise Rejected("bundle-unknown", bundle=name)
