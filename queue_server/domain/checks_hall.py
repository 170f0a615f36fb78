"""What is wrong or weak in a hall's hours, policy, voice, devices, and in texts too long for their screens."""

import re
import string
from collections import defaultdict
from collections.abc import Iterator
from unicodedata import east_asian_width

from queue_server.domain.configuration import Configuration, Device
from queue_server.domain.findings import Finding, error, listing, nearest, warning

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_KINDS = {"keypad": "FF68", "rating_pad": "FF68", "strip": "a090", "board": "a090"} | dict.fromkeys(
    ("speaker", "printer", "id_reader", "scanner"), ""
)
READERS = frozenset(("id_reader", "scanner"))
_ALONE = frozenset(("printer", "scanner"))
_LINE_OPTIONS = frozenset(("baud", "bits", "parity", "stop"))
# Half-width cells (UX W-04: 64x16 dots are 8, 128x16 are 16) and what the look of the screens leaves room for.
_NUMBER_CELLS = 6
_PLATE_CELLS = 4
_WIDTHS = {"zone": 24, "domain": 20, "window": 28, "kiosk": 24}
_HALL_CELLS = 40


def cells(text: str) -> int:
    """The width of a text in half-width cells: two for a Chinese character, one for a Latin letter."""
    return sum(2 if east_asian_width(c) in "WFA" else 1 for c in text)


def check_hall(configuration: Configuration) -> Iterator[Finding]:
    """The findings of this module, in the order of its description."""
    yield from _hours(configuration)
    yield from _policy(configuration)
    yield from _voice(configuration)
    yield from _devices(configuration)
    yield from _ports(configuration)
    yield from _lines(configuration)
    yield from _widths(configuration)


def _hours(configuration: Configuration) -> Iterator[Finding]:  # long: each finding is said in two languages
    hours = configuration.hours
    order = ("tickets_from", "opens", "tickets_until", "closes")
    times = {name: getattr(hours, name) for name in order}
    bad = [name for name, value in times.items() if not _TIME.fullmatch(value)]
    for name in bad:
        yield error(
            "bad_time",
            f"hours.{name}",
            f"“{times[name]}”不是时间，请写成 09:00 这样。",
            f"{times[name]!r} is not a time; write it like 09:00.",
        )
    if not bad:
        for early, late in (
            ("tickets_from", "opens"),
            ("opens", "closes"),
            ("opens", "tickets_until"),
            ("tickets_until", "closes"),
        ):
            if times[early] > times[late]:
                yield error(
                    "hours_order",
                    f"hours.{late}",
                    f"{late}（{times[late]}）早于 {early}（{times[early]}），请改过来。",
                    f"{late} ({times[late]}) is before {early} ({times[early]}); put them in order.",
                )
        if times["opens"] == times["closes"]:
            yield error(
                "hours_order",
                "hours.closes",
                "开门和关门是同一时间，请改。",
                "The hall opens and closes at the same time; correct it.",
            )
    days = hours.weekdays
    if not days or len(set(days)) != len(days) or not set(days) <= set(range(1, 8)):
        yield error(
            "bad_weekdays",
            "hours.weekdays",
            "weekdays 应为 1（周一）到 7 的不重复数字，至少一个。",
            "weekdays should be different numbers from 1 (Monday) to 7, at least one.",
        )


def _policy(configuration: Configuration) -> Iterator[Finding]:  # long: each finding is said in two languages
    policy = configuration.policy
    zero_ok = {
        "credit_max_min", "away_penalty_min", "away_free_after_min", "recall_interval_s", "no_show_after", "delay_limit",
        "restore_last", "undo_s", "infer_arrival_after_s", "near_places", "recall_limit",
    }  # fmt: skip
    for name in policy.__struct_fields__:
        value = getattr(policy, name)
        least = 0 if name in zero_ok else 1
        if type(value) is int and value < least:
            yield error(
                "bad_number", f"policy.{name}", f"{name} 不能小于 {least}。", f"{name} may not be less than {least}."
            )
    if policy.digits not in (3, 4, 5):
        yield error("bad_number", "policy.digits", "号码位数 digits 应为 3 到 5。", "digits should be 3 to 5.")
    for priority in configuration.priority:
        where = f"priority {priority.id}"
        if priority.credit_min < 0:
            yield error(
                "bad_number",
                where,
                f"“{priority.name}”的提前分钟不能是负数。",
                f"The credit of {priority.id!r} may not be negative.",
            )
        elif priority.credit_min > policy.credit_max_min:
            yield warning(
                "credit_capped",
                where,
                f"“{priority.name}”提前{priority.credit_min}分钟，但上限是{policy.credit_max_min}分钟；请改其中一个。",
                f"{priority.id!r} has a credit of {priority.credit_min} min, but {policy.credit_max_min} count at most; change one.",
            )
    for matter in configuration.matter:
        if matter.minutes <= 0 or matter.sd_minutes < 0 or matter.share < 0 or matter.promise_days < 0:
            yield error(
                "bad_number",
                f"matter {matter.id}",
                f"“{matter.name}”的 minutes 要大于 0，sd_minutes、share、promise_days 不能是负数。",
                f"minutes of {matter.id!r} must be above 0; sd_minutes, share and promise_days may not be negative.",
            )
    for table in ("domain", "matter", "bundle"):
        for part in getattr(configuration, table):
            if part.daily_limit < 0:
                yield error(
                    "bad_number",
                    f"{table} {part.id}",
                    f"“{part.name}”的每日号数 daily_limit 不能是负数；0 表示不限。",
                    f"The daily_limit of {part.id!r} may not be negative; 0 means any number.",
                )
    for bundle in configuration.bundle:
        if bundle.minutes <= 0 or bundle.days < 0:
            yield error(
                "bad_number",
                f"bundle {bundle.id}",
                f"“{bundle.name}”的 minutes 要大于 0，days 不能是负数。",
                f"minutes of {bundle.id!r} must be above 0 and days not negative.",
            )


def _voice(configuration: Configuration) -> Iterator[Finding]:
    voice = configuration.voice
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(voice.template) if name is not None]
    except ValueError:
        names = []
    if sorted(names) != ["number", "window"]:
        yield error(
            "voice_template",
            "voice.template",
            "语音模板要有 {number} 和 {window} 各一个，没有别的花括号。",
            "The voice template needs {number} and {window} once each and no other braces.",
        )
    if voice.one not in ("yi", "yao"):
        yield error("voice_one", "voice.one", "one 应为 yi 或 yao。", "one should be yi or yao.")
    if not 0 <= voice.volume <= 100 or voice.recall_times < 1 or not voice.languages:
        yield error(
            "bad_number",
            "voice",
            "volume 应为 0 到 100，recall_times 至少 1，languages 至少一种。",
            "volume is 0 to 100, recall_times at least 1, languages at least one.",
        )
    for window in configuration.window:
        if not (window.id.isascii() and window.id.isalnum()):
            yield warning(
                "window_unspoken",
                f"window {window.id}",
                f"窗口号“{window.id}”语音念不出来，请只用数字和字母。",
                f"The voice cannot say the window {window.id!r}; use digits and letters only.",
            )


def _devices(configuration: Configuration) -> Iterator[Finding]:  # long: each finding is said in two languages
    rated = {device.window for device in configuration.device if device.kind == "rating_pad"}
    without = [window.id for window in configuration.window if window.id not in rated]
    if without:
        # RULES 37; whether such a window may open is the hall's own policy.
        level = warning if configuration.policy.open_without_rating_device else error
        yield level(
            "no_rating_device",
            "window",
            f"没有评价器的窗口：{listing(without)}。请在 device 里登记一个 rating_pad。",
            f"Windows without a rating device: {listing(without)}; enter a rating_pad for each under device.",
        )
    zones = {zone.id for zone in configuration.zone}
    for device in configuration.device:
        where = f"device {device.id}"
        if device.kind not in _KINDS:
            zh, en = nearest(device.kind, _KINDS)
            yield error(
                "device_kind",
                where,
                f"没有“{device.kind}”这种设备{zh}",
                f"There is no kind of device {device.kind!r}{en}",
            )
        if device.kind in ("keypad", "rating_pad", "strip") and not device.window:
            yield error(
                "device_without_window",
                where,
                f"设备“{device.id}”没有写属于哪个窗口，请填 window。",
                f"The device {device.id!r} belongs to no window; fill in window.",
            )
        if device.kind == "speaker" and device.settings.get("zone", "") not in zones:
            yield error(
                "speaker_without_zone",
                where,
                f"语音模块“{device.id}”没有写为哪个区播报，请在 settings 里填 zone。",
                f"The voice module {device.id!r} speaks for no zone; fill in zone under settings.",
            )
        if device.kind in READERS and not device.settings.get("kiosk"):
            yield warning(
                "reader_kiosk",
                where,
                f"“{device.id}”没有写在哪台取号机旁，读到的没有人用，请在 settings 里填 kiosk。",
                f"{device.id!r} stands at no kiosk, so what it reads is dropped; fill in kiosk under settings.",
            )
        if "://" not in device.url:
            yield error(
                "device_url",
                where,
                f"地址“{device.url}”不完整，请写成 serial:///dev/… 或 tcp://主机:端口。",
                f"The url {device.url!r} is incomplete; write serial:///dev/... or tcp://host:port.",
            )
        if not device.agent:
            yield error(
                "device_agent",
                where,
                f"设备“{device.id}”没有写接在哪台电脑上，请填 agent。",
                f"The device {device.id!r} names no agent; fill in agent.",
            )
        yield from _levels(device)
    for kiosk in configuration.kiosk:
        if not kiosk.printer:
            yield warning(
                "kiosk_without_printer",
                f"kiosk {kiosk.id}",
                f"取号机“{kiosk.id}”没有打印机，只能发手机号；请填 printer。",
                f"The kiosk {kiosk.id!r} has no printer and can only give numbers to phones; fill in printer.",
            )


def _levels(device: Device) -> Iterator[Finding]:
    """RULES 43: the meaning of each key is said per device, never guessed."""
    where, meant = f"device {device.id}", set(device.levels.values())
    if device.kind != "rating_pad" or meant == {1, 2, 3, 4, 5}:
        return
    if not meant or not meant <= {1, 2, 3, 4, 5}:
        yield error(
            "device_levels",
            where,
            f"评价器“{device.id}”的 levels 要把每个键码对应到 5（非常满意）至 1（非常不满意）。",
            f"levels of {device.id!r} must map each key code to 5 (very satisfied) down to 1.",
        )
    else:
        yield warning(
            "device_levels",
            where,
            f"评价器“{device.id}”的 levels 没有包括全部五级，请补全。",
            f"levels of {device.id!r} lack some of the five levels; complete them.",
        )


def _port(url: str) -> str:
    """What a url names, without how its line is set: two spellings of one port cannot both open it."""
    place, _, query = url.partition("?")
    scheme, _, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    if scheme.lower() != "usb":  # a USB serial number's letters count
        host = host.lower()
    options = sorted(pair for pair in query.split("&") if pair and pair.partition("=")[0] not in _LINE_OPTIONS)
    return f"{scheme.lower()}://{host}{re.sub('/+', '/', slash + path)}?{'&'.join(options)}"


def _ports(configuration: Configuration) -> Iterator[Finding]:
    """A printer, a scanner and whatever types have their port to themselves; a port that is shared has one spelling."""
    ports: dict[tuple[str, str], list[Device]] = defaultdict(list)
    for device in configuration.device:
        ports[device.agent, _port(device.url)].append(device)
    for (_, port), devices in ports.items():
        if len(devices) < 2:
            continue
        first, ids = devices[0], [device.id for device in devices]
        if any(device.kind in _ALONE or port.startswith(("file:", "evdev:")) for device in devices):
            yield error(
                "port_taken",
                f"device {first.id}",
                f"{listing(ids)} 写了同一个地址 {first.url}，但其中有打印机、扫码器或键盘类设备，它要独占一个口。"
                "请在那台电脑上运行 yichuang devices scan，给每台写各自的地址，或删去重复的。",
                f"{listing(ids)} have one url, {first.url}, and a printer, a scanner or what types has its port to itself."
                " Run yichuang devices scan on that PC and give each its own, or take out what stands twice.",
            )
        elif len({device.url for device in devices}) > 1:
            yield error(
                "port_spelt_twice",
                f"device {first.id}",
                f"{listing(ids)} 在同一个口上，url 却写法不同，第二种写法打不开。请都写成 {first.url}。",
                f"{listing(ids)} are on one port, spelt differently, which only one of them can open. Write {first.url} for all.",
            )


def _lines(configuration: Configuration) -> Iterator[Finding]:
    """One line, one protocol, one address: one device."""
    places: dict[tuple[str, str, str, int], list[str]] = defaultdict(list)
    for device in configuration.device:
        family = _KINDS.get(device.kind, "")
        if device.kind in ("strip", "board"):
            family = device.profile.lower() or family  # strips of several protocols may share a line and an address
        top = 0x7F if device.kind == "keypad" else 0xFF
        if family and not 0 <= device.address <= top:
            yield error(
                "bad_address",
                f"device {device.id}",
                f"“{device.id}”的地址应为 0 到 {top}。",
                f"The address of {device.id!r} should be 0 to {top}.",
            )
        if device.kind not in _ALONE:  # whoever they share a port with, it is not the address that is to be mended
            places[device.agent, device.url, family, device.address].append(device.id)
    for (_, url, _, address), ids in places.items():
        if len(ids) > 1:
            yield error(
                "address_clash",
                f"device {ids[0]}",
                f"同一条线 {url} 上，{listing(ids)} 都用地址 {address}，请各用各的。",
                f"On the line {url} the address {address} is used by {listing(ids)}; give each its own.",
            )


def _widths(configuration: Configuration) -> Iterator[Finding]:
    """UX S-06, W-04, W-05: what does not fit is shortened or paged, so say it before citizens see it."""
    if cells(configuration.hall.name) > _HALL_CELLS:
        yield warning(
            "too_long",
            "hall.name",
            f"大厅名称超过{_HALL_CELLS // 2}个字，屏幕和小票放不下，请缩短。",
            f"The hall's name has more than {_HALL_CELLS // 2} Chinese characters and will not fit; shorten it.",
        )
    for table, most in _WIDTHS.items():
        for part in getattr(configuration, table):
            if cells(part.name) > most:
                yield warning(
                    "too_long",
                    f"{table} {part.id}",
                    f"“{part.name}”超过{most // 2}个字，屏幕放不下，请缩短。",
                    f"{part.name!r} has more than {most // 2} Chinese characters and will not fit its screen; shorten it.",
                )
    for window in configuration.window:
        if cells(window.plate or window.id) > _PLATE_CELLS:
            yield warning(
                "too_long",
                f"window {window.id}",
                f"窗口牌号“{window.plate or window.id}”超过{_PLATE_CELLS}格，条屏放不下，请缩短 plate。",
                f"The plate {window.plate or window.id!r} is wider than {_PLATE_CELLS} cells and will not fit a strip; shorten plate.",
            )
    longest = max((len(domain.prefix) for domain in configuration.domain), default=0)
    if longest + configuration.policy.digits > _NUMBER_CELLS:
        width = longest + configuration.policy.digits
        yield warning(
            "too_long",
            "policy.digits",
            f"号码最长{width}位，64×16 条屏除“请”外只放得下{_NUMBER_CELLS}位，请减少。",
            f"A 64x16 strip shows {_NUMBER_CELLS} characters beside 请, numbers have up to {width}; use fewer.",
        )
