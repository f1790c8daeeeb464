"""What counts as a line of Chinese."""

import re

__all__ = ["is_chinese_line"]

CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
LETTER = re.compile(r"[^\W\d_]")
LINE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fffA-Za-z0-9_ ,.:;!?%()/+\-，。、：；！？（）《》“”‘’…·℃°×＋－]+")
"Chinese characters, the Latin letters and digits that labels bear, and marks; nothing invisible, no line break."
LEAST = 2
"Chinese characters a line has at least."
SHARE = 0.5
"Of its letters, at least so many are Chinese."


def is_chinese_line(text: str) -> bool:
    """One line, without spaces around it, most of whose letters are Chinese characters."""
    if text != text.strip() or not LINE.fullmatch(text):
        return False
    chinese = len(CHINESE.findall(text))
    return chinese >= LEAST and chinese >= SHARE * len(LETTER.findall(text))
