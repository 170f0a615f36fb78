"""What is wrong or weak in a configuration, each finding a sentence that says what to mend."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from queue_server.domain.checks_hall import READERS, check_hall
from queue_server.domain.codes import credit_code_ok, matter_code_ok
from queue_server.domain.configuration import COMPREHENSIVE, Configuration, Matter, Window, WindowKind, ZoneKind
from queue_server.domain.findings import Finding, Level, error, listing, nearest, warning
from queue_server.domain.serving import serves

# What may stand in an id: it is part of addresses, and "," "~" "#" "*" have meanings of their own.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]*")
_PREFIX = re.compile(r"[A-Z]{1,2}")
_MISREAD = frozenset("IOQZ")
# RULES 4 as applied: the forms a public window name takes; a hall's own province may have a closed list.
_NAMES = {
    WindowKind.ADVICE: r"综合咨询(与“有诉即办”)?窗口",
    WindowKind.GENERAL: r"(无差别)?综合(受理)?窗口",
    WindowKind.DOMAIN: r".{1,12}综合(受理)?窗口",
    WindowKind.BUNDLE: r"“一件事”综合(受理)?窗口",
    WindowKind.GRIEVANCE: r"“有诉即办”(（“办不成事”反映）)?窗口",
    WindowKind.RESULTS: r"综合出件窗口",
    WindowKind.HELP: r"帮办代办窗口",
    WindowKind.CROSS: r"(跨省通办|省内通办|跨省、省内通办)窗口",
    WindowKind.DEPARTMENT: r".{1,12}(专窗|窗口)(（.{1,8}）)?",
    WindowKind.ELDER: r"为老服务窗口",
}
_ARRAYS = ("zone", "domain", "department", "window", "matter", "bundle", "priority", "kiosk", "led", "device")


def check(configuration: Configuration) -> list[Finding]:
    """All findings, errors first, otherwise in the order of the file."""
    found = [
        *_ids(configuration),
        *_shared_ids(configuration),
        *_references(configuration),
        *_prefixes(configuration),
        *_services(configuration),
        *_single_windows(configuration),
        *_codes(configuration),
        *_names(configuration),
        *_english(configuration),
        *check_hall(configuration),
    ]
    return sorted(found, key=lambda finding: finding.level is not Level.ERROR)


def _ids(configuration: Configuration) -> Iterator[Finding]:
    for table in _ARRAYS:
        counts = Counter(part.id for part in getattr(configuration, table))
        for id_, n in counts.items():
            where = f"{table} {id_}"
            if n > 1:
                yield error(
                    "duplicate_id",
                    where,
                    f"编号“{id_}”出现了{n}次，请改成不同的编号。",
                    f"The id {id_!r} stands {n} times; give each its own.",
                )
            if not _ID.fullmatch(id_):
                yield error(
                    "bad_id",
                    where,
                    f"编号“{id_}”只能用字母、数字和 - _ .，并以字母或数字开头。",
                    f"The id {id_!r} may only have letters, digits and - _ . and begins with a letter or digit.",
                )
    if not _ID.fullmatch(configuration.hall.id):
        yield error(
            "bad_id", "hall", "hall.id 只能用字母、数字和 - _ .。", "hall.id may only have letters, digits and - _ ."
        )


def _shared_ids(configuration: Configuration) -> Iterator[Finding]:
    """Ids that stand beside each other without their table: in `home`, and where it is counted what was wanted."""
    domains, matters, bundles = (
        {part.id for part in table} for table in (configuration.domain, configuration.matter, configuration.bundle)
    )
    for id_ in sorted(domains & matters):
        yield error(
            "ambiguous_id",
            f"domain {id_}",
            f"领域和事项同用编号“{id_}”，请改一个。",
            f"A domain and a matter share the id {id_!r}; rename one.",
        )
    for id_ in sorted(matters & bundles):
        yield error(
            "ambiguous_id",
            f"bundle {id_}",
            f"事项和“一件事”同用编号“{id_}”，请改一个。",
            f"A matter and a bundle share the id {id_!r}; rename one.",
        )
    if "bundles" in domains | matters:
        yield error(
            "ambiguous_id",
            "bundles",
            "“bundles”是保留字，请换一个编号。",
            "'bundles' is a reserved word; choose another id.",
        )


def _references(configuration: Configuration) -> Iterator[Finding]:  # long: every reference, one after the other
    zones = {zone.id for zone in configuration.zone}
    domains = {domain.id for domain in configuration.domain}
    departments = {department.id for department in configuration.department}
    matters = {matter.id for matter in configuration.matter}
    tags = {f"#{tag}" for matter in configuration.matter for tag in matter.tags}
    windows = {window.id for window in configuration.window}
    printers = {device.id for device in configuration.device if device.kind == "printer"}
    asked: list[tuple[str, str, Iterable[str], set[str]]] = []
    for window in configuration.window:
        at = f"window {window.id}"
        asked += [
            (at, "zone", [window.zone], zones),
            (at, "domains", window.domains, domains | {"*"}),
            (at, "matters", window.matters, matters),
            (at, "home", window.home, domains | matters | tags | {"bundles"}),
        ]
    for matter in configuration.matter:
        at = f"matter {matter.id}"
        asked += [
            (at, "domain", [matter.domain], domains),
            (at, "department", filter(None, [matter.department]), departments),
        ]
    for bundle in configuration.bundle:
        at = f"bundle {bundle.id}"
        asked += [
            (at, "steps", [s.matter for s in bundle.steps], matters),
            (at, "lead", filter(None, [bundle.lead]), departments),
        ]
    for kiosk in configuration.kiosk:
        at = f"kiosk {kiosk.id}"
        asked += [
            (at, "zone", filter(None, [kiosk.zone]), zones),
            (at, "printer", filter(None, [kiosk.printer]), printers),
        ]
    for led in configuration.led:
        at = f"led {led.id}"
        asked += [(at, "window", filter(None, [led.window]), windows), (at, "zone", filter(None, [led.zone]), zones)]
    kiosks = {kiosk.id for kiosk in configuration.kiosk}
    for device in configuration.device:
        at = f"device {device.id}"
        stands_at = device.settings.get("kiosk", "") if device.kind in READERS else ""
        asked.append((at, "window", filter(None, [device.window]), windows))
        asked.append((at, "kiosk", filter(None, [stands_at]), kiosks))
    for where, field, words, known in asked:
        for word in words:
            if word not in known:
                zh, en = nearest(word, known)
                yield error(
                    "unknown_reference",
                    where,
                    f"{field} 里的“{word}”不存在{zh}",
                    f"{word!r} in {field} does not exist{en}",
                )


def _prefixes(configuration: Configuration) -> Iterator[Finding]:
    owners: dict[str, list[str]] = defaultdict(list)
    for domain in configuration.domain:
        owners[domain.prefix].append(f"domain {domain.id}")
    for prefix in dict.fromkeys(bundle.prefix for bundle in configuration.bundle):
        owners[prefix].append("bundle *")
    for prefix, where in owners.items():
        at = "、".join(where)
        if len(where) > 1:
            yield error(
                "prefix_clash",
                at,
                f"号码字母“{prefix}”用了{len(where)}次，号码会重复，请各用各的字母。",
                f"The prefix {prefix!r} is used {len(where)} times and numbers would repeat; give each its own letter.",
            )
        if bad := sorted(_MISREAD & set(prefix)):
            yield error(
                "prefix_misread",
                at,
                f"号码字母“{prefix}”里的 {'、'.join(bad)} 容易看成数字，请换一个字母。",
                f"{', '.join(bad)} in the prefix {prefix!r} is easily read as a digit; choose another letter.",
            )
        for other in owners:
            if other != prefix and prefix and other.startswith(prefix) and other[len(prefix) :].isdigit():
                yield error(
                    "prefix_clash",
                    at,
                    f"号码字母“{prefix}”和“{other}”会发出同样的号码，请去掉数字。",
                    f"The prefixes {prefix!r} and {other!r} can make the same number; leave the digits out.",
                )
        if not _PREFIX.fullmatch(prefix):
            yield error(
                "prefix_form",
                at,
                f"号码字母“{prefix}”应为一到两个大写字母。",
                f"The prefix {prefix!r} should be one or two capital letters.",
            )


def _services(configuration: Configuration) -> Iterator[Finding]:  # long: each finding is said in two languages
    served: set[str] = set()
    for window in configuration.window:
        mine = {matter.id for matter in configuration.matter if serves(window, matter)}
        served |= mine
        where = f"window {window.id}"
        if not mine and not window.bundles:
            yield error(
                "window_without_service",
                where,
                f"窗口{window.id}不办任何事项，请填写 domains 或 matters，或删去这个窗口。",
                f"Window {window.id} serves nothing; fill in domains or matters, or remove it.",
            )
        if window.home and not any(_held(entry, window, configuration.matter) for entry in window.home):
            yield warning(
                "home_not_served",
                where,
                f"窗口{window.id}的 home 里没有它能办的事项，等于全部优先；请改 home。",
                f"Nothing in home of window {window.id} is something it serves; correct home.",
            )
    lost: dict[str, list[str]] = defaultdict(list)
    for matter in configuration.matter:
        if matter.offered and matter.id not in served:
            lost[matter.domain].append(matter.id)
    for domain, ids in lost.items():
        yield error(
            "matter_without_window",
            f"domain {domain}",
            f"没有窗口办理：{listing(ids)}。请给一个窗口加上领域“{domain}”或这些事项，或设 offered = false。",
            f"No window serves {listing(ids)}; add the domain {domain!r} or the matters to a window, or set offered = false.",
        )
    if configuration.bundle and not any(window.bundles for window in configuration.window):
        yield error(
            "bundle_without_window",
            "bundle",
            "有“一件事”但没有窗口受理，请给一个窗口设 bundles = true。",
            "There are bundles but no window takes them; set bundles = true on a window.",
        )
    empty = {domain.id for domain in configuration.domain} - {matter.domain for matter in configuration.matter}
    for id_ in sorted(empty):
        yield warning(
            "domain_without_matter",
            f"domain {id_}",
            f"领域“{id_}”没有事项，请加事项或删去。",
            f"The domain {id_!r} has no matter; add some or remove it.",
        )
    for bundle in configuration.bundle:
        if not bundle.steps:
            yield warning(
                "bundle_without_steps",
                f"bundle {bundle.id}",
                f"“{bundle.name}”没有步骤，请填写 steps。",
                f"{bundle.name!r} has no steps; fill in steps.",
            )


def _held(entry: str, window: Window, matters: Iterable[Matter]) -> bool:
    if entry == "bundles":
        return window.bundles
    return any(
        serves(window, matter) and entry in (matter.id, matter.domain, *(f"#{tag}" for tag in matter.tags))
        for matter in matters
    )


def _single_windows(configuration: Configuration) -> Iterator[Finding]:
    """RULES 6: in a domain that comprehensive windows serve, no matter should hang on one window."""
    comprehensive = [window for window in configuration.window if window.kind in COMPREHENSIVE]
    alone: dict[tuple[str, str], list[str]] = defaultdict(list)
    for matter in configuration.matter:
        able = [window.id for window in configuration.window if serves(window, matter)]
        if len(able) == 1 and matter.offered and any(serves(window, matter) for window in comprehensive):
            alone[matter.domain, able[0]].append(matter.id)
    for (domain, window), ids in alone.items():
        yield warning(
            "single_window",
            f"domain {domain}",
            f"只有窗口{window}能办：{listing(ids)}；它一停就没人办，请再给一个窗口。",
            f"Only window {window} serves {listing(ids)}; when it pauses nobody does, so give another window the same.",
        )


def _codes(configuration: Configuration) -> Iterator[Finding]:
    """RULES 81."""
    for department in configuration.department:
        if department.code and not credit_code_ok(department.code):
            yield error(
                "credit_code",
                f"department {department.id}",
                f"统一社会信用代码“{department.code}”不对（18位，校验位不符），请核对。",
                f"The credit code {department.code!r} is wrong (18 characters with a check character); compare it with the certificate.",
            )
    for matter in configuration.matter:
        if matter.code and not matter_code_ok(matter.code):
            yield error(
                "matter_code",
                f"matter {matter.id}",
                f"实施编码“{matter.code}”不对：应为31位或33位，前18位是带校验位的信用代码。请核对或留空。",
                f"The code {matter.code!r} is wrong: 31 or 33 characters, the first 18 a credit code. Correct it or leave it empty.",
            )
    for code, n in Counter(matter.code for matter in configuration.matter if matter.code).items():
        if n > 1:
            yield warning(
                "duplicate_code",
                "matter",
                f"实施编码“{code}”用于{n}个事项，请核对。",
                f"The code {code!r} stands at {n} matters; compare them with the list.",
            )


def _names(configuration: Configuration) -> Iterator[Finding]:  # long: each finding is said in two languages
    """RULES 3, 4 as applied: names outside the vocabulary are warned about."""
    for window in configuration.window:
        where = f"window {window.id}"
        if not re.fullmatch(_NAMES[window.kind], window.name):
            yield warning(
                "window_name",
                where,
                f"“{window.name}”不像“{window.kind}”窗口的规范名称，请按省里的统一名称改。",
                f"{window.name!r} is not a controlled name of the kind {window.kind!s}; use the province's.",
            )
        if window.kind is WindowKind.DEPARTMENT and not window.note:
            yield warning(
                "department_window",
                where,
                f"部门专窗{window.id}是例外，请在 note 写明理由。",
                f"Window {window.id} is a department's own, an exception: say why in note.",
            )
    kinds = {zone.kind for zone in configuration.zone}
    wanted = [kind for kind in ZoneKind if kind is not ZoneKind.SELF_SERVICE]
    missing = [str(kind) for kind in wanted if kind not in kinds]
    if ZoneKind.ADVICE.value in missing and any(w.kind is WindowKind.ADVICE for w in configuration.window):
        missing.remove(ZoneKind.ADVICE.value)  # RULES 2
    if missing:
        yield warning(
            "zones_missing",
            "zone",
            f"缺少功能区：{'、'.join(missing)}。请补上，或确认本厅不设。",
            f"Functional zones are missing: {', '.join(missing)}; add them or confirm that the hall has none.",
        )
    # RULES 7. A small hall's advice window may carry the sign as well; the sign is what the citizen looks for.
    if not any(w.kind is WindowKind.GRIEVANCE or "有诉即办" in w.name for w in configuration.window):
        yield warning(
            "no_grievance_window",
            "window",
            "没有“有诉即办”窗口，请设一个，营业时间内必须开。",
            "There is no 有诉即办 window; have one, open in all business hours.",
        )
    if not any(w.kind is WindowKind.BUNDLE or w.bundles for w in configuration.window):
        yield warning(
            "no_bundle_window",
            "window",
            "没有“一件事”综合受理窗口，请设一个。",
            "There is no “一件事” window; have one.",
        )


def _english(configuration: Configuration) -> Iterator[Finding]:
    """A hall without English is one language; a hall with some of it shows Chinese among it."""
    shown = [(each.id, each.name_en) for each in configuration.matter if each.offered]
    shown += [(each.id, each.name_en) for each in configuration.bundle]
    shown += [(each.id, each.name_en) for each in configuration.domain]
    bare = [id_ for id_, english in shown if not english]
    if 0 < len(bare) < len(shown):
        some = listing(bare)
        yield warning(
            "english_missing",
            "name_en",
            f"{len(bare)} 个事项、套餐或领域没有英文名，英文界面会显示中文：{some}。请补 name_en。",
            f"{len(bare)} matters, bundles or domains have no English and are shown in Chinese: {some}. Add name_en.",
        )
