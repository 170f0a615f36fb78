"""What `devices learn` says, in Chinese and in English."""

from __future__ import annotations

from typing import Final

from devices.words import Sentence, say

KEY_NAMES: Final[dict[str, Sentence]] = {
    "next": ("“呼叫”（下一位）", "call (the next one)"),
    "recall": ("“重呼”", "recall"),
    "call": ("呼叫指定号：先输 {typed}，再按“呼叫”", "call a given number: type {typed}, then the key"),
    "evaluate": ("“评价”", "evaluate"),
    "no_show": ("过号：按平时过号的按法（包括数字）", "no-show, as you do it every day, with its digits"),
    "pause": ("暂停：按平时暂停的按法（包括数字）", "pause, with its digits"),
    "resume": ("恢复接待的按法（包括数字）", "resume, with its digits"),
    "transfer_to": (
        "转移到指定窗口：先输 {typed}，再按转移的键",
        "transfer to a given place: type {typed}, then the key",
    ),
    "transfer": ("转移，不带数字", "transfer, without digits"),
    "hold": ("挂起的按法（包括数字）", "hold, with its digits"),
    "call_back": ("叫回挂起的号的按法（包括数字）", "call back what was put on hold, with its digits"),
    "sign_in": ("登录：先输 {typed}，再按登录的键", "sign in: type {typed}, then the key"),
    "sign_out": ("退出登录的按法（包括数字）", "sign out, with its digits"),
    "call_guard": ("呼叫保安的按法（包括数字）", "call the guard, with its digits"),
    "call_manager": ("呼叫大堂经理的按法（包括数字）", "call the hall manager, with its digits"),
    "call_adviser": ("呼叫咨询员的按法（包括数字）", "call the adviser, with its digits"),
    "show_address": ("显示本机地址的按法（包括数字）", "show the keypad's own address, with its digits"),
}
LEVEL_NAMES: Final[dict[int, Sentence]] = {
    5: ("非常满意", "very satisfied"),
    4: ("满意", "satisfied"),
    3: ("基本满意", "fairly satisfied"),
    2: ("不满意", "dissatisfied"),
    1: ("非常不满意", "very dissatisfied"),
}
SAYINGS: Final[dict[str, Sentence]] = {
    "listening": (
        "正在听 {url}，{seconds:g} 秒。只听不写，原来的系统照常运行。",
        "Listening to {url} for {seconds:g} s. Nothing is written; the old system goes on as before.",
    ),
    "trying": ("试 {line} …", "Trying {line} …"),
    "speed": ("线路是 {line}：{frames} 帧校验正确。", "The line is {line}: {frames} frames with a valid sum."),
    "silent": (
        "{seconds:g} 秒内线路上一个字节都没有。请看 A、B 两根线接对没有、原来的系统是否开着。",
        "Not one byte in {seconds:g} s. Check the wires A and B, and that the old system is running.",
    ),
    "no-speed": (
        "线路上有数据（{bytes} 字节），但用 {tried} 都没有一帧校验正确：可能是别的速率、A 和 B 接反，或者是没有人认识的协议。",
        "There are {bytes} bytes, but at {tried} not one frame with a valid sum: another speed, A and B swapped, or a protocol "
        "that nobody knows.",
    ),
    "wrong-speed": (
        "按 {line} 听到 {bytes} 字节，没有一帧校验正确：多半是速率不对。网址里去掉 ?baud=，就会自动去试。",
        "{bytes} bytes at {line} and not one frame with a valid sum: most likely the wrong speed. Leave ?baud= out of the URL, "
        "and the speeds are tried.",
    ),
    "heard": ("听到 {frames} 帧：{protocols}。", "{frames} frames were heard: {protocols}."),
    "lost": ("线路断了：{reason}。接回来会继续。", "The line is gone: {reason}. It goes on when it is back."),
    "back": ("线路恢复了。", "The line is back."),
    "personal": (
        "这条线上是读身份证件或条码的设备（{profile}）。它的数据属于个人信息，不学习、不显示、不保存。",
        "This line carries a reader of cards or codes ({profile}). Its data is personal: not learnt, not shown, not kept.",
    ),
    "which": (
        "要学哪些窗口？例如 1-6 或 1,2,A3；直接回车就不问按键：",
        "Which windows? 1-6 or 1,2,A3; Enter alone asks for no keys: ",
    ),
    "help": (
        "按提示去按键；回车跳过，u 退回上一步，q 结束提问。",
        "Press what is asked for; Enter skips, u takes the last answer back, q ends the questions.",
    ),
    "ask-key": ("窗口 {window}：请按 {key}", "Window {window}: press {key}"),
    "ask-level": ("窗口 {window} 的评价器：请按“{level}”", "Rating device of window {window}: press “{level}”"),
    "ask-place": (
        "地址 {address} 的窗口屏显示“{text}”。它在哪个窗口？（回车：不知道）",
        "The strip at {address} shows “{text}”. At which window is it? (Enter: unknown)",
    ),
    "no-window": ("没有窗口 {window}：{windows}", "There is no window {window}: {windows}"),
    "got": ("  收到：地址 {address}，{key}", "  heard: address {address}, {key}"),
    "kind-key": (
        "  这是地址 {address} 的评价器，要的是呼叫器的键。",
        "  That was the rating device at {address}; a keypad's key is asked for.",
    ),
    "kind-level": (
        "  这是地址 {address} 的呼叫器，要的是评价器的键。",
        "  That was the keypad at {address}; a rating device's key is asked for.",
    ),
    "owned": (
        "  地址 {address} 已经是窗口 {window} 的。请在要学的窗口按。",
        "  Address {address} is window {window} already. Press at the window that is asked for.",
    ),
    "elsewhere": (
        "  地址 {address} 也有人按键，不是这个窗口的，不算。",
        "  Somebody pressed at address {address}, which is not this window: not counted.",
    ),
    "same": (
        "  {key} 刚才已经当作 {meaning}。请按另一个键，或回车跳过，或 u 退回。",
        "  {key} was taken for {meaning} before. Press another key, Enter to skip, or u to go back.",
    ),
    "two": (
        "  同时有两个地址按键：{addresses}。请只在窗口 {window} 再按一次。",
        "  Two addresses were pressed: {addresses}. Press once more, at window {window} only.",
    ),
    "strange-unsure": (
        "  听到不认识的数据：{bytes}。如果刚才按过，请把同一个键再按一次。",
        "  Bytes that nobody knows: {bytes}. If that was the press, press the same key once more.",
    ),
    "strange-got": ("  收到：{bytes}（不认识的设备）", "  heard: {bytes} (a device that nobody knows)"),
    "strange-same": (
        "  {bytes} 在这个窗口已经当作另一个键。请按另一个键，或回车跳过，或 u 退回。",
        "  {bytes} was taken for another key of this window. Press another key, Enter to skip, or u to go back.",
    ),
    "strange-elsewhere": (
        "  {bytes} 是别的窗口按的，不算。请在要学的窗口按。",
        "  {bytes} was pressed at another window: not counted. Press at the window that is asked for.",
    ),
    "strange-two": (
        "  同时有两处按键。请只在窗口 {window} 再按一次。",
        "  Two keys were pressed at once. Press once more, at window {window} only.",
    ),
    "strange-digits": (
        "  这种呼叫器的每个数字自成一帧，profile 描述不了，这一项跳过。",
        "  This keypad sends each digit in a frame of its own, which a profile cannot say: skipped.",
    ),
    "timeout": (
        "  {seconds:g} 秒没有听到。再按一次；回车跳过，u 退回。",
        "  Nothing in {seconds:g} s. Press again; Enter skips, u goes back.",
    ),
    "skipped": ("  跳过。", "  Skipped."),
    "undone": ("  退回一步。", "  Taken back."),
    "nothing-to-undo": ("  没有可以退回的。", "  There is nothing to take back."),
    "record-failed": (
        "录制文件写不进去，不再录制：{reason}",
        "The recording cannot be written and has ended: {reason}",
    ),
    "record-full": ("录制文件已到上限，后面的不再保存。", "The recording has reached its limit; the rest is not kept."),
    "wrote": ("已写入 {files}。", "Written: {files}."),
    "nothing": ("没有学到一个设备。", "Not one device was learnt."),
    # Comments in the map.
    "title": (
        "由 yichuang devices learn 在 {url}（{line}）上听出来的设备表",
        "Device map learnt by yichuang devices learn on {url} ({line})",
    ),
    "counted": (
        "听到 {bytes} 字节：{frames} 帧，{damaged} 帧校验错误，{stray} 段零星杂波",
        "{bytes} bytes: {frames} frames, {damaged} with a wrong sum, {stray} stray bursts",
    ),
    "address": (
        "{protocol} 地址 {address}：说话 {spoke} 次，被写 {spoken_to} 次",
        "{protocol} address {address}: spoke {spoke} times, was spoken to {spoken_to} times",
    ),
    "certain": ("确定：{said}", "certain: {said}"),
    "guessed": ("推测：{said}", "guessed: {said}"),
    "pressed-here": ("在窗口 {window} 按过键，地址 {address}", "pressed at window {window}, address {address}"),
    "keymap-published": ("{count} 个键都符合公开的 {name}", "{count} keys, all as the published {name} has them"),
    "keymap-rest": ("没按过的键按 {name} 算", "keys that were not pressed are those of {name}"),
    "keymap-like": ("其余的键与窗口 {window} 相同", "the other keys are those of window {window}"),
    "keymap-own": ("{count} 个键，不符合任何公开的键位表", "{count} keys, which fit no published keymap"),
    "keymap-several": (
        "按过的键同时符合 {names}，所以只写按过的；再按“暂停”“过号”等键就能分清",
        "the pressed keys fit {names} alike, so only they stand here; press pause, no-show and so on to decide",
    ),
    "levels-pressed": ("按过 {count} 个评价键", "{count} rating keys were pressed"),
    "levels-taken": ("{levels} 与另一台评价器相同", "{levels} taken over from another rating device"),
    "ack-heard": ("应答方式 {ack} 听到过 {count} 次", "acknowledgement {ack} was heard {count} times"),
    "ack-unheard": ("没有听到应答，先用方式 A", "no acknowledgement was heard; variant A is assumed"),
    "shared": ("与呼叫器同一个地址", "shares the keypad's address"),
    "follows": ("窗口 {window} 按键之后变化 {count} 次", "changed {count} times after presses at window {window}"),
    "names": ("显示的文字里写着窗口 {window}", "its texts name window {window}"),
    "told": ("人指认的", "a person said so"),
    "board": ("几个窗口按键后它都变化，像综合屏", "changes after presses at several windows: a summary board"),
    "board-frame": ("帧里写明是综合屏", "its frames say that it is a summary board"),
    "no-acks": ("{count} 次写入没有一次应答", "{count} writes, and not one answer"),
    "profile-file": (
        "它的协议写在 profiles/{name}.toml；把这个文件放进设备代理的 profiles 文件夹",
        "its protocol stands in profiles/{name}.toml: put that file into the agent's profiles folder",
    ),
    "ack-echo": (
        "按键之后同样的帧回来一次，当作原来的系统的应答（回显）",
        "the same frame came back once after a press, which is taken for the old system's acknowledgement (an echo)",
    ),
    "ack-repeated": (
        "同样的帧来好几次，当作设备自己的重发；没有听到应答，所以不应答",
        "the same frame comes several times, taken for the device's own repetitions; nothing acknowledged it, so nothing will",
    ),
    "ack-none": (
        "按键之后没有认出应答，所以不应答；如果设备因此一直重发，请在另一根线上再听",
        "no answer to a press was recognised, so nothing will be answered; if the device then repeats itself, listen on the other wire",
    ),
    "pad-no-sum": (
        "没有找到校验：不变的字节都当作固定的；请核对速率",
        "no check sum was found: the bytes that do not vary are taken for fixed; make sure that the speed is right",
    ),
    "pad-left": (
        "窗口 {window} 的{key}听到 {bytes}，与其余的不符，没有采用：请再按一次",
        "window {window}, {key}: heard {bytes}, which does not fit the others and is left out: press it again",
    ),
    "lack-window": (
        "{kind}：只在窗口 {windows} 按过，分不出哪个字节是地址；在窗口 {window} 按 {key} 就能分清",
        "{kind}: pressed at window {windows} only, so no byte can be told to be the address; press {key} at window {window} to decide",
    ),
    "lack-elsewhere": (
        "{kind}：只在窗口 {windows} 按过，分不出哪个字节是地址；再加一个窗口（--windows），在那里按 {key}",
        "{kind}: pressed at window {windows} only, so no byte can be told to be the address; add a window (--windows) and press {key}",
    ),
    "lack-key": (
        "{kind}：只按过一个键，分不出哪个字节是键；在窗口 {window} 按 {key} 就能分清",
        "{kind}: only one key was pressed, so no byte can be told to be the key; press {key} at window {window} to decide",
    ),
    "lack-press": (
        "{kind}：几种帧格式都说得通；在窗口 {window} 按 {key} 就能分清",
        "{kind}: several frame formats fit alike; press {key} at window {window} to decide",
    ),
    "lack-vary": (
        "{kind}：第 {places} 个字节的变化不是一个地址、一个键和一个已知的校验，profile 描述不了（在窗口 {windows} 按的）",
        "{kind}: bytes {places} vary, and not as one address, one key and a check sum of the list, so a profile cannot say it "
        "(pressed at window {windows})",
    ),
    "lack-vague": (
        "{kind}：帧里既没有校验也没有两个固定的字节，会把别的数据当成按键，不写 profile",
        "{kind}: neither a sum nor two fixed bytes, so anything would be taken for a press: no profile is written",
    ),
    "unasked": ("  还差一个按键才能确定：{why}", "  One more press decides it: {why}"),
    "ask-on": (
        "先问按键：按下去的数据也许能认出来。",
        "The keys are asked for all the same: what is pressed may tell.",
    ),
    "learnt-frames": ("{frames} 帧符合推出的帧格式", "{frames} frames fit the template"),
    "unplaced": (
        "没有对上窗口：{what}，地址 {address}，{count} 次",
        "without a window: {what}, address {address}, {count} times",
    ),
    "refused": ("不能用：{id}：{reason}", "cannot be used: {id}: {reason}"),
    "unknown": ("不认识的帧，{count} 次，开头 {head}：{why}", "unknown frames, {count} times, beginning {head}: {why}"),
    "keypad": ("呼叫器", "keypad"),
    "rating_pad": ("评价器", "rating device"),
    "strip": ("窗口屏", "strip"),
}


def sentence(code: str, **values: object) -> str:
    """A saying in the operator's language."""
    return say(SAYINGS[code], **values)


def key_name(what: str, typed: str) -> str:
    """What a question asks to press."""
    return say(KEY_NAMES[what], typed=typed)


def level_name(level: int) -> str:
    """A rating in words (RULES 1.4)."""
    return say(LEVEL_NAMES[level])
