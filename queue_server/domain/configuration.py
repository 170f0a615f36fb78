"""The configuration of a hall as one value: what may differ between halls, and nothing that happens in them."""

from enum import StrEnum

import msgspec


class WindowKind(StrEnum):
    """The controlled kinds of RULES 3."""

    ADVICE = "综合咨询"
    GENERAL = "无差别综合受理"
    DOMAIN = "分领域综合受理"
    BUNDLE = "“一件事”综合受理"
    GRIEVANCE = "有诉即办"
    RESULTS = "综合出件"
    HELP = "帮办代办"
    CROSS = "跨省/省内通办"
    DEPARTMENT = "部门专窗"
    ELDER = "为老"


COMPREHENSIVE = frozenset({WindowKind.GENERAL, WindowKind.DOMAIN, WindowKind.BUNDLE})


class ZoneKind(StrEnum):
    """The functional zones of RULES 1."""

    ADVICE = "咨询辅导区"
    ACCEPTANCE = "业务受理区"
    WAITING = "办事等候区"
    BACK_OFFICE = "后台审批区"
    ONLINE = "网办专区"
    ELDER = "为老服务区"
    SELF_SERVICE = "7×24自助区"


ROUND_THE_CLOCK = frozenset({ZoneKind.SELF_SERVICE})
"""Zones whose terminals are watched also while the hall is closed (RULES 89)."""

KIOSK_PAGE = "kiosk:"
"""Before the id of a kiosk whose page is watched as a device."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every table of a hall file: an unknown key is an error."""


class Identity(Part, frozen=True, kw_only=True):
    """[hall]: `id` is the name in addresses; `sample` marks invented halls on every screen.

    `english_unofficial`: the English names of the catalogue are a translation that no authority has confirmed.
    `animations`: false, and nothing moves or flashes on any screen or strip of the hall (UX X-04).
    """

    id: str
    name: str
    name_en: str = ""
    english_unofficial: bool = False
    timezone: str = "Asia/Shanghai"
    sample: bool = False
    animations: bool = True


class Hours(Part, frozen=True, kw_only=True):
    """[hours]: local times HH:MM; weekdays 1 (Monday) … 7. Tickets may be taken before the windows open.

    Public holidays are closed and make-up days open, except where all seven weekdays are named.
    """

    tickets_from: str = "08:30"
    opens: str = "09:00"
    tickets_until: str = "16:50"
    closes: str = "17:00"
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)


class NoShowPolicy(StrEnum):
    """RULES 27: come back after K tickets, be restored by the same window only, or void at once."""

    REQUEUE = "requeue"
    SAME_WINDOW = "same-window"
    VOID = "void"


class Policy(Part, frozen=True, kw_only=True):
    """[policy]: the numbers of the rules; the defaults are those of RULES and QUEUES 2.2."""

    credit_max_min: int = 30
    away_penalty_min: int = 5
    away_free_after_min: int = 30
    recall_limit: int = 3
    recall_interval_s: int = 20
    no_show: NoShowPolicy = NoShowPolicy.REQUEUE
    no_show_after: int = 3
    no_show_void_after: int = 2
    delay_places: int = 3
    delay_limit: int = 1
    restore_last: int = 5
    park_min: int = 15
    undo_s: int = 5
    infer_arrival_after_s: int = 30
    quantity_max: int = 50
    one_waiting_per_person: bool = True
    near_places: int = 3
    digits: int = 3
    invite_for_s: int = 30
    rating_days: int = 5
    average_wait_alarm_min: int = 15
    single_wait_alarm_min: int = 30
    waiting_per_window_alarm: int = 10
    pause_alarm_min: int = 15
    service_alarm_min: int = 20
    idle_alarm_min: int = 10
    device_offline_alarm_min: int = 5
    open_without_rating_device: bool = True
    clerks_call_numbers: bool = True


class Voice(Part, frozen=True, kw_only=True):
    """[voice]: RULES 25. `template` uses {number} and {window}; `one` is yi or yao; `languages` in speaking order."""

    template: str = "请{number}号到{window}号窗口办理"
    one: str = "yi"
    languages: tuple[str, ...] = ("zh",)
    volume: int = 80
    recall_times: int = 1


class Zone(Part, frozen=True, kw_only=True):
    """[[zone]]: an area with its own waiting seats, display and loudspeaker; `recent_rows` from the farthest seat.

    `volume` is percent, or by the clock: `08:30=100 12:00=60 14:00=100 17:30=0` (0: not spoken); "" is that of [voice] (UX V-10).
    """

    id: str
    name: str
    name_en: str = ""
    kind: ZoneKind = ZoneKind.ACCEPTANCE
    floor: str = ""
    queueing: bool = True
    recent_rows: int = 4
    notices: tuple[str, ...] = ()
    volume: str = ""


class Domain(Part, frozen=True, kw_only=True):
    """[[domain]]: a family of matters with one number prefix (RULES 14; not I, O, Q, Z: UX X-03).

    `everyday` and `everyday_en` are what people come for, in a few words.
    """

    id: str
    name: str
    name_en: str = ""
    prefix: str
    icon: str = ""
    everyday: str = ""
    everyday_en: str = ""


class Department(Part, frozen=True, kw_only=True):
    """[[department]]: who answers for matters."""

    id: str
    name: str
    name_en: str = ""
    short: str = ""
    code: str = ""


class Matter(Part, frozen=True, kw_only=True):
    """[[matter]]: a service item. `minutes` is the mean time at the window for one filing, `sd_minutes` its deviation."""

    id: str
    name: str
    domain: str
    department: str = ""
    name_en: str = ""
    everyday: tuple[str, ...] = ()
    code: str = ""
    type: str = ""
    target: str = ""
    handling: str = ""
    promise_days: int = 0
    minutes: float = 10.0
    sd_minutes: float = 5.0
    materials: tuple[str, ...] = ()
    fee: str = ""
    tags: tuple[str, ...] = ()
    share: float = 0.0
    confirmed: bool = False
    offered: bool = True


class BundleStep(Part, frozen=True, kw_only=True):
    """A matter of a bundle; steps of equal `order` run in parallel."""

    matter: str
    order: int = 1
    days: int = 0


class Bundle(Part, frozen=True, kw_only=True):
    """[[bundle]]: "一件事", one intake of `minutes` at one window."""

    id: str
    name: str
    name_en: str = ""
    prefix: str = "E"
    batch: str = ""
    target: str = ""
    lead: str = ""
    everyday: tuple[str, ...] = ()
    minutes: float = 30.0
    days: int = 0
    materials: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    steps: tuple[BundleStep, ...] = ()
    confirmed: bool = False


class Priority(Part, frozen=True, kw_only=True):
    """[[priority]]: a class of RULES 21 with its credit in minutes (QUEUES 2.2)."""

    id: str
    name: str
    name_en: str = ""
    basis: str = ""
    basis_en: str = ""
    credit_min: int = 15


class Window(Part, frozen=True, kw_only=True):
    """[[window]]: a counter.

    It serves every matter of its `domains` (`*` = all), or, when `matters` is given, only those; and all bundles when
    `bundles`. `home` lists what it calls without penalty: domain ids, matter ids, `#tag`, `bundles`; empty = all it
    serves (QUEUES 2.2, RULES 11).
    """

    id: str
    name: str
    kind: WindowKind
    zone: str
    name_en: str = ""
    plate: str = ""
    place: str = ""
    place_en: str = ""
    domains: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    bundles: bool = False
    home: tuple[str, ...] = ()
    tidal: bool = False
    note: str = ""


class Kiosk(Part, frozen=True, kw_only=True):
    """[[kiosk]]: a ticket dispenser, its printer (a device id), and whether it has a scanner that types what it reads."""

    id: str
    name: str = ""
    name_en: str = ""
    zone: str = ""
    printer: str = ""
    scanner: bool = False


class Led(Part, frozen=True, kw_only=True):
    """[[led]]: a board of dots on an ordinary screen: the strip of one `window`, or else the calls of a `zone` ("": all).

    `width` × `height` dots, hanzi of `dots` (16, 24, 32; 0: the largest that fits). `brightness` is 0 to 15, or by the clock:
    `07:00=15 18:30=6` (UX W-07).
    """

    id: str
    name: str = ""
    name_en: str = ""
    window: str = ""
    zone: str = ""
    width: int = 128
    height: int = 16
    dots: int = 0
    brightness: str = "15"


class Device(Part, frozen=True, kw_only=True):
    """[[device]]: what an agent owns; fields as in `queue_server.wire.agent.DeviceEntry`."""

    id: str
    agent: str
    kind: str
    url: str
    address: int = 0
    profile: str = ""
    window: str = ""
    name: str = ""
    name_en: str = ""
    levels: dict[str, int] = {}
    settings: dict[str, str] = {}


class Configuration(Part, frozen=True, kw_only=True):
    """A whole hall file."""

    hall: Identity
    hours: Hours = Hours()
    policy: Policy = Policy()
    voice: Voice = Voice()
    zone: tuple[Zone, ...]
    domain: tuple[Domain, ...]
    window: tuple[Window, ...]
    matter: tuple[Matter, ...]
    department: tuple[Department, ...] = ()
    bundle: tuple[Bundle, ...] = ()
    priority: tuple[Priority, ...] = ()
    kiosk: tuple[Kiosk, ...] = ()
    led: tuple[Led, ...] = ()
    device: tuple[Device, ...] = ()
