"""Names of people: possible ones, since no check digit proves them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import rjieba

from tuneloop.text.personal.context import before
from tuneloop.text.personal.span import Span

SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦马苗方俞任袁柳鲍史唐费薛雷贺倪汤滕殷罗"
    "毕郝邬安常乐于傅皮卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛米贝戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍虞万柯卢莫房缪"
    "解应丁宣邓郁单洪包诸左石崔吉龚程邢裴陆荣翁荀甄曲封储靳段焦谷车侯全班仇宁甘厉武符刘景詹束龙叶司黎白蒲卓蔺乔闻党翟谭劳申冉桑桂牛尚温庄柴瞿阎习艾"
    "容向古易廖终耿满匡文寇欧沃蔚越隆巩聂晁敖冷辛阚简饶曾沙丰关查红游权闫肖代"
)
_DOUBLE = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "司徒",
    "长孙",
    "夏侯",
    "端木",
    "南宫",
    "轩辕",
)
NAME_HINT = re.compile(f"[{SURNAMES}]|[A-Z][a-z]+")

_FREQUENT = frozenset("王李张刘陈杨黄赵吴周徐孙马朱胡郭何罗郑梁宋唐邓冯韩曹彭曾")
_WORDS = frozenset(
    ["陈述", "孙子", "张贴", "张量", "黄牛", "黄金", "马赛", "马克", "马特", "马上", "马路", "胡萝卜", "胡椒粉"]
)
"""Dictionary words that jieba tags as people."""

_TITLES = "先生|女士|小姐|太太|同志|师傅|经理|主任|律师|医生|大夫|老师|教授|总监|法官|警官"
_TITLED = re.compile(rf"(?P<name>(?:{'|'.join(_DOUBLE)}|[{SURNAMES}])[\u4e00-\u9fff]{{0,2}}?)(?:{_TITLES})")
_LABELLED = re.compile(
    rf"(?:姓名|联系人|收件人|收货人|户名|持卡人|客户名|开户名|我叫|名叫|叫做|名字是|名字叫)[\s:是为]{{0,3}}"
    rf"(?P<name>(?:{'|'.join(_DOUBLE)}|[{SURNAMES}])[\u4e00-\u9fff]{{1,2}}?)(?=[^\u4e00-\u9fff]|$"
    rf"|[的，。手电身住在和与是想要有]|于|今年|来自)"
)
_ENGLISH = re.compile(
    r"(?:(?<![A-Za-z])(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? (?P<titled>[A-Z][a-z'\-]+(?: [A-Z]\.)?(?: [A-Z][a-z'\-]+){0,2})"
    r"|(?:[Mm]y name is|[Mm]y name's|I am|I'm|[Tt]his is|[Nn]ame:|[Cc]ardholder:?|[Cc]ustomer:"
    r"|[Nn]ame on (?:the )?(?:card|account)(?: is|:))\s"
    r"(?P<told>[A-Z][a-z'\-]+(?: [A-Z]\.)? [A-Z][a-z'\-]+(?:\-[A-Z][a-z]+)?)"
    r"|(?:(?:[Rr]egards|[Ss]incerely|[Tt]hanks|[Cc]heers),\s*\n?\s*)(?P<signed>[A-Z][a-z'\-]+"
    r"(?: [A-Z]\.)? [A-Z][a-z'\-]+)"
    r"|(?:(?<![A-Za-z])Dear )(?P<greeted>[A-Z][a-z'\-]+ [A-Z][a-z'\-]+)(?=[,:\n])"
    r"|(?<![A-Za-z])(?P<known>(?:James|John|Robert|Michael|William|David|Richard|Joseph|Thomas|Charles"
    r"|Christopher|Daniel|Matthew|Anthony|"
    r"Mark|Steven|Paul|Andrew|Joshua|Kevin|Brian|George|Edward|Mary|Patricia|Jennifer|Linda|Elizabeth"
    r"|Barbara|Susan|Jessica|Sarah|"
    r"Karen|Lisa|Nancy|Betty|Sandra|Ashley|Emily|Kimberly|Margaret|Donna|Michelle|Carol|Amanda|Melissa"
    r"|Laura|Rebecca|Sharon|Anna|"
    r"Emma|Olivia|Sophia|Peter|Simon|Alice|Helen|Jane|Julia|Kate|Rachel|Samuel|Benjamin|Henry|Jack|Oliver|Lucas)"
    r"(?: [A-Z]\.)? [A-Z][a-z'\-]{1,20}))(?![A-Za-z])"
)
_NO_NAMES = frozenset(
    [
        "Customer",
        "Sir",
        "Madam",
        "Team",
        "Bank",
        "Support",
        "Service",
        "Services",
        "Account",
        "Card",
        "Insurance",
        "Street",
        "Hopkins",
        "Sorry",
        "Not",
        "Very",
    ]
)
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉梅红波辉宁建国文斌志丹婷雪倩琳浩宇欣怡子涵晨阳思雨佳豪俊凯"
_GIVEN_NAMES = [
    "Adrian", "Beth", "Carol", "Derek", "Ellen", "Frank", "Gloria", "Howard", "Irma", "Jason", "Kelly", "Leon",
    "Monica", "Nigel", "Ophelia", "Patrick", "Rita", "Stuart", "Tracy", "Vernon", "Wanda", "Arthur", "Brenda",
    "Clara", "Dennis", "Edith", "Floyd", "Greta", "Harold", "Ivy",
]  # fmt: skip
_FAMILY_NAMES = [
    "Ashby", "Barlow", "Crane", "Dalton", "Everly", "Fenwick", "Garner", "Hadley", "Ingram", "Jarvis",
    "Kendall", "Lockwood", "Merton", "Norwood", "Osborne", "Prescott", "Quimby", "Radley", "Selwyn", "Thorpe",
    "Underhill", "Vance", "Wexford", "Yardley", "Ackroyd", "Bexley", "Colby", "Dunmore",
]  # fmt: skip


def find_names(text: str) -> Iterator[Span]:
    """Chinese names as jieba's tagger sees them (`nr`) and after 姓名, 我叫 or before 先生; English ones after a title, "my name
    is", or with a common first name.

    >>> [span.value for span in find_names("联系人张三，李女士和王小明；My name is Ada Byron, wife of Mr. King")]
    ['张三', '李', '王小明', 'Ada Byron', 'King']
    """
    found: dict[int, Span] = {}
    if re.search(r"[\u4e00-\u9fff]", text):
        for pattern in (_LABELLED, _TITLED):
            for match in pattern.finditer(text):
                if _may_begin(text, match.start("name")):
                    found.setdefault(match.start("name"), Span(*match.span("name"), match["name"]))
        for span in _tagged(text):
            if not any(span.start < other.end and other.start < span.end for other in found.values()):
                found[span.start] = span
    for match in _ENGLISH.finditer(text):
        group = next(name for name in ("titled", "told", "signed", "greeted", "known") if match[name])
        if not _NO_NAMES & set(match[group].split()):
            found.setdefault(match.start(group), Span(*match.span(group), match[group]))
    yield from (found[start] for start in sorted(found))


def stand_in_name(value: str, chance: random.Random) -> str:
    """Another name of the same language and length."""
    if value.isascii():
        words = len(value.split())
        return (
            chance.choice(_FAMILY_NAMES)
            if words == 1
            else f"{chance.choice(_GIVEN_NAMES)} {chance.choice(_FAMILY_NAMES)}"
        )
    given = "".join(chance.choices(_GIVEN, k=max(len(value) - 1, 0)))
    return chance.choice(SURNAMES[:60]) + given


def _tagged(text: str) -> Iterator[Span]:
    """What jieba tags as a person (`nr`), of two or three characters (four after a double surname) with a surname first."""
    position = 0
    for word, tag in rjieba.tag(text):
        start = text.find(word, position)
        if start < 0:
            continue
        position = start + len(word)
        if not tag.startswith("nr") or not 2 <= len(word) <= 4:
            continue
        double = word[:2] in _DOUBLE
        if rjieba.has_word(word) and (word[0] not in _FREQUENT or word in _WORDS) and not double:
            continue  # a word like 许可证 or 谢谢
        if (double and len(word) > 2) or (word[0] in SURNAMES and len(word) <= 3):
            yield Span(start, position, word)


def _may_begin(text: str, start: int) -> bool:
    """A title's name begins a word: 高 of 提高先生 does not. Cheap: what stands before is no Chinese character, or a word
    that goes before names."""
    return (
        not re.search(r"[\u4e00-\u9fff]", before(text, start, 1))
        or before(text, start, 1) in "和与跟给找问请叫是为人名向由对位让同及、的"
    )
