"""Voice packs and the files made of them: UX V-03, V-04, V-06, S-06; made with the real espeak-ng."""

import io
import math
import shutil
import subprocess
import time
import wave
from array import array
from pathlib import Path

import pytest

from displays.errors import Malformed, Unavailable
from displays.speech import assemble
from displays.speech.assemble import announcement_wav
from displays.speech.pack import CHINESE_WPM, SHIPPED_TOKENS, Pack, build_pack, load_pack, main
from displays.speech.phrases import BASE_TOKENS, DIGITS, NOTICES, VoicePolicy, tokens_needed
from displays.speech.queue import Announcement, SpeechQueue
from displays.speech.sound import RATE_HZ, duration_ms, samples_of, trimmed
from tests.voice import shipped_pack

ZH_EN = VoicePolicy(languages=("zh", "en"))
SENTENCES = {sentence for pair in NOTICES.values() for sentence in pair}
SYLLABLES = 13  # 请 A 零 一 二 号 到 三 号 窗口 办理


@pytest.fixture(scope="module")
def pack() -> Pack:
    return shipped_pack()


@pytest.fixture(scope="module")
def own_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hall's own recordings, as short tones."""
    directory = tmp_path_factory.mktemp("own")
    tone = array("h", (round(9_000 * math.sin(index / 5)) for index in range(samples_of(150))))
    clips = []
    for number, token in enumerate(sorted(BASE_TOKENS)):
        record(directory / f"{number}.wav", tone.tobytes())
        clips.append(f'"{token}" = "{number}.wav"')
    record(directory / "chime.wav", tone.tobytes())
    text = "\n".join(['name = "our own"', 'chime = "chime.wav"', "[clips]", *clips])
    (directory / "voice.toml").write_text(text, "utf-8")
    return directory


def record(path: Path, pcm: bytes, rate: int = RATE_HZ) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(pcm)


def announced(policy: VoicePolicy, *calls: tuple[str, str]) -> Announcement:
    speaker = SpeechQueue(policy, lambda _: 1)
    for number, window in calls:
        speaker.called(number, number, window, 0)
    announcement = speaker.next(0)
    assert announcement is not None
    return announcement


def test_clips_are_trimmed_levelled_and_not_clipped(pack: Pack) -> None:
    """UX V-04: no clip carries silence at its ends, none reaches full scale, none is far from the common loudness."""
    for token, pcm in pack.clips.items():
        samples = array("h", pcm)
        longest_ms = 9_000 if token.startswith("guide") else 6_000 if token in SENTENCES else 1_500
        assert 70 <= duration_ms(len(pcm)) <= longest_ms, token
        assert len(trimmed(samples)) >= len(samples) - samples_of(10), token
        assert max(map(abs, samples)) <= 0.9 * 32_767, token
        rms = math.sqrt(sum(sample * sample for sample in samples) / len(samples)) / 32_767
        assert -20.5 <= 20 * math.log10(rms) <= -15, token


def test_v03_the_chime_lasts_between_600_and_1000_ms(pack: Pack) -> None:
    assert 600 <= duration_ms(len(pack.chime)) <= 1_000


def test_v04_a_single_call_is_said_at_four_syllables_a_second(pack: Pack) -> None:
    announcement = announced(VoicePolicy(times_max=1), ("A012", "3"))
    _, length_ms = announcement_wav(pack, announcement)
    spoken_ms = length_ms - duration_ms(len(pack.chime)) - 300
    print(f"single call {spoken_ms} ms, {SYLLABLES * 1000 / spoken_ms:.2f} syllables/s")  # noqa: T201
    assert 3.8 <= SYLLABLES * 1000 / spoken_ms <= 4.2


def test_v03_chime_pause_twice_chinese_once_english(pack: Pack) -> None:
    """UX V-03: chime, 0.3 s, Chinese; 0.6 s, Chinese; 0.6 s, English. Of 0.6 s the player's answer takes 0.2."""
    speaker = SpeechQueue(ZH_EN, lambda _: 1)
    speaker.called("call", "A012", "3", 0)
    files = []
    while (announcement := speaker.next(0)) is not None:
        wav, length_ms = announcement_wav(pack, announcement)
        with wave.open(io.BytesIO(wav)) as file:
            assert file.getparams()[:3] == (1, 2, RATE_HZ)
            assert duration_ms(file.getnframes() * 2) == length_ms
            files.append(file.readframes(file.getnframes()))
        speaker.played(announcement.id, "done")
    first, second, english = files
    begins, pause = pack.chime + bytes(2 * samples_of(300)), bytes(2 * samples_of(400))
    assert first.startswith(begins + pack.clips["请"])
    assert second == pause + first[len(begins) :]
    assert english.startswith(pause + pack.clips["en:number"])
    assert english.endswith(pack.clips["en:3"])


def test_v04_no_digit_drags(pack: Pack) -> None:
    """A digit is one beat: 零 by nature lasts longer than the others, and numbers of the morning are full of it."""
    assert all(duration_ms(len(pack.clips[digit])) <= 210 for digit in DIGITS)


def test_the_file_agrees_with_sox(pack: Pack, tmp_path: Path) -> None:
    """A second reader: length and peak as sox measures them."""
    sox = shutil.which("soxi") and shutil.which("sox")
    if not sox:
        pytest.skip("sox is not installed")
    wav, length_ms = announcement_wav(pack, announced(ZH_EN, ("W777", "24")))
    (tmp_path / "a.wav").write_bytes(wav)
    run = subprocess.run([sox, "a.wav", "-n", "stats"], cwd=tmp_path, capture_output=True, text=True, check=True)
    stats = {line[:12].strip(): line.split()[-1] for line in run.stderr.splitlines() if line}
    assert abs(float(stats["Length s"]) * 1000 - length_ms) <= 1
    assert float(stats["Pk lev dB"]) <= -0.9


ANSWERS_MS = 300
"""What a player takes between two files, on a slow box."""


@pytest.mark.parametrize("languages", [("zh",), ("zh", "en")])
@pytest.mark.parametrize("head_start", [24, 1])
def test_v06_at_nine_o_clock_24_windows_are_all_spoken_within_45_s(
    pack: Pack, head_start: int, languages: tuple[str, ...]
) -> None:
    """UX V-06 with the real clips, for every letter: all at once, and with the first one sounding when the others come."""
    took = {}
    for letter in "ABCDEFGHJKLMNPRSTUVWXY":
        policy = VoicePolicy(languages=languages)
        speaker = SpeechQueue(policy, lambda said: announcement_wav(pack, said)[1])
        now, ended = 0, {}
        for n in range(1, 25):
            speaker.called(f"call-{n}", f"{letter}{n:03d}", str(n), 0)
            if n == head_start:
                announcement = speaker.next(0)
        while announcement is not None:
            now += announcement_wav(pack, announcement)[1]
            ended.update(dict.fromkeys(announcement.calls, now))
            speaker.played(announcement.id, "done")
            now += ANSWERS_MS
            announcement = speaker.next(now)
        assert list(ended) == [f"call-{n}" for n in range(1, 25)]
        took[letter] = ended["call-24"]
        assert speaker.tick(now) == []
        assert (speaker.english_dropped > 0) == ("en" in languages), "shed, and counted"
    least, most = min(took, key=took.__getitem__), max(took, key=took.__getitem__)
    print(  # noqa: T201
        f"24 calls, {head_start} there when the first begins, {'+'.join(languages)}: last word after "
        f"{took[least] / 1000:.1f} s ({least}) to {took[most] / 1000:.1f} s ({most})"
    )
    assert took[most] <= 43_000


def test_design_law_5_an_announcement_is_assembled_once_and_the_files_kept_are_bounded(pack: Pack) -> None:
    """Prints the best of five, each a file not made before; the same one again is the same bytes."""
    taken = []
    for n in range(5):
        announcement = announced(ZH_EN, (f"A{900 + n}", "24"))
        begun = time.perf_counter()
        first = announcement_wav(pack, announcement)
        taken.append(time.perf_counter() - begun)
        assert announcement_wav(pack, announcement)[0] is first[0]
    print(f"assembled in {min(taken) * 1000:.2f} ms")  # noqa: T201
    assert assemble._wav.cache_info().currsize <= assemble.CACHE_MAX


def test_design_7_a_token_without_a_clip_is_named(own_pack: Path) -> None:
    voice = load_pack(own_pack)
    with pytest.raises(Malformed, match=r"our own.*'办理'"):
        announcement_wav(voice, announced(VoicePolicy(), ("001", "3")))


def test_a_halls_own_recordings_are_said_and_what_they_lack_is_listed(own_pack: Path) -> None:
    """UX S-06: voice missing for a window name."""
    voice = load_pack(own_pack)
    plain = VoicePolicy(template="请{number}号到{window}号窗口", words=voice.words)
    sentences = {zh for zh, _ in NOTICES.values()}
    assert tokens_needed(["1", "12"], [], plain) - voice.clips.keys() == sentences
    lacking = tokens_needed(["A1", "台"], ["B"], VoicePolicy(one="yao")) - voice.clips.keys()
    assert lacking - sentences == {"A", "B", "办理", "台", "幺"}
    assert announcement_wav(voice, announced(plain, ("012", "12")))[1] > 1_000


def test_the_shipped_voice_says_every_number_window_and_language(pack: Pack) -> None:
    windows = [*map(str, range(1, 1_000)), "A1", "08"]
    for policy in (ZH_EN, VoicePolicy(one="yao", template="请{number}号，到2楼B区第{window}窗口办理业务")):
        assert tokens_needed(windows, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", policy) <= pack.clips.keys()


def test_what_the_shipped_voice_says_is_known_without_making_it(pack: Pack) -> None:
    """UX S-06: a hall's file is checked against it."""
    assert pack.clips.keys() == SHIPPED_TOKENS


def test_the_clips_speak_pinyin_with_its_tones() -> None:
    """Issue 2: never espeak-ng's `cmn`, which reads English. Its phonemes end in the tone's contour."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    for sound, contour in {"yi1": "i55", "shi2": "35", "jiu3": "214", "er4": "51", "hao4": "51"}.items():
        command = ["espeak-ng", "-v", "cmn-latn-pinyin", "-s", str(CHINESE_WPM), "-q", "-x", sound]
        assert contour in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_no_pack_and_no_espeak_are_unavailable_and_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="yichuang voice build --folder"):
        load_pack(tmp_path / "none")
    with pytest.raises(Unavailable, match="no-such-program is not installed"):
        build_pack(tmp_path / "new", "no-such-program")
    assert not (tmp_path / "new").exists()


def test_recordings_are_never_overwritten_by_the_made_voice(own_pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (own_pack / "voice.toml").read_bytes()
    assert main([str(own_pack)]) == 1
    assert "not made here" in capsys.readouterr().err
    assert (own_pack / "voice.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: (d / "0.wav").unlink(), "0.wav is not there"),
        (lambda d: (d / "0.wav").write_bytes(b"RIFF"), "0.wav"),
        (lambda d: record(d / "0.wav", b""), "more than none"),
        (lambda d: record(d / "0.wav", bytes(2 * 11 * RATE_HZ)), "up to 10000 ms"),
        (lambda d: record(d / "0.wav", bytes(100), rate=44_100), "is 44100 Hz, 1 channels, 16 bit; needed is 22050 Hz"),
        (lambda d: (d / "voice.toml").write_text("name = 1\nchime = 'x'\n[clips]\n"), "Expected `str`"),
        (lambda d: (d / "voice.toml").write_text("name = 'x'\nchime = 'x'\n[clips]\n"), "no clip for 一 七"),
        (lambda d: (d / "voice.toml").write_text("name"), "voice.toml"),
    ],
)
def test_a_pack_that_makes_no_sense_says_which_file(own_pack: Path, tmp_path: Path, damage, sentence: str) -> None:  # type: ignore[no-untyped-def]
    directory = tmp_path / "damaged"
    shutil.copytree(own_pack, directory)
    damage(directory)
    with pytest.raises(Malformed, match=sentence):
        load_pack(directory)


def test_the_command_adds_what_a_hall_wants_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A template with words of its own becomes sayable; 行 takes the reading of its context (yin hang)."""
    shipped_pack()
    assert main([str(tmp_path), "--text", "请{number}号到银行窗口{window}"]) == 0
    assert "clips" in capsys.readouterr().out
    voice = load_pack(tmp_path)
    assert tokens_needed(["1"], ["A"], VoicePolicy(template="请{number}号到银行窗口{window}")) <= voice.clips.keys()
    assert (tmp_path / "cmn-latn-pinyin-hang2.wav").exists()
